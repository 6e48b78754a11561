/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/calibrate.h"
#include "cli/table.h"

static const char *const folds[] = {"board", "network", "measurement", NULL};

static const char *file_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static json_t *figure(double v) { return v < 0 ? json_null() : json_real(v); }

static void print_json(const calibrate_set *s, const hw_calibration *c)
{
    json_t *classes = json_array(), *rows = json_array();
    for (int k = 0; k < HW_N_CLASSES; k++)
        if (c->rows[k]) json_array_append_new(classes, json_pack("{s:s, s:f, s:i}", "class", hw_class_name((hw_class)k), "cycles_per_instruction", c->factor[k], "measurements", c->rows[k]));
    for (int i = 0; i < s->n; i++) {
        const hw_sample *x = &s->samples[i];
        json_t *one = json_pack("{s:s, s:s, s:s, s:f, s:o, s:o}", "file", s->source[i], "model", x->g->path, "board", s->board_name[i], "cycles", x->cycles, "fitted", figure(c->fitted[i]),
                                "left_out", figure(c->left_out[i]));
        json_object_set_new(one, "op", x->op < 0 ? json_null() : json_integer(x->op));
        json_object_set_new(one, "missing", c->missing[i] ? json_string(c->missing[i]) : json_null());
        json_array_append_new(rows, one);
    }
    json_t *left = c->fold == HW_FOLD_NONE ? json_null() : json_pack("{s:s, s:o, s:o}", "one", folds[c->fold], "median_pct", figure(c->median_pct), "ninety_pct", figure(c->ninety_pct));
    json_t *j = json_pack("{s:s, s:s, s:f, s:f, s:i, s:i, s:i, s:o, s:o, s:o}", "kernels", s->kernels->name, "core", hw_board_core(s->board), "pull", c->pull, "other", c->common, "used", c->used,
                          "other_cores", s->other_cores, "left_over", s->left_over, "factors", classes, "measurements", rows, "leaving_out", left);
    (void)json_dumpf(j, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(j);
}

static void print_factors(const hw_calibration *c)
{
    static const char *const columns[] = {"class", ">measurements", ">cycles per counted instruction", NULL};
    cli_table *t = cli_table_create(columns);
    for (int k = 0; t && k <= HW_N_CLASSES; k++) {
        bool other = k == HW_N_CLASSES;
        if (!other && !c->rows[k]) continue;
        cli_table_row(t);
        cli_table_cell(t, "%s", other ? "other" : hw_class_name((hw_class)k));
        if (other) cli_table_cell(t, "-");
        else cli_table_cell(t, "%d", c->rows[k]);
        cli_table_cell(t, "%.4g", other ? c->common : c->factor[k]);
    }
    if (t) cli_table_print(&t);
}

static void print_rows(const calibrate_set *s, const hw_calibration *c)
{
    static const char *const columns[] = {"network", ">op", "type", "board", ">measured cycles", ">fitted", ">residual", ">left out", NULL};
    cli_table *t = cli_table_create(columns);
    for (int i = 0; t && i < s->n; i++) {
        const hw_sample *x = &s->samples[i];
        if (c->missing[i]) continue;
        cli_table_row(t);
        cli_table_cell(t, "%.40s", file_of(x->g->path));
        if (x->op < 0) cli_table_cell(t, "all");
        else cli_table_cell(t, "%d", x->op);
        cli_table_cell(t, "%s", x->op < 0 ? "" : x->g->subgraphs[0].ops[x->op].type);
        cli_table_cell(t, "%.40s", s->board_name[i]);
        cli_table_cell(t, "%.0f", x->cycles);
        cli_table_cell(t, "%.0f", c->fitted[i]);
        cli_table_cell(t, "%+.1f %%", 100 * (c->fitted[i] / x->cycles - 1));
        if (c->left_out[i] < 0) cli_table_cell(t, "-");
        else cli_table_cell(t, "%+.1f %%", 100 * (c->left_out[i] / x->cycles - 1));
    }
    if (t) cli_table_print(&t);
}

void calibrate_print(const calibrate_set *s, const hw_calibration *c, cli_format format)
{
    if (format == CLI_AS_JSON) {
        print_json(s, c);
        return;
    }
    printf("kernels %s on %s: %d measurements, pull %g\n\n", s->kernels->name, hw_board_core(s->board), c->used, c->pull);
    print_factors(c);
    putchar('\n');
    print_rows(s, c);
    putchar('\n');
    if (c->fold == HW_FOLD_NONE) printf("one measurement: nothing can be left out, the error is not known\n");
    else printf("leaving one %s out: median error %.1f %%, 90 %% within %.1f %%\n", folds[c->fold], c->median_pct, c->ninety_pct);
    if (s->other_cores) printf("not used: %d measurements on other cores\n", s->other_cores);
    if (s->left_over) printf("not used: %d lines of operators in no complete run\n", s->left_over);
    for (int i = 0; i < s->n; i++)
        if (c->missing[i]) printf("not used: %s: %s\n", file_of(s->samples[i].g->path), c->missing[i]);
}

static void quoted(FILE *f, const char *s)
{
    for (; *s; s++) (void)fputc(*s == '"' || *s == '\\' || (unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f ? '?' : *s, f);
}

static void write_figure(FILE *f, const char *name, double v, double error_pct)
{
    (void)fprintf(f, "      %s: {value: %.10g, unit: cycles/instruction, ", name, v);
    if (error_pct >= 0) (void)fprintf(f, "error_pct: %.1f, ", error_pct < 5 ? 5 : error_pct > 1000 ? 1000 : error_pct);
    (void)fputs("source: measured}\n", f);
}

status calibrate_write(const calibrate_set *s, const hw_calibration *c, const char *path, err *e)
{
    const char *base = file_of(path), *dot = strrchr(base, '.');
    int n = dot ? (int)(dot - base) : 0;
    if (n < 1 || strcmp(dot, ".yaml") != 0 || base[0] == '.' || strspn(base, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(base))
        return err_set(e, ST_ARG, "-o", "'%s': a stack's file is NAME.yaml, NAME of lower case letters, digits, '.', '_', '-'", base);
    file_out o;
    TRY(file_create(&o, path, e));
    (void)fprintf(o.f, "# SPDX-License-Identifier: Apache-2.0\n# Written by bitemu calibrate. Schema: docs/COSTS.md.\nbitemu_stack: 1\nname: %.*s\ntitle: \"%.*s, calibrated\"\nkernels: %s\ncores:\n  %s:\n"
                  "    cycles_per_instruction:\n", n, base, n, base, s->kernels->name, hw_board_core(s->board));
    for (int k = 0; k < HW_N_CLASSES; k++)
        if (c->rows[k]) write_figure(o.f, hw_class_name((hw_class)k), c->factor[k], c->ninety_pct);
    write_figure(o.f, "other", c->common, c->ninety_pct);
    (void)fprintf(o.f, "sources:\n  measured: \"%d measurements, pull %g", c->used, c->pull);
    for (int i = 0; i < s->n; i++) {
        bool seen = false;
        for (int k = 0; k < i && !seen; k++) seen = strcmp(s->source[k], s->source[i]) == 0;
        if (!seen) (void)fputs("; ", o.f);
        if (!seen) quoted(o.f, file_of(s->source[i]));
    }
    if (c->fold != HW_FOLD_NONE) (void)fprintf(o.f, "; leaving one %s out: median %.1f %%, 90 %% within %.1f %%", folds[c->fold], c->median_pct, c->ninety_pct);
    (void)fputs("\"\n", o.f);
    return file_commit(&o, e);
}
