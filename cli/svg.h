/* SPDX-License-Identifier: Apache-2.0
 * cli/svg.h - what every picture needs. */
#ifndef BITEMU_CLI_SVG_H
#define BITEMU_CLI_SVG_H

#include <stdio.h>

/* At most n characters; what is not printable ASCII becomes '?', so that any name gives well-formed XML. */
void svg_text(FILE *f, const char *s, int n);
/* The file's name without its folders; "network" for NULL. */
const char *svg_file_name(const char *path);

#endif
