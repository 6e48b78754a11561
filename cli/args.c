/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_help(const cli_usage *u, const cli_option *o, int n)
{
    printf("usage: %s\n\n%s\n", u->synopsis, u->about);
    if (n) printf("\noptions\n");
    for (int i = 0; i < n; i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s%s", o[i].name, o[i].value ? " " : "", o[i].value ? o[i].value : "");
        printf("  %-26s %s\n", left, o[i].help);
    }
    printf("  %-26s %s\n", "--help", "this text");
    if (u->examples) printf("\nexamples\n%s", u->examples);
    printf("\nexit status: 0 ok, 1 differs or threshold missed, 2 usage, 3 unsupported, 4 corrupt input, 5 estimate incomplete\n");
}

/* The option that shares the longest beginning with what was typed. */
static const char *nearest(const char *typed, const cli_option *o, int n)
{
    const char *best = "--help";
    size_t most = 2;
    for (int i = 0; i < n; i++) {
        size_t k = 0;
        while (typed[k] && typed[k] == o[i].name[k]) k++;
        if (k > most) {
            most = k;
            best = o[i].name;
        }
    }
    return best;
}

static status set_format(cli_format *dest, const char *text, err *e)
{
    static const char *const names[] = {"text", "json", "csv"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *dest = (cli_format)i;
            return ST_OK;
        }
    }
    return err_set(e, ST_ARG, "--format", "'%s' is not text, json or csv", text);
}

static status set_value(const cli_option *o, const char *text, err *e)
{
    char *end;
    switch (o->kind) {
    case CLI_FLAG: *(bool *)o->dest = true; return ST_OK;
    case CLI_TEXT: *(const char **)o->dest = text; return ST_OK;
    case CLI_FORMAT: return set_format(o->dest, text, e);
    case CLI_COUNT: break;
    }
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || v < 0) return err_set(e, ST_ARG, o->name, "'%s' is not a number >= 0", text);
    *(int64_t *)o->dest = v;
    return ST_OK;
}

static status option(int argc, char **argv, int *i, const cli_option *o, int n, err *e)
{
    const char *typed = argv[*i], *eq = strchr(typed, '=');
    size_t len = eq ? (size_t)(eq - typed) : strlen(typed);
    for (int k = 0; k < n; k++) {
        if (strlen(o[k].name) != len || memcmp(o[k].name, typed, len) != 0) continue;
        if (o[k].kind == CLI_FLAG) {
            if (eq) return err_set(e, ST_ARG, o[k].name, "takes no value");
            return set_value(&o[k], NULL, e);
        }
        if (eq) return set_value(&o[k], eq + 1, e);
        if (*i + 1 >= argc) return err_set(e, ST_ARG, o[k].name, "needs a value: %s %s", o[k].name, o[k].value);
        *i += 1;
        return set_value(&o[k], argv[*i], e);
    }
    return err_set(e, ST_ARG, typed, "unknown option; did you mean %s? (--help lists all)", nearest(typed, o, n));
}

status cli_parse(int argc, char **argv, const cli_usage *u, const cli_option *options, int n_options, const char **args, int *n_args,
                 bool *help, err *e)
{
    bool only_args = false;
    *n_args = 0;
    *help = false;
    for (int i = 0; i < argc; i++) {
        if (!only_args && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            print_help(u, options, n_options);
            *help = true;
            return ST_OK;
        }
        if (!only_args && strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (!only_args && argv[i][0] == '-' && argv[i][1]) {
            TRY(option(argc, argv, &i, options, n_options, e));
        } else {
            if (*n_args >= u->max_args) return err_set(e, ST_ARG, argv[i], "unexpected argument; usage: %s", u->synopsis);
            args[(*n_args)++] = argv[i];
        }
    }
    if (*n_args < u->min_args) return err_set(e, ST_ARG, "", "usage: %s (--help tells more)", u->synopsis);
    return ST_OK;
}

int cli_fail(const err *e)
{
    (void)fflush(stdout);
    if (e->where[0])
        (void)fprintf(stderr, "bitemu: %s: %s\n", e->where, e->msg);
    else
        (void)fprintf(stderr, "bitemu: %s\n", e->msg);
    return status_exit(e->code);
}
