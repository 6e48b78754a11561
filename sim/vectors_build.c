/* SPDX-License-Identifier: Apache-2.0
 * A recorded case as a graph of one operator with stated integers (or, for whole-operator files, with scales). */
#include <stdio.h>
#include <string.h>

#include "sim/vectors_case.h"

static status nomem(const vec_case *c) { return err_set(c->e, ST_NOMEM, "", "no memory"); }
static status missing(const vec_case *c, const char *role) { return err_set(c->e, ST_FORMAT, "", "no array '%s'", role); }

static model_dtype dtype_of(npy_type t)
{
    switch (t) {
    case NPY_I8: return MODEL_I8;
    case NPY_U8: return MODEL_U8;
    case NPY_I16: return MODEL_I16;
    case NPY_I32: return MODEL_I32;
    case NPY_I64: return MODEL_I64;
    case NPY_F32: return MODEL_F32;
    case NPY_BOOL: case NPY_U16: case NPY_U32: case NPY_U64: case NPY_F64: break;
    }
    return MODEL_BOOL;
}

/* Adds a tensor; dims from a list. Returns its index. */
int vec_tensor(vec_graph *g, const char *name, model_dtype type, int n_dims, const int64_t *dims, const void *data)
{
    int i = g->sub.n_tensors++;
    model_tensor *t = &g->tensors[i];
    *t = (model_tensor){.name = name, .dtype = type, .n_dims = n_dims, .n_elems = 1, .data = data};
    t->bits = (int)model_dtype_bytes(type) * 8;
    for (int d = 0; d < n_dims; d++) {
        t->dims[d] = (int32_t)dims[d];
        t->n_elems *= (size_t)dims[d];
    }
    return i;
}

static status scaled(const vec_case *c, model_tensor *t, const float *scale, int n, int64_t zero, int axis)
{
    float *s = arena_alloc(c->mem, (size_t)n, sizeof *s);
    int64_t *z = arena_alloc(c->mem, (size_t)n, sizeof *z);
    if (!s || !z) return nomem(c);
    for (int i = 0; i < n; i++) {
        s[i] = scale[i];
        z[i] = zero;
    }
    t->n_scales = n;
    t->axis = axis;
    t->scale = s;
    t->zero_point = z;
    return ST_OK;
}

/* Per-tensor scale and zero point from parameters named prefix_scale, prefix_zero_point. */
static status from_keys(const vec_case *c, model_tensor *t, const char *prefix)
{
    char key[64];
    (void)snprintf(key, sizeof key, "%s_scale", prefix);
    float s = (float)vec_real(c, key, vec_real(c, "scale", 1));
    (void)snprintf(key, sizeof key, "%s_zero_point", prefix);
    return scaled(c, t, &s, 1, vec_int(c, key, vec_int(c, "zero_point", 0)), 0);
}

int32_t *vec_ints(const vec_case *c, int n, int32_t v)
{
    int32_t *p = arena_alloc(c->mem, (size_t)n, sizeof *p);
    for (int i = 0; p && i < n; i++) p[i] = v;
    return p;
}

/* Role as int32 [n]; a shorter role of one element is repeated. NULL if absent or out of memory. */
static int32_t *ints_of(const vec_case *c, const char *role, int n)
{
    vec_array a;
    if (!vec_get(c, role, &a) || !a.n) return NULL;
    int32_t *p = arena_alloc(c->mem, (size_t)n, sizeof *p);
    for (int i = 0; p && i < n; i++) p[i] = (int32_t)vec_value(&a, a.n == 1 ? 0 : (size_t)i < a.n ? (size_t)i : a.n - 1);
    return p;
}

static int8_t *shifts_of(const vec_case *c, const int32_t *v, int n, int sign)
{
    int8_t *p = v ? arena_alloc(c->mem, (size_t)n, sizeof *p) : NULL;
    for (int i = 0; p && i < n; i++) p[i] = (int8_t)(sign * v[i] < -128 ? -128 : sign * v[i] > 127 ? 127 : sign * v[i]);
    return p;
}

static model_activation activation(const vec_case *c)
{
    const char *a = vec_text(c, "activation", "NONE");
    return strcmp(a, "RELU") == 0 ? MODEL_RELU : strcmp(a, "RELU6") == 0 ? MODEL_RELU6 : strcmp(a, "RELU_N1_TO_1") == 0 ? MODEL_RELU_N1_TO_1 : MODEL_NONE;
}

