/* SPDX-License-Identifier: Apache-2.0
 * device/weights.h - from a stored weight to the number it means: unpack, narrow, look up. Any kernel may take a row through here; faster
 * ones do the same on many codes at once. */
#ifndef BITEMU_DEVICE_WEIGHTS_H
#define BITEMU_DEVICE_WEIGHTS_H

#include "device/device.h"

/* Lowest bit, counted from the row's first byte, of code i. */
static inline uint32_t dev_weight_bit(uint8_t container, uint8_t order, uint32_t i)
{
    uint32_t per_word = 32u / container, at = i % per_word;
    if (order == DEV_FLAT) return i * container;
    if (order == DEV_QUADS) return i / per_word * 32 + i % 4 * 8 + at / 4 * container;
    return i / per_word * 32 + (i % 4 == 1 ? 16u : i % 4 == 2 ? 8u : i % 4 * 8u) + at / 4 * container;
}

/* Are the bytes the numbers? */
static inline bool dev_weights_plain(const dev_weights *w)
{
    return w->container == 8 && !w->is_unsigned && !w->values && w->drop == 0 && w->order == DEV_FLAT;
}

/* The code as stored, number i of a row. */
static inline int16_t dev_weight_stored(const dev_weights *w, const DEV_FLASH uint8_t *row, uint32_t i)
{
    uint32_t bit = dev_weight_bit(w->container, w->order, i);
    uint8_t mask = (uint8_t)((1u << w->container) - 1u), raw = (uint8_t)(row[bit / 8] >> bit % 8 & mask);
    uint8_t sign = (uint8_t)(1u << (w->container - 1));
    return w->is_unsigned ? raw : (int16_t)((raw ^ sign) - sign);
}

/* The code of width w from the master (dev_nesting). */
static inline int16_t dev_weight_narrow(const dev_weights *w, int16_t master)
{
    uint8_t d = w->drop;
    if (w->nesting == DEV_AS_STORED || d == 0) return master;
    int16_t code = (int16_t)(master >> d);
    if (w->nesting == DEV_FLOOR) return code;
    int16_t half = (int16_t)(1 << (d - 1)), rest = (int16_t)(master - code * (1 << d)), top = (int16_t)((1 << (w->width - !w->is_unsigned)) - 1);
    if (rest > half || (rest == half && (w->nesting == DEV_HALF_UP || code & 1))) code++;
    return code < top ? code : top;
}

static inline int8_t dev_weight_value(const dev_weights *w, const DEV_FLASH uint8_t *row, uint32_t i)
{
    int16_t code = dev_weight_narrow(w, dev_weight_stored(w, row, i));
    return w->values ? w->values[code & ((1 << w->width) - 1)] : (int8_t)code;
}

#endif
