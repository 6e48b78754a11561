/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/controller.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "2, 4 or 8": the widths a choice offers, for messages. */
static void list_bits(const controller_choice *ch, char *buf, size_t room)
{
    size_t at = 0;
    buf[0] = 0;
    for (int k = 0; k < ch->n_candidates && at + 16 < room; k++)
        at += (size_t)snprintf(buf + at, room - at, "%s%d", k ? ", " : "", ch->bits[k]);
}

static status find_bits(const controller_choice *ch, long bits, int *candidate, err *e)
{
    for (int k = 0; k < ch->n_candidates; k++) {
        if (ch->bits[k] == bits) {
            *candidate = k;
            return ST_OK;
        }
    }
    char offer[160];
    list_bits(ch, offer, sizeof offer);
    return err_set(e, ST_ARG, "--policy", "choice '%s' has no candidate of %ld bits; it offers %s", ch->name, bits, offer);
}

/* One decimal number at *s, then `end` or the end of the text; moves *s past it. */
static status number(const char **s, char end, long *out, const char *spec, err *e)
{
    char *stop;
    if (**s < '0' || **s > '9') return err_set(e, ST_ARG, "--policy", "'%s': expected a number at '%s'", spec, *s);
    *out = strtol(*s, &stop, 10);
    if (*stop && *stop != end) return err_set(e, ST_ARG, "--policy", "'%s': unexpected '%s'", spec, stop);
    *s = *stop ? stop + 1 : stop;
    return ST_OK;
}

static status parse_layers(controller *c, const char *spec, const char *s, const controller_choice *choices, int n, err *e)
{
    int i = 0;
    while (*s) {
        long bits = 0;
        TRY(number(&s, ',', &bits, spec, e));
        if (i < n) TRY(find_bits(&choices[i], bits, &c->candidate[i], e));
        i++;
    }
    if (i != n) return err_set(e, ST_ARG, "--policy", "'%s' gives %d widths, the model has %d choices", spec, i, n);
    return ST_OK;
}

status controller_parse(controller *c, const char *spec, const controller_choice *choices, int n, err *e)
{
    memset(c, 0, sizeof *c);
    c->n_choices = n;
    if (n > CONTROLLER_MAX_CHOICES) return err_set(e, ST_UNSUPPORTED, "", "%d choices; at most %d", n, CONTROLLER_MAX_CHOICES);
    if (strcmp(spec, "controller") == 0) {
        c->kind = CONTROLLER_LEARNED;
        for (int i = 0; i < n; i++) {
            if (!choices[i].learned)
                return err_set(e, ST_ARG, "--policy", "'controller': choice '%s' has no decision layer; use fixed: or layers:", choices[i].name);
        }
        return ST_OK;
    }
    const char *rest = strchr(spec, ':');
    size_t len = rest ? (size_t)(rest - spec) : 0;
    if (!rest || !rest[1])
        return err_set(e, ST_ARG, "--policy", "'%s' is not a policy; use fixed:BITS, layers:B1,B2,..., controller or random:SEED", spec);
    rest++;
    if (len == 5 && memcmp(spec, "fixed", 5) == 0) {
        long bits = 0;
        c->kind = CONTROLLER_FIXED;
        TRY(number(&rest, 0, &bits, spec, e));
        for (int i = 0; i < n; i++) TRY(find_bits(&choices[i], bits, &c->candidate[i], e));
        return ST_OK;
    }
    if (len == 6 && memcmp(spec, "layers", 6) == 0) {
        c->kind = CONTROLLER_LAYERS;
        return parse_layers(c, spec, rest, choices, n, e);
    }
    if (len == 6 && memcmp(spec, "random", 6) == 0) {
        long seed = 0;
        c->kind = CONTROLLER_RANDOM;
        TRY(number(&rest, 0, &seed, spec, e));
        c->seed = (uint64_t)seed;
        return ST_OK;
    }
    return err_set(e, ST_ARG, "--policy", "'%s' is not a policy; use fixed:BITS, layers:B1,B2,..., controller or random:SEED", spec);
}