void vec_finish(vec_graph *g, model_opcode code, int n_inputs, int out)
{
    g->op.code = code;
    g->op.name = g->op.type = model_opcode_name(code);
    g->op.choice = -1;
    g->op.n_inputs = n_inputs;
    g->op.inputs = g->inputs;
    g->op.n_outputs = 1;
    g->op.outputs = g->outputs;
    g->outputs[0] = out;
    g->sub.name = "main";
    g->sub.tensors = g->tensors;
    g->sub.n_ops = 1;
    g->sub.ops = &g->op;
    g->sub.n_inputs = g->n_feeds;
    g->sub.inputs = g->fed;
    g->sub.n_outputs = 1;
    g->sub.outputs = g->outputs;
    g->graph = (model_graph){.path = "vector", .format = "vector", .n_subgraphs = 1, .subgraphs = &g->sub};
}

void vec_feed(vec_graph *g, int t, const void *data)
{
    g->fed[g->n_feeds] = t;
    g->feeds[g->n_feeds++] = (vec_input){t, data};
}

/* Clamp and zero points of one output. */
static status stated(const vec_case *c, vec_graph *g)
{
    model_integer *t = &g->integer;
    t->n_entries = 1;
    if (!t->n_channels) t->n_channels = 1;
    g->op.integer = t;
    if (!t->in_zero) t->in_zero = vec_ints(c, 1, -vec_int(c, "input_offset", vec_int(c, "input1_offset", -vec_int(c, "z_in", vec_int(c, "input_zero_point", 0)))));
    if (!t->out_zero) t->out_zero = vec_ints(c, 1, vec_int(c, "output_offset", vec_int(c, "z_out", vec_int(c, "output_zero_point", 0))));
    if (!t->out_min && json_object_get(c->json, "act_min")) {
        t->out_min = vec_ints(c, 1, vec_int(c, "act_min", 0));
        t->out_max = vec_ints(c, 1, vec_int(c, "act_max", 0));
        if (!t->out_min || !t->out_max) return nomem(c);
    }
    return t->in_zero && t->out_zero ? ST_OK : nomem(c);
}

/* [n][h][w] codes to [h][w][n] (PULP-NN, TinyEngine) as the element type says. */
static const void *channels_last(const vec_case *c, const vec_array *a, model_dtype type, int64_t n, int64_t inner)
{
    int8_t *p = arena_alloc(c->mem, a->n, 1);
    (void)type;
    for (int64_t k = 0; p && k < n; k++) {
        for (int64_t i = 0; i < inner; i++) p[i * n + k] = (int8_t)vec_value(a, (size_t)(k * inner + i));
    }
    return p;
}

static const void *narrow(const vec_case *c, const vec_array *a)
{
    int8_t *p = arena_alloc(c->mem, a->n, 1);
    for (size_t i = 0; p && i < a->n; i++) p[i] = (int8_t)vec_value(a, i);
    return p;
}

/* "u4" -> type and width. */
static model_dtype operand(const char *text, int *bits)
{
    *bits = text[1] ? text[1] - '0' : 8;
    return text[0] == 'u' ? MODEL_U8 : text[0] == 'i' && text[1] == '3' ? MODEL_I32 : MODEL_I8;
}

/* Widths of the operands as they are named; the memory around the input of a pointwise case as the recordings' program laid it out:
 * input, weights, kappa, lambda, each at a multiple of 32 bytes and followed by 64 bytes of 0 (README of the vectors). */
static status pulp_memory(const vec_case *c, vec_graph *g, int x, int w, int y)
{
    static const char *const roles[] = {"input_packed", "weights_packed", "kappa", "lambda_"};
    enum { BEHIND = 64, ALIGN = 32 };
    size_t total = 0;
    vec_array a;
    (void)operand(vec_text(c, "in_type", "u8"), &g->tensors[x].bits);
    (void)operand(vec_text(c, "w_type", "i8"), &g->tensors[w].bits);
    (void)operand(vec_text(c, "out_type", "u8"), &g->tensors[y].bits);
    if (strcmp(c->file->op, "pointwise") != 0 || strcmp(c->file->library, "pulpnn_mixed") != 0 || !vec_get(c, roles[0], &a)) return ST_OK;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) total += vec_get(c, roles[i], &a) ? a.n * 4 + BEHIND + ALIGN : 0;
    uint8_t *memory = arena_alloc(c->mem, total, 1), *to = memory;
    if (!memory) return nomem(c);
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (!vec_get(c, roles[i], &a)) continue;
        size_t bytes = a.n * (a.type == NPY_I32 ? 4 : 1);
        memcpy(to, a.data, bytes);
        to += (bytes + BEHIND + ALIGN - 1) / ALIGN * ALIGN;
    }
    g->op.packed_input = memory;
    g->op.packed_bytes = (size_t)(to - memory);
    return ST_OK;
}

