/* SPDX-License-Identifier: Apache-2.0
 * Recorded packed arrays: does the profile's packing of the logical codes give these bytes, and its inverse these codes? */
#include <stdio.h>
#include <string.h>

#include "emu/packing.h"
#include "sim/vectors_case.h"

/* "i4" -> 4; "a4w2o8" with letter 'w' -> 2. 8 if it does not say. */
static int width_of(const vec_case *c, emu_role role)
{
    const char *type = vec_text(c, role == EMU_WEIGHTS ? "w_type" : "in_type", NULL);
    if (type) return type[1] - '0';
    const char *at = c->file->bits ? strchr(c->file->bits, role == EMU_WEIGHTS ? 'w' : 'a') : NULL;
    return at && at[1] >= '1' && at[1] <= '8' ? at[1] - '0' : 8;
}

/* Rows of an operand in the sense of its order; the rest of its elements is their length. */
static size_t rows_of(const vec_array *a, quant_order order)
{
    if (order != QUANT_WORDS) return a->dims[0] > 0 ? (size_t)a->dims[0] : 1; /* filters, channel planes */
    size_t last = (size_t)a->dims[a->n_dims - 1];
    return last ? a->n / last : 1;
}

static size_t bytes_of(const vec_array *a) { return a->n * (a->type == NPY_I32 ? 4 : 1); }

status vec_packing(const vec_case *c, const emu_profile *p, bool *differ, char *text, size_t size)
{
    static const char *const roles[][2] = {{"weights", "weights_packed"}, {"input", "input_packed"}};
    for (int k = 0; p && k < 2; k++) {
        emu_role role = k ? EMU_ACTIVATIONS : EMU_WEIGHTS;
        vec_array a, packed;
        if (!vec_get(c, roles[k][0], &a) || !vec_get(c, roles[k][1], &packed) || !a.n) continue;
        bool dw = strcmp(c->file->op, "depthwise") == 0, binary = c->file->op[0] == 'b', sign = a.type == NPY_I8 || a.type == NPY_I16;
        if (k && vec_text(c, "in_type", NULL)) sign = vec_text(c, "in_type", "u8")[0] == 'i';
        quant_packing q = emu_packing(p, dw ? MODEL_DEPTHWISE_CONV_2D : MODEL_CONV_2D, role, width_of(c, role), width_of(c, EMU_ACTIVATIONS));
        size_t rows = rows_of(&a, q.order), length = a.n / rows, bytes = quant_packed_bytes(&q, rows, length);
        int32_t *codes = arena_alloc(c->mem, a.n, sizeof *codes), *back = arena_alloc(c->mem, a.n, sizeof *back);
        uint8_t *got = arena_alloc(c->mem, bytes + 1, 1);
        if (!codes || !back || !got) return err_set(c->e, ST_NOMEM, "", "no memory");
        for (size_t i = 0; i < a.n; i++) codes[i] = binary ? vec_value(&a, i) > 0 : (int32_t)vec_value(&a, i);
        quant_pack(&q, rows, length, codes, got);
        quant_unpack(&q, rows, length, sign && !binary, packed.data, back);
        size_t wrong = 0;
        while (bytes == bytes_of(&packed) && wrong < bytes && got[wrong] == ((const uint8_t *)packed.data)[wrong]) wrong++;
        *differ = wrong < bytes || bytes != bytes_of(&packed);
        if (*differ) {
            (void)snprintf(text, size, "%s: %zu bytes recorded, %zu packed; byte %zu is not equal", roles[k][1], bytes_of(&packed), bytes, wrong);
            return ST_OK;
        }
        if (memcmp(codes, back, a.n * sizeof *codes) != 0) {
            *differ = true;
            (void)snprintf(text, size, "%s: unpacked codes are not the recorded ones", roles[k][1]);
            return ST_OK;
        }
    }
    return ST_OK;
}
