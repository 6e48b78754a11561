/* SPDX-License-Identifier: Apache-2.0
 * Recorded cases that are one primitive, not a network's operator; and the rules by which a recorded output is a library's defect. */
#include <math.h>
#include <string.h>

#include "hwmodels/scratch.h"
#include "quant/fixedpoint.h"
#include "quant/multiplier.h"
#include "quant/requant.h"
#include "sim/vectors_case.h"

static int64_t by_rule(const emu_profile *p, bool wide, bool predicated, int64_t acc, int32_t m, int s)
{
    if (wide) return emu_requant64(p->wide, acc, m, s);
    return emu_requant32(predicated ? EMU_MVE_REST : p->conv, (int32_t)acc, m, s);
}

static int64_t gemmlowp(const char *op, int32_t x)
{
    if (strcmp(op, "exp_on_negative_q5") == 0) return quant_exp_negative(x, 5);
    if (strcmp(op, "logistic_q4") == 0) return quant_logistic(x, 4);
    if (strcmp(op, "tanh_q4") == 0) return quant_tanh(x, 4);
    return quant_one_over_one_plus(x);
}

/* Saturating truncation of float(acc) * scale (VCVT). */
static int64_t truncated(int32_t acc, float scale)
{
    float v = (float)acc * scale;
    return v >= 2147483648.0f ? INT32_MAX : v > -2147483648.0f ? (int64_t)v : INT32_MIN;
}

static int64_t logistic_entry(float scale, int zero, int q)
{
    float y = roundf(256.0f * (1.0f / (1.0f + expf(-((float)(q - zero) * scale))))) - 128.0f;
    return y > 127.0f ? 127 : (int64_t)y;
}

/* LCE bitpack: bit = 1 where the code is below the zero point; 32 channels a word, first channel in bit 0. */
static void bitpack(const vec_case *c, const vec_array *x, int64_t *got)
{
    int rows = vec_int(c, "rows", 0), cols = vec_int(c, "cols", 0), words = (cols + 31) / 32, zero = vec_int(c, "zero_point", 0);
    for (int r = 0; r < rows; r++) {
        for (int w = 0; w < words; w++) {
            uint32_t word = 0;
            for (int i = 0; i < 32 && w * 32 + i < cols; i++) word |= (uint32_t)(vec_value(x, (size_t)(r * cols + w * 32 + i)) < zero) << i;
            got[r * words + w] = quant_wrap32(word);
        }
    }
}

/* Scratch sizes: 9 columns of convolution, 9 of depthwise; s8, s4, s16, each as the binary of the role was built, and by the DSP and
 * Helium queries. On Helium the DSP queries of convolutions and of s4 depthwise answer for Helium. Columns of the other kind of layer
 * and of fully connected layers mean nothing in a case and are left as recorded. */
static status scratch(const vec_case *c, const char *role, const vec_array *want, int64_t *got)
{
    enum { KINDS = 9 };
    hw_build built = strcmp(role, "m55") == 0 ? HW_BUILD_MVE : strcmp(role, "m4") == 0 ? HW_BUILD_DSP : HW_BUILD_C;
    bool conv = strcmp(vec_text(c, "kind", ""), "conv") == 0;
    if (want->n < 2 * KINDS) return err_set(c->e, ST_FORMAT, "", "%zu columns", want->n);
    hw_shape s = {.batch = vec_int(c, "batch", 1), .in_h = vec_int(c, "in_h", 1), .in_w = vec_int(c, "in_w", 1), .in_c = vec_int(c, "in_c", 1),
                  .k_h = vec_int(c, "k_h", 1), .k_w = vec_int(c, "k_w", 1), .out_w = vec_int(c, "out_w", 1), .out_c = vec_int(c, "out_c", 1),
                  .pad_top = vec_int(c, "pad_top", 0), .pad_left = vec_int(c, "pad_left", 0), .stride_w = vec_int(c, "stride_w", 1),
                  .dilation_h = vec_int(c, "dil_h", 1), .dilation_w = vec_int(c, "dil_w", 1), .multiplier = vec_int(c, "ch_mult", 1)};
    for (size_t i = 0; i < want->n; i++) got[i] = vec_value(want, i);
    for (int i = 0; i < KINDS; i++) {
        static const hw_operands types[] = {HW_S8, HW_S4, HW_S16};
        const hw_build builds[] = {built, HW_BUILD_DSP, HW_BUILD_MVE};
        hw_operands t = types[i / 3];
        hw_build b = built == HW_BUILD_MVE && (conv || t == HW_S4) ? HW_BUILD_MVE : builds[i % 3];
        got[conv ? i : KINDS + i] = conv ? hw_scratch_cmsis_conv(&s, t, b) : hw_scratch_cmsis_depthwise(&s, t, b);
    }
    return ST_OK;
}