static bool is_pulp(const vec_case *c) { return strncmp(c->file->library, "pulpnn", 6) == 0; }

static status bias_of(const vec_case *c, vec_graph *g, int out_c)
{
    vec_array b;
    if (vec_get(c, "bias32", &b) || (vec_get(c, "bias", &b) && b.type != NPY_I64)) {
        g->integer.bias = ints_of(c, vec_get(c, "bias32", &b) ? "bias32" : "bias", out_c);
        return g->integer.bias || !b.n ? ST_OK : nomem(c);
    }
    if (vec_get(c, "bias", &b)) g->integer.bias64 = b.data;
    else if (vec_int(c, "bias_bits", 0) == 32 && !(g->integer.bias = vec_ints(c, out_c, 0))) return nomem(c); /* none, but of this kernel */
    return ST_OK;
}

/* Requantization of MAC layers by the roles that a library records. */
static status requant(const vec_case *c, vec_graph *g, int out_c)
{
    model_integer *t = &g->integer;
    vec_array a;
    t->n_channels = out_c;
    TRY(bias_of(c, g, out_c));
    if (vec_get(c, "scales", &a)) {
        t->scale = a.data;
    } else if (vec_get(c, "m_zero", &a)) { /* CMix-NN */
        t->multiplier = ints_of(c, "m_zero", out_c);
        t->shift = shifts_of(c, ints_of(c, "n_zero", out_c), out_c, 1);
    } else if (is_pulp(c)) {
        const char *kind = vec_text(c, "requant", "none");
        int out_bits;
        model_dtype type = operand(vec_text(c, "out_type", "u8"), &out_bits);
        if (type == MODEL_I32) return ST_OK;
        bool bn = strcmp(kind, "bn_relu") == 0;
        t->multiplier = bn ? ints_of(c, "kappa", out_c) : strcmp(kind, "relu_mult") == 0 ? vec_ints(c, out_c, (int16_t)vec_int(c, "out_mult", 1)) : NULL;
        t->shift = shifts_of(c, vec_ints(c, out_c, vec_int(c, "out_shift", 0)), out_c, -1);
        if (bn && vec_get(c, "lambda_", &a)) {
            int64_t *add = arena_alloc(c->mem, (size_t)out_c, sizeof *add);
            for (int i = 0; add && i < out_c; i++) add[i] = vec_value(&a, (size_t)i);
            t->addend = add;
        }
        int32_t high = type == MODEL_U8 ? (1 << out_bits) - 1 : (1 << (out_bits - 1)) - 1;
        t->out_min = vec_ints(c, 1, type == MODEL_U8 ? 0 : -high - 1);
        t->out_max = vec_ints(c, 1, high);
    } else {
        if (!vec_get(c, "mult", &a)) return missing(c, "mult");
        t->multiplier = ints_of(c, "mult", out_c);
        t->shift = shifts_of(c, ints_of(c, "shift", out_c), out_c, 1);
    }
    if (!t->scale && ((!t->multiplier && !is_pulp(c)) || !t->shift)) return nomem(c);
    return ST_OK;
}

/* Scales of a whole operator: input_scale ..., weight_scale or the role weight_scales. */
static status scales(const vec_case *c, vec_graph *g, int x, int w, int y, int axis)
{
    vec_array s;
    float one = (float)vec_real(c, "weight_scale", 1);
    TRY(from_keys(c, &g->tensors[x], "input"));
    TRY(from_keys(c, &g->tensors[y], "output"));
    g->op.attrs.activation = activation(c);
    if (vec_get(c, "weight_scales", &s)) return scaled(c, &g->tensors[w], s.data, (int)s.n, 0, axis);
    return scaled(c, &g->tensors[w], &one, 1, 0, 0);
}

