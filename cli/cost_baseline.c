/* SPDX-License-Identifier: Apache-2.0
 * cli/cost_baseline.c - conditions on the figures of an estimate or of a comparison, for continuous integration. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cost_report.h"

typedef struct condition {
    const char *text;
    int length;
    char name[48];      /* figure, of the totals, or of every layer if by_layer */
    bool by_layer, relative;
    double limit;       /* percent if relative */
} condition;

static status parse(const char *text, size_t length, condition *c, err *e)
{
    char *end;
    const char *gt = memchr(text, '>', length);
    *c = (condition){.text = text, .length = (int)length, .by_layer = strncmp(text, "layers.", 7) == 0};
    const char *name = text + (c->by_layer ? 7 : 0);
    size_t n = gt && gt > name ? (size_t)(gt - name) : 0;
    if (!n || n >= sizeof c->name) return err_set(e, ST_ARG, "--fail-if", "'%.*s' is not like cycles>+3%%, layers.cycles>+5%% or sram_bytes>65536", (int)length, text);
    memcpy(c->name, name, n);
    c->relative = gt[1] == '+';
    c->limit = strtod(gt + 1 + c->relative, &end);
    if (end == gt + 1 + c->relative || (size_t)(end - text) + c->relative != length || (c->relative && *end != '%'))
        return err_set(e, ST_ARG, "--fail-if", "'%.*s': after > stands +PERCENT%% or a number", (int)length, text);
    return ST_OK;
}

/* of: "" for the totals, else which layer. */
static bool exceeds(const condition *c, FILE *said, const char *of, double is, double was)
{
    double most = c->relative ? was * (1 + c->limit / 100) : c->limit;
    if (is <= most * (1 + 1e-9)) return false; /* the file holds rounded decimals */
    if (c->relative) (void)fprintf(said, "bitemu: %s%s grew from %.0f to %.0f (%+.2f%%), more than %+g%%\n", of, c->name, was, is, 100 * (is / was - 1), c->limit);
    else (void)fprintf(said, "bitemu: %s%s is %.*f, more than %.*f\n", of, c->name, is < 1000 && is != floor(is) ? 2 : 0, is, c->limit != floor(c->limit) ? 2 : 0, c->limit);
    return true;
}

static status of_totals(const condition *c, const json_t *now, const json_t *before, FILE *said, bool *broken, err *e)
{
    const json_t *v = json_object_get(json_object_get(now, "totals"), c->name), *old = json_object_get(json_object_get(before, "totals"), c->name);
    if (!json_is_number(v)) return err_set(e, v ? ST_INCOMPLETE : ST_ARG, "--fail-if", "totals have no figure '%s'", c->name);
    if (c->relative && !json_is_number(old)) return err_set(e, ST_FORMAT, "--baseline", "it states no totals.%s", c->name);
    if (exceeds(c, said, "", json_number_value(v), json_number_value(old))) *broken = true;
    return ST_OK;
}

/* The layer of the earlier result at the same place. */
static const json_t *same_layer(const json_t *before, const json_t *layer)
{
    size_t i;
    json_t *old;
    json_array_foreach(json_object_get(before, "layers"), i, old) {
        if (json_equal(json_object_get(old, "index"), json_object_get(layer, "index")) && json_equal(json_object_get(old, "type"), json_object_get(layer, "type")) &&
            json_equal(json_object_get(old, "name"), json_object_get(layer, "name")))
            return old;
    }
    return NULL;
}

/* Layers without this figure on either side do not count, unless none has it. A relative limit is broken by a layer that has lost it, too. */
static status of_layers(const condition *c, const json_t *now, const json_t *before, FILE *said, bool *broken, err *e)
{
    size_t i;
    int seen = 0;
    json_t *layer;
    json_array_foreach(json_object_get(now, "layers"), i, layer) {
        char of[96];
        const json_t *v = json_object_get(layer, c->name), *old = json_object_get(same_layer(before, layer), c->name);
        (void)snprintf(of, sizeof of, "layer %lld %.60s: ", (long long)json_integer_value(json_object_get(layer, "index")), json_string_value(json_object_get(layer, "type")));
        if (c->relative && !json_is_number(v) && json_is_number(old)) {
            *broken = true;
            (void)fprintf(said, "bitemu: %s%s was %.0f and is not known now\n", of, c->name, json_number_value(old));
        }
        if (!json_is_number(v) || (c->relative && !json_is_number(old))) continue;
        seen++;
        if (exceeds(c, said, of, json_number_value(v), json_number_value(old))) *broken = true;
    }
    return seen ? ST_OK : err_set(e, ST_INCOMPLETE, "--fail-if", "no layer has a figure '%s'%s", c->name, c->relative ? " on both sides" : "");
}

static status one(const char *text, size_t length, const json_t *now, const json_t *before, FILE *said, bool *broken, err *e)
{
    condition c;
    TRY(parse(text, length, &c, e));
    if (c.relative && !before) return err_set(e, ST_ARG, "--fail-if", "'%.*s' needs --baseline", c.length, c.text);
    return c.by_layer ? of_layers(&c, now, before, said, broken, e) : of_totals(&c, now, before, said, broken, e);
}

status cost_fail_if(const char *conditions, const json_t *now, const json_t *before, FILE *said, bool *broken, err *e)
{
    *broken = false;
    for (const char *p = conditions; *p;) {
        size_t n = strcspn(p, ",");
        TRY(one(p, n, now, before, said, broken, e));
        p += n + (p[n] == ',');
    }
    return ST_OK;
}
