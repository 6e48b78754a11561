/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 18 };

status lines_open(lines *l, const char *path, err *e)
{
    *l = (lines){0};
    (void)snprintf(l->path, sizeof l->path, "%s", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC); /* gzopen says nothing about why */
    if (fd < 0) return err_set(e, ST_IO, path, "cannot open: %s", strerror(errno));
    l->gz = gzdopen(fd, "rb");
    l->buffer = calloc(BLOCK + LINES_SLACK, 1);
    l->room = BLOCK;
    if (!l->gz) (void)close(fd);
    return l->gz && l->buffer ? ST_OK : err_set(e, ST_NOMEM, path, "no memory");
}

void lines_close(lines *l)
{
    if (l->gz) (void)gzclose(l->gz);
    free(l->buffer);
    *l = (lines){0};
}

static status problem(lines *l, err *e)
{
    int code;
    const char *why = gzerror(l->gz, &code);
    if (code == Z_OK || code == Z_STREAM_END) return ST_OK;
    return err_set(e, code == Z_ERRNO ? ST_IO : ST_FORMAT, l->path, "cannot be read after line %lld: %s", (long long)l->number, code == Z_ERRNO ? strerror(errno) : why);
}

/* Room behind end: what was delivered makes place first, then the buffer grows. */
static status make_room(lines *l, err *e)
{
    if (l->at > 0) {
        memmove(l->buffer, l->buffer + l->at, l->end - l->at);
        l->end -= l->at;
        l->at = 0;
    }
    if (l->room - l->end > BLOCK / 4) return ST_OK;
    size_t room = l->room * 2;
    if (room > 2 * (size_t)LINES_MAX) return err_set(e, ST_FORMAT, l->path, "line %lld is longer than 16 MiB", (long long)l->number);
    char *p = realloc(l->buffer, room + LINES_SLACK);
    if (!p) return err_set(e, ST_NOMEM, l->path, "no memory");
    memset(p + l->room, 0, room + LINES_SLACK - l->room);
    l->buffer = p;
    l->room = room;
    return ST_OK;
}

static status read_more(lines *l, err *e)
{
    TRY(make_room(l, e));
    int got = gzread(l->gz, l->buffer + l->end, (unsigned)(l->room - l->end - 1)); /* one byte is for the last line's terminator */
    TRY(problem(l, e));
    if (got < 0) return err_set(e, ST_IO, l->path, "cannot be read");
    char *p = l->buffer + l->end;
    size_t n = (size_t)got;
    l->whole = n == 0;
    l->dirty = l->dirty || memchr(p, '\r', n) || memchr(p, 27, n) || memchr(p, 0, n);
    l->end += n;
    return ST_OK;
}

status lines_peek(lines *l, size_t n, err *e)
{
    while (!l->whole && l->end < n) TRY(read_more(l, e));
    return ST_OK;
}

/* Takes out ANSI escape sequences (ESC [ ... letter), carriage returns and 0 bytes. */
static size_t clean(char *s, size_t n)
{
    if (n && s[n - 1] == '\r') n--;
    if (!memchr(s, 27, n) && !memchr(s, '\r', n) && !memchr(s, 0, n)) return n;
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == 27 && i + 1 < n && s[i + 1] == '[') {
            for (i += 2; i < n && (s[i] < '@' || s[i] > '~'); i++) continue;
        } else if (s[i] != '\r' && s[i] != 0) {
            s[to++] = s[i];
        }
    }
    return to;
}

status lines_next(lines *l, bool *end, err *e)
{
    size_t searched = 0;
    char *newline;
    l->number++;
    for (;;) {
        newline = memchr(l->buffer + l->at + searched, '\n', l->end - l->at - searched);
        if (newline || l->whole) break;
        searched = l->end - l->at;
        if (searched > LINES_MAX) return err_set(e, ST_FORMAT, l->path, "line %lld is longer than 16 MiB", (long long)l->number);
        TRY(read_more(l, e));
    }
    *end = !newline && l->at == l->end;
    l->text = l->buffer + l->at;
    l->length = newline ? (size_t)(newline - l->text) : l->end - l->at;
    l->at += l->length + (newline != NULL);
    if (l->dirty) l->length = clean(l->text, l->length);
    l->text[l->length] = 0;
    return ST_OK;
}
