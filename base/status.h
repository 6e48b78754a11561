/* SPDX-License-Identifier: Apache-2.0
 * base/status.h - what a call answers, and where and why it failed.
 * A status says which kind; struct err says where ("board.yaml:12:7", "op 4 CONV_2D", "byte 812"), what, and what to do.
 * err is the caller's, may be NULL, and is written once, by whoever detects the problem. */
#ifndef BITEMU_BASE_STATUS_H
#define BITEMU_BASE_STATUS_H

typedef enum status {
    ST_OK = 0,
    ST_ARG,         /* the caller broke a documented rule; usage */
    ST_UNSUPPORTED, /* legal, but not covered: operator, type, width, profile */
    ST_FORMAT,      /* input bytes are corrupt or contradict their schema */
    ST_IO,          /* the operating system said no */
    ST_NOMEM,       /* memory or a stated budget is used up */
    ST_MISMATCH,    /* two things that had to be equal differ */
    ST_INCOMPLETE   /* an estimate lacks data; the message lists what */
} status;

typedef struct err {
    status code;
    char where[192];
    char msg[832];
} err;

/* Fills *e (if not NULL and not yet set) and returns code, so that a detector can write `return err_set(e, ST_FORMAT, ...)`.
 * where may be "" (unknown yet: err_at fills it in). Text that does not fit is cut, always terminated. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
status err_set(err *e, status code, const char *where, const char *fmt, ...);

/* Puts "place: " before what err_set recorded as where: callers add the file name to a "line:column" they passed on. NULL is fine. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void err_at(err *e, const char *fmt, ...);

/* The process exit status that stands for s: 0 ok, 1 mismatch, 2 usage, 3 unsupported, 4 corrupt input or I/O, 5 incomplete. */
int status_exit(status s);

/* The only control-flow macro: hand a failure up. */
#define TRY(x)                                                                                                                   \
    do {                                                                                                                         \
        status try_status_ = (x);                                                                                                \
        if (try_status_ != ST_OK) return try_status_;                                                                            \
    } while (0)

#endif
