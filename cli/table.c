/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct cli_table {
    struct libscols_table *t;
    struct libscols_line *line;
    size_t column;
};

cli_table *cli_table_create(const char *const *columns)
{
    cli_table *t = calloc(1, sizeof *t);
    if (!t || !(t->t = scols_new_table())) {
        free(t);
        return NULL;
    }
    (void)scols_table_enable_maxout(t->t, 0);
    (void)scols_table_set_termforce(t->t, SCOLS_TERMFORCE_NEVER); /* never cut to the terminal's width */
    (void)scols_table_set_column_separator(t->t, "  ");
    for (; *columns; columns++) {
        int right = (*columns)[0] == '>';
        (void)scols_table_new_column(t->t, *columns + right, 0, right ? SCOLS_FL_RIGHT : 0);
    }
    return t;
}

void cli_table_row(cli_table *t)
{
    t->line = scols_table_new_line(t->t, NULL);
    t->column = 0;
}

void cli_table_cell(cli_table *t, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (t->line) (void)scols_line_set_data(t->line, t->column++, text);
}

void cli_table_print(cli_table **t)
{
    (void)scols_print_table((*t)->t);
    scols_unref_table((*t)->t);
    free(*t);
    *t = NULL;
}