/* TinyEngine's depthwise has the input's zero point folded into the bias: bias - zero sum(w). */
static status unfold_bias(const vec_case *c, vec_graph *g, const vec_array *w, int out_c)
{
    int32_t *b = vec_ints(c, out_c, 0);
    if (!b || !g->integer.bias) return nomem(c);
    for (int i = 0; i < out_c; i++) {
        int64_t sum = 0;
        for (size_t t = 0; t < w->n / (size_t)out_c; t++) sum += vec_value(w, t * (size_t)out_c + (size_t)i);
        b[i] = (int32_t)(uint32_t)((int64_t)g->integer.bias[i] - vec_int(c, "input_offset", 0) * sum);
    }
    g->integer.bias = b;
    return ST_OK;
}

static status mac(const vec_case *c, const emu_profile *p, vec_graph *g, model_opcode code)
{
    vec_array x, w, y, b;
    bool whole = strcmp(c->file->library, "tflite_interp") == 0, dw = code == MODEL_DEPTHWISE_CONV_2D, fc = code == MODEL_FULLY_CONNECTED;
    (void)p;
    if (!vec_get(c, "input", &x)) return missing(c, "input");
    if (!vec_get(c, "weights", &w)) return missing(c, "weights");
    if (!vec_get(c, whole ? "output_tflm" : "output", &y) && !vec_get(c, "output_litert_ref", &y)) return missing(c, "output");
    model_dtype xt = dtype_of(x.type), yt = dtype_of(y.type), wt = w.type == NPY_U8 ? MODEL_U8 : MODEL_I8;
    const void *xd = x.data, *wd = w.data;
    int bits;
    if (is_pulp(c)) {
        xt = operand(vec_text(c, "in_type", "u8"), &bits);
        yt = operand(vec_text(c, "out_type", "u8"), &bits);
        xd = dw ? channels_last(c, &x, xt, x.dims[0], x.dims[1] * x.dims[2]) : narrow(c, &x);
        if (!xd) return nomem(c);
        if (dw) x = (vec_array){x.type, 3, {x.dims[1], x.dims[2], x.dims[0]}, x.n, xd};
    }
    bool planes = dw && w.n_dims == 3 && (is_pulp(c) || strcmp(c->file->library, "tinyengine") == 0);
    if (planes) {
        wd = channels_last(c, &w, wt, w.dims[0], w.dims[1] * w.dims[2]);
        if (!wd) return nomem(c);
        w = (vec_array){w.type, 3, {w.dims[1], w.dims[2], w.dims[0]}, w.n, wd};
    }
    int64_t xdims[4] = {1, x.dims[0], x.dims[1], x.dims[2]}, wdims[4] = {1, w.dims[0], w.dims[1], w.dims[2]}, ydims[4] = {1, y.dims[0], y.dims[1], y.dims[2]};
    if (x.n_dims == 4) memcpy(xdims, x.dims, sizeof xdims);
    if (w.n_dims == 4) memcpy(wdims, w.dims, sizeof wdims);
    if (y.n_dims == 4) memcpy(ydims, y.dims, sizeof ydims);
    int64_t flat[2] = {w.dims[1] ? (int64_t)x.n / w.dims[1] : 0, w.dims[1]}, yflat[2] = {flat[0], w.dims[0]};
    int xi = fc ? vec_tensor(g, "input", xt, 2, flat, NULL) : vec_tensor(g, "input", xt, 4, xdims, NULL);
    int wi = fc ? vec_tensor(g, "weights", wt, 2, w.dims, wd) : vec_tensor(g, "weights", wt, 4, wdims, wd);
    int yi = fc ? vec_tensor(g, "output", yt, 2, yflat, NULL) : vec_tensor(g, "output", yt, 4, ydims, NULL);
    const char *width = c->file->bits ? strchr(c->file->bits, 'w') : NULL;
    if (width && width[1] >= '1' && width[1] <= '8') g->tensors[wi].bits = width[1] - '0';
    int out_c = (int)(fc ? w.dims[0] : dw ? wdims[3] : wdims[0]);
    if (fc ? y.n != (size_t)(yflat[0] * yflat[1]) : ydims[3] != out_c) return err_set(c->e, ST_FORMAT, "", "the output's shape does not fit the weights");
    g->inputs[0] = xi;
    g->inputs[1] = wi;
    vec_feed(g, xi, xd);
    g->op.attrs = (model_attrs){.padding = MODEL_EXPLICIT, .pad_top = vec_int(c, "pad_top", vec_int(c, "pad", 0)), .pad_left = vec_int(c, "pad_left", vec_int(c, "pad", 0)),
                                .stride_h = vec_int(c, "stride_h", vec_int(c, "stride", 1)), .stride_w = vec_int(c, "stride_w", vec_int(c, "stride", 1)),
                                .pad_right = vec_int(c, "pad_right", 0), .dilation_h = vec_int(c, "dil_h", 1), .dilation_w = vec_int(c, "dil_w", 1)};
    vec_finish(g, code, 2, yi);
    if (is_pulp(c)) TRY(pulp_memory(c, g, xi, wi, yi));
    if (whole) {
        if (!vec_get(c, "bias32", &b) && !vec_get(c, "bias", &b)) return scales(c, g, xi, wi, yi, dw ? 3 : 0);
        int64_t n = (int64_t)b.n;
        g->inputs[2] = vec_tensor(g, "bias", dtype_of(b.type), 1, &n, b.data);
        g->op.n_inputs = 3;
        return scales(c, g, xi, wi, yi, dw ? 3 : 0);
    }
    if (fc && vec_int(c, "filter_offset", 0)) TRY(scaled(c, &g->tensors[wi], (const float[]){1}, 1, -vec_int(c, "filter_offset", 0), 0));
    if (vec_get(c, "z_wt", &b)) { /* CMix-NN: one a channel, or one for all */
        float *ones = arena_alloc(c->mem, (size_t)out_c, sizeof *ones);
        if (!ones) return nomem(c);
        TRY(scaled(c, &g->tensors[wi], ones, out_c, 0, 0));
        int64_t *z = arena_alloc(c->mem, (size_t)out_c, sizeof *z);
        for (int i = 0; z && i < out_c; i++) z[i] = vec_value(&b, b.n == 1 ? 0 : (size_t)i);
        if (!z) return nomem(c);
        g->tensors[wi].zero_point = z;
    }
    TRY(requant(c, g, out_c));
    if (strcmp(c->file->library, "cmixnn") == 0) {
        const char *o = strstr(c->file->path, "o2.") ? "u2" : strstr(c->file->path, "o4.") ? "u4" : "u8";
        (void)operand(o, &bits);
        g->integer.out_min = vec_ints(c, 1, 0);
        g->integer.out_max = vec_ints(c, 1, (1 << bits) - 1);
        g->out_bits = bits;
    }
    if (planes && !is_pulp(c)) TRY(unfold_bias(c, g, &w, out_c));
    return stated(c, g);
}

