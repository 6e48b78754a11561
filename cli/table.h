/* SPDX-License-Identifier: Apache-2.0
 * cli/table.h - aligned text tables on stdout (libsmartcols), the same on a terminal and in a pipe. */
#ifndef BITEMU_CLI_TABLE_H
#define BITEMU_CLI_TABLE_H

typedef struct cli_table cli_table;
/* columns: NULL-terminated headings; a leading '>' aligns the column right. NULL when out of memory. */
cli_table *cli_table_create(const char *const *columns);
void cli_table_row(cli_table *t);                                /* starts a row */
void cli_table_cell(cli_table *t, const char *fmt, ...)          /* next cell of the row */
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;
void cli_table_print(cli_table **t);                             /* prints and frees */

#endif
