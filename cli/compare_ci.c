/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare_ci.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"

static void print_place(FILE *f, const compare_divergence *d)
{
    if (d->input >= 0) (void)fprintf(f, "input %" PRId64, d->input);
    else (void)fprintf(f, "input");
    if (d->name[0]) (void)fprintf(f, " (%s)", d->name);
    if (d->what == COMPARE_LAYER || d->what == COMPARE_BITS) {
        (void)fprintf(f, ", layer %d", d->layer);
        if (d->op[0]) (void)fprintf(f, " %s", d->op);
        if (d->layer_name[0]) (void)fprintf(f, " (%s)", d->layer_name);
    }
}

static void print_coordinates(FILE *f, const compare_divergence *d)
{
    if (d->n_dims == 0) {
        (void)fprintf(f, ", element %" PRId64, d->element);
        return;
    }
    (void)fprintf(f, ", at [");
    for (int i = 0; i < d->n_dims; i++) (void)fprintf(f, "%s%d", i ? ", " : "", d->at[i]);
    (void)fprintf(f, "]");
}

void compare_print_divergence(FILE *f, const compare_divergence *d)
{
    (void)fprintf(f, "first divergence: ");
    print_place(f, d);
    switch (d->what) {
    case COMPARE_EQUAL: break;
    case COMPARE_MISSING: (void)fprintf(f, ": only the %s side has it", d->got ? "second" : "first"); break;
    case COMPARE_INPUT: (void)fprintf(f, ": the input differs, crc expected %08" PRIx64 ", got %08" PRIx64, (uint64_t)d->expected, (uint64_t)d->got); break;
    case COMPARE_BITS: (void)fprintf(f, ": expected %" PRId64 " bits, got %" PRId64, d->expected, d->got); break;
    case COMPARE_DECISION: (void)fprintf(f, ", choice %" PRId64 ": expected candidate %" PRId64 ", got %" PRId64, d->element, d->expected, d->got); break;
    case COMPARE_LAYER:
        if (!d->has_values) {
            (void)fprintf(f, ": crc expected %08" PRIx64 ", got %08" PRIx64, (uint64_t)d->expected, (uint64_t)d->got);
            break;
        }
        /* fall through */
    case COMPARE_OUTPUT:
        if (d->what == COMPARE_OUTPUT) (void)fprintf(f, ", output");
        if (!d->has_values) {
            (void)fprintf(f, ": %" PRId64 " codes expected, got %" PRId64, d->expected, d->got);
            break;
        }
        print_coordinates(f, d);
        (void)fprintf(f, ": expected %" PRId64 ", got %" PRId64 "; %" PRId64 " of %" PRId64 " codes differ, by at most %" PRId64, d->expected, d->got, d->differ, d->total,
               d->largest);
        break;
    }
    (void)fputc('\n', f);
    if (d->hint) (void)fprintf(f, "likely cause: %s\n", d->hint);
}

void compare_print_verdict(FILE *f, const compare_result *r)
{
    if (r->first.what != COMPARE_EQUAL) compare_print_divergence(f, &r->first);
    else (void)fprintf(f, "%" PRId64 " inputs compared, %" PRId64 " differ\n", r->compared, r->differ);
}

static void xml(FILE *f, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
        case '&': (void)fputs("&amp;", f); break;
        case '<': (void)fputs("&lt;", f); break;
        case '>': (void)fputs("&gt;", f); break;
        case '"': (void)fputs("&quot;", f); break;
        default: (void)fputc((unsigned char)*s < ' ' && *s != '\n' && *s != '\t' ? '?' : *s, f); /* XML has no other control characters */
        }
    }
}

static void write_junit(FILE *f, const compare_verdict *v)
{
    (void)fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite name=\"bitemu compare\" tests=\"1\" failures=\"%d\">\n  <testcase classname=\"bitemu\" name=\"", !v->same);
    xml(f, v->sides[0]);
    (void)fputs(" against ", f);
    xml(f, v->sides[1]);
    (void)fputs("\">\n", f);
    if (v->same) (void)fputs("   <system-out>", f);
    else (void)fprintf(f, "   <failure message=\"%s\">", v->message);
    xml(f, v->details);
    (void)fputs(v->same ? "</system-out>\n" : "</failure>\n", f);
    (void)fputs("  </testcase>\n </testsuite>\n</testsuites>\n", f);
}

status compare_junit(const char *path, const compare_verdict *v, err *e)
{
    file_out o;
    TRY(file_create(&o, path, e));
    write_junit(o.f, v);
    return file_commit(&o, e);
}

/* A message of a workflow command: %, carriage return and newline are escaped. */
static void escaped(const char *s)
{
    for (; *s; s++) {
        if (*s == '%') (void)fputs("%25", stdout);
        else if (*s == '\r') (void)fputs("%0D", stdout);
        else if (*s == '\n') (void)fputs(s[1] ? "%0A" : "", stdout);
        else (void)fputc(*s, stdout);
    }
}

void compare_github(const compare_verdict *v)
{
    (void)printf("::%s title=bitemu compare::", v->same ? "notice" : "error");
    escaped(v->sides[1]);
    (void)fputs(v->same ? ": equal, " : ": ", stdout);
    escaped(v->details);
    (void)putchar('\n');
}