static status conv(const vec_case *c, const emu_profile *p, vec_graph *g) { return mac(c, p, g, MODEL_CONV_2D); }
static status depthwise(const vec_case *c, const emu_profile *p, vec_graph *g) { return mac(c, p, g, MODEL_DEPTHWISE_CONV_2D); }
static status dense(const vec_case *c, const emu_profile *p, vec_graph *g) { return mac(c, p, g, MODEL_FULLY_CONNECTED); }

/* Operators of one input: x and y as tensors of the recorded types. */
static status unary(const vec_case *c, vec_graph *g, bool image)
{
    vec_array x, y;
    bool whole = strcmp(c->file->library, "tflite_interp") == 0;
    if (!vec_get(c, "input", &x)) return missing(c, "input");
    if (!vec_get(c, whole ? "output_tflm" : "output", &y) && !vec_get(c, "output_litert_ref", &y)) return missing(c, "output");
    int64_t xd[4] = {1, x.dims[0], x.dims[1], x.dims[2]}, yd[4] = {1, y.dims[0], y.dims[1], y.dims[2]};
    bool add = image && x.n_dims == 3;
    g->inputs[0] = vec_tensor(g, "input", dtype_of(x.type), add ? 4 : x.n_dims, add ? xd : x.dims, NULL);
    int out = vec_tensor(g, "output", dtype_of(y.type), add && y.n_dims == 3 ? 4 : y.n_dims, add && y.n_dims == 3 ? yd : y.dims, NULL);
    vec_feed(g, g->inputs[0], x.data);
    vec_finish(g, MODEL_SOFTMAX, 1, out);
    if (!whole) return ST_OK;
    TRY(from_keys(c, &g->tensors[0], "input"));
    return from_keys(c, &g->tensors[1], "output");
}

