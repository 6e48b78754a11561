/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/power.c - operating points of a board: its supply and clock, and the power it draws there while it computes. */
#include <string.h>

#include "hwmodels/board.h"

const hw_unit hw_milliwatts[] = {{"mW", 1}, {"uW", 1e-3}, {NULL, 0}};
const hw_unit hw_hertz[] = {{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {NULL, 0}};

status hw_clock_load(const yaml_node *n, const yaml_node *sources, hw_figure *out, err *e)
{
    TRY(hw_yaml_figure(n, "clock", sources, hw_hertz, out, NULL, e));
    return out->value > 0 ? ST_OK : yaml_fail(n, e, ST_FORMAT, "clock must be greater than 0");
}

static status load_point(const yaml_node *n, const yaml_node *sources, arena *a, hw_board *b, err *e)
{
    const yaml_node *clock = yaml_get(n, "clock"), *idle = yaml_get(n, "idle_power"), *stacks = yaml_get(n, "stacks");
    if (clock) TRY(hw_clock_load(clock, sources, &b->clock_hz, e));
    if (idle) TRY(hw_yaml_figure(idle, "idle_power", sources, hw_milliwatts, &b->idle_power_mw, NULL, e));
    if (stacks) TRY(yaml_expect(stacks, YAML_MAP, "stacks", e));
    TRY(hw_yaml_figure(yaml_get(n, "active_power"), "active_power", sources, hw_milliwatts, &b->power_mw, NULL, e));
    for (int i = 0; stacks && i < stacks->n; i++) {
        hw_figure own = {0};
        TRY(hw_yaml_figure(&stacks->items[i], stacks->items[i].key, sources, hw_milliwatts, &own, NULL, e));
        if (strcmp(stacks->items[i].key, b->stack) == 0) b->power_mw = own;
    }
    return hw_yaml_name(yaml_get(n, "name"), "name", a, &b->point, e);
}

status hw_power_load(const yaml_node *root, const char *point, arena *a, hw_board *b, err *e)
{
    static const char *const keys[] = {"name", "clock", "active_power", "idle_power", "stacks", NULL}, *const required[] = {"name", "active_power", NULL};
    const yaml_node *points = yaml_get(root, "operating_points"), *found = NULL;
    char names[256] = "";
    if (!points) return point ? err_set(e, ST_ARG, "", "no operating point '%s'; this board states none", point) : ST_OK;
    TRY(yaml_expect(points, YAML_LIST, "operating_points", e));
    for (int i = 0; i < points->n; i++) {
        const yaml_node *n = &points->items[i];
        const char *name = NULL;
        TRY(yaml_expect(n, YAML_MAP, "operating point", e));
        TRY(yaml_check_keys(n, keys, required, e));
        TRY(hw_yaml_name(yaml_get(n, "name"), "name", a, &name, e));
        strncat(names, i ? ", " : "", sizeof names - strlen(names) - 1);
        strncat(names, name, sizeof names - strlen(names) - 1);
        if (!found && (!point || strcmp(point, name) == 0)) found = n;
    }
    if (b->power_mw.known && points->n) return yaml_fail(points, e, ST_FORMAT, "a board with operating points states the active_power of a stack there");
    if (!found) return points->n ? err_set(e, ST_ARG, "", "no operating point '%s'; this board has: %s", point, names) : yaml_fail(points, e, ST_FORMAT, "a list of operating points needs at least one");
    b->points = arena_strdup(a, names, strlen(names));
    return b->points ? load_point(found, yaml_get(root, "sources"), a, b, e) : err_set(e, ST_NOMEM, "", "out of memory");
}
