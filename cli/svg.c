/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/svg.h"

void svg_text(FILE *f, const char *s, int n)
{
    for (int i = 0; s[i] && i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '&') (void)fputs("&amp;", f);
        else if (c == '<') (void)fputs("&lt;", f);
        else if (c == '>') (void)fputs("&gt;", f);
        else if (c == '"') (void)fputs("&quot;", f);
        else (void)fputc(c >= 0x20 && c < 0x7f ? c : '?', f);
    }
}

const char *svg_file_name(const char *path)
{
    const char *name = path ? path : "network";
    for (const char *s = name; *s; s++)
        if (*s == '/') name = s + 1;
    return name;
}