static status pool(const vec_case *c, vec_graph *g, model_opcode code)
{
    TRY(unary(c, g, true));
    bool whole = strcmp(c->file->library, "tflite_interp") == 0;
    const char *padding = vec_text(c, "padding", "VALID");
    vec_finish(g, code, 1, g->outputs[0]);
    int k_h = vec_int(c, "k_h", 1), k_w = vec_int(c, "k_w", 1), stride = vec_int(c, "stride", 0);
    bool same_as_window = strcmp(c->file->library, "tinyengine") == 0;
    g->op.attrs = (model_attrs){.padding = whole ? (strcmp(padding, "SAME") == 0 ? MODEL_SAME : MODEL_VALID) : MODEL_EXPLICIT,
                                .pad_top = vec_int(c, "pad_top", 0), .pad_left = vec_int(c, "pad_left", 0),
                                .stride_h = same_as_window ? k_h : vec_int(c, "stride_h", stride), .stride_w = same_as_window ? k_w : vec_int(c, "stride_w", stride),
                                .filter_h = k_h, .filter_w = k_w, .activation = activation(c)};
    return whole ? ST_OK : stated(c, g);
}

static status average(const vec_case *c, const emu_profile *p, vec_graph *g) { (void)p; return pool(c, g, MODEL_AVERAGE_POOL_2D); }
static status largest(const vec_case *c, const emu_profile *p, vec_graph *g) { (void)p; return pool(c, g, MODEL_MAX_POOL_2D); }

static status binary(const vec_case *c, vec_graph *g, model_opcode code)
{
    vec_array a, b, y;
    bool whole = strcmp(c->file->library, "tflite_interp") == 0;
    if (!vec_get(c, "input", &a) || !vec_get(c, "input2", &b)) return missing(c, "input2");
    if (!vec_get(c, whole ? "output_tflm" : "output", &y) && !vec_get(c, "output_litert_ref", &y)) return missing(c, "output");
    g->inputs[0] = vec_tensor(g, "input", dtype_of(a.type), a.n_dims, a.dims, NULL);
    g->inputs[1] = vec_tensor(g, "input2", dtype_of(b.type), b.n_dims, b.dims, NULL);
    int out = vec_tensor(g, "output", dtype_of(y.type), y.n_dims, y.dims, NULL);
    vec_feed(g, 0, a.data);
    vec_feed(g, 1, b.data);
    vec_finish(g, code, 2, out);
    g->op.attrs.activation = activation(c);
    if (whole || json_object_get(c->json, "input1_scale")) {
        TRY(from_keys(c, &g->tensors[0], "input1"));
        TRY(from_keys(c, &g->tensors[1], "input2"));
        TRY(from_keys(c, &g->tensors[2], "output"));
        if (whole) return ST_OK;
        const char *const keys[] = {"input1_zero", "input2_zero", "output_zero"};
        for (int i = 0; i < 3; i++) TRY(scaled(c, &g->tensors[i], g->tensors[i].scale, 1, vec_int(c, keys[i], 0), 0));
        return ST_OK;
    }
    const char *const m[] = {"input1_mult", "input2_mult", "output_mult"}, *const s[] = {"input1_shift", "input2_shift", "output_shift"};
    bool add = code == MODEL_ADD;
    g->integer.n_channels = add ? 3 : 1;
    int32_t *mult = vec_ints(c, 3, 0), *shift = vec_ints(c, 3, 0);
    if (!mult || !shift) return nomem(c);
    for (int i = add ? 0 : 2; i < 3; i++) {
        mult[add ? i : 0] = vec_int(c, m[i], 0);
        shift[add ? i : 0] = vec_int(c, s[i], 0);
    }
    g->integer.multiplier = mult;
    g->integer.shift = shifts_of(c, shift, 3, 1);
    g->integer.left_shift = vec_int(c, "left_shift", 0);
    g->integer.in_zero2 = vec_ints(c, 1, -vec_int(c, "input2_offset", 0));
    return g->integer.shift && g->integer.in_zero2 ? stated(c, g) : nomem(c);
}

static status add(const vec_case *c, const emu_profile *p, vec_graph *g) { (void)p; return binary(c, g, MODEL_ADD); }
static status mul(const vec_case *c, const emu_profile *p, vec_graph *g) { (void)p; return binary(c, g, MODEL_MUL); }

/* One multiplier and shift as parameters. */
static status one_multiplier(const vec_case *c, vec_graph *g, int mult, int shift)
{
    g->integer.multiplier = vec_ints(c, 1, mult);
    g->integer.shift = shifts_of(c, vec_ints(c, 1, shift), 1, 1);
    return g->integer.multiplier && g->integer.shift ? stated(c, g) : nomem(c);
}

