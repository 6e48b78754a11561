/* SPDX-License-Identifier: Apache-2.0
 * cli/cost_break_even.c - which width pairs beat 8x8 on a board, and from what share of easy inputs on a second pass pays. */
#include <stdio.h>
#include <string.h>

#include "cli/cost_report.h"
#include "cli/table.h"
#include "sim/sim.h"

typedef struct layout {
    const char *name;
    double cycles, bitops;
} layout;

/* "w4a8", or a policy that does not depend on the input. */
static status layout_cost(const cost_estimate *c, const char *name, arena *a, layout *out, err *e)
{
    int w, act;
    char rest;
    *out = (layout){arena_strdup(a, name, strlen(name)), -1, 0};
    if (!out->name) return err_set(e, ST_NOMEM, "", "no memory");
    if (sscanf(name, "w%2da%2d%c", &w, &act, &rest) == 2) {
        out->cycles = cost_at_widths(c, w, act);
        out->bitops = w * act; /* of a multiplication: only the order of layouts matters */
        return out->cycles >= 0 ? ST_OK : err_set(e, ST_ARG, "--layouts", "the kernels of %s have no figures for all layers at %s", hw_board_name(c->board), name);
    }
    int *candidate = arena_alloc(a, (size_t)c->graph->n_choices + 1, sizeof *candidate);
    if (!candidate) return err_set(e, ST_NOMEM, "", "no memory");
    err why = {0};
    if (sim_static_policy(c->graph, name, a, candidate, &why) != ST_OK) return err_set(e, ST_ARG, "--layouts", "'%s' is neither widths, as w4a4, nor a fixed policy: %s", name, why.msg);
    hw_cost x = hw_table_total(c->graph, c->table, candidate);
    out->cycles = x.cycles;
    out->bitops = x.bitops;
    return x.cycles >= 0 ? ST_OK : err_set(e, ST_INCOMPLETE, "--layouts", "some layer has no figure under %s", name);
}

/* Square pairs, or fixed:N where every choice has a candidate N. Names live in a. */
static int usual_layouts(const cost_estimate *c, arena *a, layout *out)
{
    int n = 0;
    for (int i = 0; i < COST_WIDTHS; i++) {
        char name[24];
        err ignored = {0};
        (void)snprintf(name, sizeof name, c->graph->n_choices ? "fixed:%d" : "w%da%d", cost_widths[i], cost_widths[i]);
        if (layout_cost(c, name, a, &out[n], &ignored) == ST_OK) n++;
    }
    return n;
}

status cost_cascades(const cost_estimate *c, const char *layouts, arena *a, cost_cascade **out, int *n, err *e)
{
    enum { MOST = 16 };
    layout list[MOST];
    int count = 0;
    if (!layouts) count = usual_layouts(c, a, list);
    for (const char *p = layouts; p && *p;) {
        size_t len = strcspn(p, "/");
        if (count == MOST) return err_set(e, ST_ARG, "--layouts", "at most %d layouts", MOST);
        const char *name = arena_strdup(a, p, len);
        if (!name) return err_set(e, ST_NOMEM, "", "no memory");
        TRY(layout_cost(c, name, a, &list[count++], e));
        p += len + (p[len] == '/');
    }
    *out = arena_alloc(a, MOST * MOST, sizeof **out);
    if (!*out) return err_set(e, ST_NOMEM, "", "no memory");
    *n = 0;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < count; k++)
            if (list[i].bitops < list[k].bitops) (*out)[(*n)++] = (cost_cascade){list[i].name, list[k].name, list[i].cycles, list[k].cycles};
    return ST_OK;
}

void cost_break_even_text(const cost_estimate *c, const cost_cascade *list, int n)
{
    static const char *const columns[] = {"weights \\ activations", ">8", ">4", ">2", ">1", NULL}, *const passes[] = {"first pass", "second pass", ">first cycles", ">second cycles", ">pays above", NULL};
    double whole = cost_at_widths(c, 8, 8);
    int faster = 0, slower = 0;
    printf("%s on %s: cycles with all weights and activations at a width, over those of 8x8 (%.0f); below 1 is faster\n\n", c->graph->path, hw_board_title(c->board), whole);
    cli_table *t = cli_table_create(columns);
    for (int i = COST_WIDTHS - 1; t && i >= 0; i--) {
        cli_table_row(t);
        cli_table_cell(t, "%d bit", cost_widths[i]);
        for (int k = COST_WIDTHS - 1; k >= 0; k--) {
            double v = cost_at_widths(c, cost_widths[i], cost_widths[k]);
            faster += v >= 0 && v < whole;
            slower += v > whole;
            if (v < 0) cli_table_cell(t, "-");
            else cli_table_cell(t, "%.3f", v / whole);
        }
    }
    if (t) cli_table_print(&t);
    if (!faster) printf("\nno narrower pair is faster than 8x8 on this board: fewer bits save memory there, not time\n");
    else if (slower) printf("\nfewer bits are not always faster here: above 1, unpacking costs more than the narrower operands save\n");
    printf("\na first pass with fewer bits, and a second one for inputs that need it, costs less than the second alone from this share of easy inputs on\n\n");
    t = cli_table_create(passes);
    for (int i = 0; t && i < n; i++) {
        cli_table_row(t);
        cli_table_cell(t, "%s", list[i].first);
        cli_table_cell(t, "%s", list[i].second);
        cli_table_cell(t, "%.0f", list[i].first_cycles);
        cli_table_cell(t, "%.0f", list[i].second_cycles);
        if (list[i].first_cycles < list[i].second_cycles) cli_table_cell(t, "%.1f %%", 100 * list[i].first_cycles / list[i].second_cycles);
        else cli_table_cell(t, "never");
    }
    if (t) cli_table_print(&t);
    if (!n) printf("no layout has fewer bits than another: there is no cascade\n");
}

json_t *cost_break_even_json(const cost_estimate *c, const cost_cascade *list, int n)
{
    json_t *pairs = json_array(), *cascades = json_array();
    double whole = cost_at_widths(c, 8, 8);
    for (int i = 0; i < COST_WIDTHS * COST_WIDTHS; i++) {
        int w = cost_widths[i / COST_WIDTHS], a = cost_widths[i % COST_WIDTHS];
        double v = cost_at_widths(c, w, a);
        json_t *one = json_pack("{s:i, s:i}", "w", w, "a", a);
        json_object_set_new(one, "cycles", v < 0 ? json_null() : json_real(v));
        json_object_set_new(one, "cycles_over_8x8", v < 0 || whole <= 0 ? json_null() : json_real(v / whole));
        json_array_append_new(pairs, one);
    }
    for (int i = 0; i < n; i++)
        json_array_append_new(cascades, json_pack("{s:s, s:s, s:f, s:f, s:o}", "first", list[i].first, "second", list[i].second, "first_cycles", list[i].first_cycles, "second_cycles",
                                                  list[i].second_cycles, "pays_above_share", list[i].first_cycles < list[i].second_cycles ? json_real(list[i].first_cycles / list[i].second_cycles) : json_null()));
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "model", c->graph->path, "board", hw_board_name(c->board), "kernels", hw_board_kernels(c->board), "pairs", pairs, "cascades", cascades);
}
