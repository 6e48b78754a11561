/* SPDX-License-Identifier: Apache-2.0
 * cli/cost_break_even_svg.c - left: cycles of every width pair over those of 8x8; right: cost of each cascade over its second pass alone,
 * by the share of inputs that the first pass settles. */
#include "base/file.h"
#include "cli/cost_report.h"
#include "cli/svg.h"

enum { TOP = 90, CELL = 78, LEFT = 90, PLOT = 560, WIDE = 380, HIGH = 4 * CELL, MOST = 8, FULL_W = 1180, FULL_H = 480 };

/* Green below 1, red above, deeper with distance. */
static void colour(FILE *f, double v)
{
    double d = v < 1 ? (1 - v) * 2 : (v - 1) * 2;
    int pale = (int)(235 - 150 * (d > 1 ? 1 : d));
    if (v <= 1) (void)fprintf(f, "rgb(%d,225,%d)", pale, pale);
    else (void)fprintf(f, "rgb(240,%d,%d)", pale, pale);
}

static void pairs(FILE *f, const cost_estimate *c)
{
    double whole = cost_at_widths(c, 8, 8);
    for (int i = 0; i < COST_WIDTHS; i++) {
        int w = cost_widths[COST_WIDTHS - 1 - i], y = TOP + i * CELL;
        (void)fprintf(f, "<text x='%d' y='%d' text-anchor='end'>w%d</text><text x='%d' y='%d' text-anchor='middle'>a%d</text>\n", LEFT - 8, y + CELL / 2 + 4, w,
                      LEFT + i * CELL + CELL / 2, TOP - 8, w);
        for (int k = 0; k < COST_WIDTHS; k++) {
            int a = cost_widths[COST_WIDTHS - 1 - k], x = LEFT + k * CELL;
            double v = whole > 0 ? cost_at_widths(c, w, a) / whole : -1;
            (void)fprintf(f, "<g class='pair'><title>w%da%d</title><rect x='%d' y='%d' width='%d' height='%d' stroke='#fff' fill='", w, a, x, y, CELL, CELL);
            if (v < 0) (void)fputs("#e9ecef", f);
            else colour(f, v);
            (void)fprintf(f, "'/><text x='%d' y='%d' text-anchor='middle' class='%s'>", x + CELL / 2, y + CELL / 2 + 5, v >= 0 && v < 1 ? "win" : "cell");
            if (v < 0) (void)fputs("no figure", f);
            else (void)fprintf(f, "%.2f", v);
            (void)fputs("</text></g>\n", f);
        }
    }
}

/* Relative cost runs from 0 at the bottom to 2 at the top. */
static double y_of(double cost) { return TOP + HIGH * (1 - cost / 2); }

static void cascades(FILE *f, const cost_cascade *list, int n)
{
    static const char *const colours[MOST] = {"#1d3557", "#e76f51", "#2a9d8f", "#6a4c93", "#e9c46a", "#457b9d", "#9a031e", "#588157"};
    (void)fprintf(f, "<rect x='%d' y='%d' width='%d' height='%d' fill='none' stroke='#999'/>\n", PLOT, TOP, WIDE, HIGH);
    for (int i = 0; i <= 4; i++) {
        double x = PLOT + WIDE * i / 4.0, y = y_of(i / 2.0);
        (void)fprintf(f, "<text x='%.1f' y='%d' text-anchor='middle'>%d %%</text><text x='%d' y='%.1f' text-anchor='end'>%.1f</text>\n", x, TOP + HIGH + 18, 25 * i, PLOT - 8, y + 4, i / 2.0);
    }
    (void)fprintf(f, "<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='#333' stroke-dasharray='6 4'/>\n", PLOT, y_of(1), PLOT + WIDE, y_of(1));
    for (int i = 0; i < n && i < MOST; i++) {
        double share = list[i].first_cycles / list[i].second_cycles, x = PLOT + WIDE * share;
        int key = TOP + 18 * i;
        bool pays = share < 1;
        (void)fprintf(f, "<g class='cascade' stroke='%s' fill='%s'>", colours[i], colours[i]);
        double from = share > 1 ? share - 1 : 0; /* where the line comes down to 2 */
        if (share < 2) (void)fprintf(f, "<line x1='%.1f' y1='%.1f' x2='%d' y2='%.1f' stroke-width='2'/>", PLOT + WIDE * from, y_of(share + 1 - from), PLOT + WIDE, y_of(share));
        if (pays) (void)fprintf(f, "<circle cx='%.1f' cy='%.1f' r='4'/>", x, y_of(1));
        (void)fprintf(f, "<line x1='%d' y1='%d' x2='%d' y2='%d' stroke-width='3'/></g><text x='%d' y='%d'>", PLOT + WIDE + 16, key, PLOT + WIDE + 34, key, PLOT + WIDE + 40, key + 4);
        svg_text(f, list[i].first, 14);
        (void)fputs(", then ", f);
        svg_text(f, list[i].second, 14);
        if (pays) (void)fprintf(f, ": from %.0f %%</text>\n", 100 * share);
        else (void)fputs(": never</text>\n", f);
    }
    if (n > MOST) (void)fprintf(f, "<text x='%d' y='%d'>and %d more in the table</text>\n", PLOT + WIDE + 16, TOP + 18 * MOST + 4, n - MOST);
    if (!n) (void)fprintf(f, "<text x='%d' y='%d' text-anchor='middle'>no layout has fewer bits than another</text>\n", PLOT + WIDE / 2, TOP + HIGH / 2);
    (void)fprintf(f, "<text x='%d' y='%d' text-anchor='middle' class='axis'>share of inputs that the first pass settles</text>\n", PLOT + WIDE / 2, TOP + HIGH + 40);
}

status cost_break_even_svg(const cost_estimate *c, const cost_cascade *list, int n, const char *path, err *e)
{
    file_out o;
    TRY(file_create(&o, path, e));
    FILE *f = o.f;
    (void)fprintf(f, "<?xml version='1.0' encoding='UTF-8'?>\n<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %d %d'>\n", FULL_W, FULL_H, FULL_W, FULL_H);
    (void)fputs("<style>text{font:11px sans-serif;fill:#333}.head{font-size:15px;font-weight:bold}.axis{font-size:12px}.cell{font-size:13px}.win{font-size:13px;font-weight:bold}</style>\n"
                "<rect width='100%' height='100%' fill='#fff'/>\n", f);
    (void)fprintf(f, "<text x='%d' y='24' class='head'>", LEFT);
    svg_text(f, svg_file_name(c->graph->path), 60);
    (void)fputs(" on ", f);
    svg_text(f, hw_board_title(c->board), 80);
    (void)fprintf(f, "</text>\n<text x='%d' y='44' class='axis'>kernels ", LEFT);
    svg_text(f, hw_board_kernels(c->board), 60);
    (void)fprintf(f, "</text>\n<text x='%d' y='66' class='axis'>cycles of all layers at a width pair, over those of 8x8 (%.0f)</text>\n", LEFT, cost_at_widths(c, 8, 8));
    (void)fprintf(f, "<text x='%d' y='66' class='axis'>cost of a first pass and a second one where needed, over the second alone</text>\n", PLOT - 30);
    pairs(f, c);
    cascades(f, list, n);
    (void)fputs("</svg>\n", f);
    return file_commit(&o, e);
}