static status softmax(const vec_case *c, const emu_profile *p, vec_graph *g)
{
    (void)p;
    TRY(unary(c, g, false));
    g->op.attrs.beta = 1;
    if (strcmp(c->file->library, "tflite_interp") != 0) return one_multiplier(c, g, vec_int(c, "mult", 0), vec_int(c, "shift", 0));
    float s = g->tensors[1].dtype == MODEL_I16 ? 1.0f / 32768 : 1.0f / 256;
    return scaled(c, &g->tensors[1], &s, 1, g->tensors[1].dtype == MODEL_I8 ? -128 : 0, 0);
}

static status curve(const vec_case *c, const emu_profile *p, vec_graph *g)
{
    bool tanh = strcmp(vec_text(c, "func", c->file->op), "tanh") == 0;
    (void)p;
    TRY(unary(c, g, false));
    vec_finish(g, tanh ? MODEL_TANH_OP : MODEL_LOGISTIC, 1, g->outputs[0]);
    if (strcmp(c->file->library, "tflite_interp") == 0) {
        bool wide = g->tensors[1].dtype == MODEL_I16;
        float s = wide ? 1.0f / 32768 : tanh ? 1.0f / 128 : 1.0f / 256;
        return scaled(c, &g->tensors[1], &s, 1, wide || tanh ? 0 : -128, 0);
    }
    bool wide = g->tensors[0].dtype == MODEL_I16;
    return one_multiplier(c, g, vec_int(c, wide ? "input_mult" : "mult", 0), wide ? -vec_int(c, "input_rshift", 0) : vec_int(c, "shift", 0));
}

static status hard_swish(const vec_case *c, const emu_profile *p, vec_graph *g)
{
    (void)p;
    TRY(unary(c, g, false));
    vec_finish(g, MODEL_HARD_SWISH, 1, g->outputs[0]);
    int32_t *m = vec_ints(c, 2, vec_int(c, "output_mult_fxp", 0)), *s = vec_ints(c, 2, vec_int(c, "output_mult_exp", 0));
    if (!m || !s) return nomem(c);
    m[1] = vec_int(c, "reluish_mult_fxp", 0);
    s[1] = vec_int(c, "reluish_mult_exp", 0);
    g->integer.n_channels = 2;
    g->integer.multiplier = m;
    g->integer.shift = shifts_of(c, s, 2, 1);
    return g->integer.shift ? stated(c, g) : nomem(c);
}

static const int32_t height_width[2] = {1, 2};

static status mean(const vec_case *c, const emu_profile *p, vec_graph *g)
{
    const int64_t two = 2;
    (void)p;
    TRY(unary(c, g, true));
    g->op.attrs.keep_dims = 1; /* recorded as [batch, 1, 1, channels] */
    vec_finish(g, MODEL_MEAN, 2, g->outputs[0]);
    g->inputs[1] = vec_tensor(g, "axes", MODEL_I32, 1, &two, height_width);
    if (strcmp(c->file->library, "tflite_interp") == 0) return ST_OK;
    TRY(one_multiplier(c, g, vec_int(c, "mult", 0), vec_int(c, "shift", 0)));
    return ST_OK;
}

static const struct { const char *op; status (*build)(const vec_case *, const emu_profile *, vec_graph *); } builders[] = {
    {"conv2d", conv}, {"conv2d_fpreq", conv}, {"pointwise", conv}, {"depthwise", depthwise}, {"depthwise_fpreq", depthwise},
    {"fully_connected", dense}, {"fully_connected_perch", dense}, {"fully_connected_out32", dense},
    {"avg_pool", average}, {"max_pool", largest}, {"add", add}, {"add_fpreq", add}, {"mul", mul}, {"softmax", softmax},
    {"sigmoid_tanh", curve}, {"logistic", curve}, {"tanh", curve}, {"hard_swish", hard_swish}, {"mean_hw", mean}, {"mean", mean},
    {"bconv2d", vec_binary_conv}, {"bmaxpool", vec_binary_pool},
};

status vec_build(const vec_case *c, const emu_profile *p, vec_graph *g)
{
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        if (strcmp(builders[i].op, c->file->op) == 0) return builders[i].build(c, p, g);
    }
    return err_set(c->e, ST_UNSUPPORTED, "", "no operator '%s'", c->file->op);
}