status vec_primitive(const vec_case *c, const emu_profile *p, const char *role, int64_t **got, size_t *n)
{
    const char *op = c->file->op;
    vec_array want, a, m, s;
    if (!vec_get(c, role, &want)) return ST_UNSUPPORTED;
    bool requantize = strcmp(op, "requantize") == 0, parameters = strcmp(op, "quantize_multiplier") == 0, real = strcmp(op, "requantize_float") == 0;
    bool lowp = strcmp(c->file->library, "gemmlowp") == 0, lut = strcmp(op, "logistic_lut") == 0, pack = strcmp(op, "bitpack") == 0;
    bool sizes = strcmp(op, "buffer_sizes") == 0;
    if (!requantize && !parameters && !real && !lowp && !lut && !pack && !sizes) return ST_UNSUPPORTED;
    *n = want.n;
    *got = arena_alloc(c->mem, want.n, sizeof **got);
    if (!*got) return err_set(c->e, ST_NOMEM, "", "no memory");
    if (sizes) return scratch(c, role, &want, *got);
    const char *operand = requantize || real ? "acc" : parameters ? "scale" : "input";
    if (!lut && (!vec_get(c, operand, &a) || (!pack && a.n != want.n))) return err_set(c->e, ST_FORMAT, "", "array '%s' does not fit the output", operand);
    if (requantize && (!vec_get(c, "mult", &m) || !vec_get(c, "shift", &s) || m.n != want.n || s.n != want.n)) return err_set(c->e, ST_FORMAT, "", "mult or shift does not fit the output");
    if (real && (!vec_get(c, "scale", &m) || m.n != want.n)) return err_set(c->e, ST_FORMAT, "", "scale does not fit the output");
    if (pack) bitpack(c, &a, *got);
    for (size_t i = 0; !pack && i < want.n; i++) {
        int32_t mult = 0;
        int shift = 0;
        if (requantize) {
            (*got)[i] = by_rule(p, a.type == NPY_I64, strcmp(role, "output_predicated") == 0, vec_value(&a, i), (int32_t)vec_value(&m, i), (int)vec_value(&s, i));
        } else if (parameters) {
            quant_multiplier(((const double *)a.data)[i], &mult, &shift);
            if (p->conv == EMU_ONCE && shift > 30) {
                shift = 30;
                mult = INT32_MAX;
            }
            (*got)[i] = strcmp(role, "mult") == 0 ? mult : shift;
        } else if (real) {
            (*got)[i] = truncated((int32_t)vec_value(&a, i), ((const float *)m.data)[i]);
        } else {
            (*got)[i] = lut ? logistic_entry((float)vec_real(c, "input_scale", 1), vec_int(c, "input_zero_point", 0), (int8_t)i) : gemmlowp(op, (int32_t)vec_value(&a, i));
        }
    }
    return ST_OK;
}

/* PULP-NN mixed pointwise: the last left-over pixel ends after in_h in_w in_c bytes, however few the packed input has. */
static bool pulp_reads_beyond(const vec_case *c)
{
    vec_array x, packed;
    if (!vec_get(c, "input", &x) || !vec_get(c, "input_packed", &packed)) return false;
    return vec_int(c, "out_w", 0) % 2 && x.n > packed.n + 64;
}

/* A 64-bit accumulator is requantized by shifts up to 14; TFLite's kernels shift by a negative number beyond that, which C leaves undefined.
 * The scale is m 2^s with m in [1/2, 1), so s > 14 from 2^14 on. */
static bool shifts_beyond(const vec_case *c)
{
    vec_array s;
    double largest = vec_real(c, "weight_scale", 0);
    if (vec_get(c, "weight_scales", &s) && s.type == NPY_F32) {
        for (size_t i = 0; i < s.n; i++) largest = fmax(largest, (double)((const float *)s.data)[i]);
    }
    return vec_real(c, "input_scale", 0) * largest / vec_real(c, "output_scale", 1) >= 16384;
}

const char *vec_defect(const vec_case *c)
{
    bool conv = strcmp(c->file->op, "conv2d") == 0;
    if (conv && strcmp(c->file->library, "muriscvnn") == 0 && vec_int(c, "groups", 1) > 1) return "grouped convolution reads weights beyond their end";
    if (conv && strcmp(c->file->library, "espnn") == 0 && vec_int(c, "groups", 1) > 1) return "1x1 kernel ignores groups and reads weights beyond their end";
    if (strcmp(c->file->op, "pointwise") == 0 && strcmp(c->file->library, "pulpnn_mixed") == 0 && pulp_reads_beyond(c))
        return "left-over pixel of an odd width reads the packed input at unpacked offsets, past the 64 bytes that are known behind it";
    if (strcmp(c->file->library, "tflite_interp") == 0 && c->file->bits && strcmp(c->file->bits, "w8a16") == 0 && shifts_beyond(c))
        return "a scale of 2^14 and more: the library shifts by a negative number";
    return NULL;
}
