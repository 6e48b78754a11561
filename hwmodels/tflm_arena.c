/* SPDX-License-Identifier: Apache-2.0 */
#include "hwmodels/tflm_arena.h"

#include <stddef.h>

typedef struct op_bytes {
    model_opcode code;
    int parsed;        /* parameters, 4-byte fields only */
    int data, pointers;/* prepared data with pointers of 8 bytes, and how many of these it holds */
} op_bytes;

static const op_bytes table[] = {
    {MODEL_CONV_2D, 28, 80, 2},       {MODEL_DEPTHWISE_CONV_2D, 28, 80, 2}, {MODEL_FULLY_CONNECTED, 32, 72, 2}, {MODEL_TRANSPOSE_CONV, 28, 96, 2},
    {MODEL_AVERAGE_POOL_2D, 40, 32, 0}, {MODEL_MAX_POOL_2D, 40, 32, 0},     {MODEL_SOFTMAX, 4, 80, 2},          {MODEL_ADD, 8, 60, 0},
    {MODEL_MUL, 8, 36, 0},            {MODEL_RESHAPE, 36, 0, 0},            {MODEL_QUANTIZE, 0, 32, 0},         {MODEL_DEQUANTIZE, 0, 32, 0},
    {MODEL_MEAN, 28, 44, 0},          {MODEL_PAD, 0, 56, 0},                {MODEL_CONCATENATION, 8, 80, 0},    {MODEL_LOGISTIC, 0, 16, 0},
    {MODEL_STRIDED_SLICE, 24, 84, 0}, {MODEL_SVDF, 12, 36, 0},              {MODEL_PACK, 8, 0, 0},              {MODEL_TRANSPOSE, 0, 0, 0},
    {MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM, 24, 688, 0}, {MODEL_SHAPE, 4, 0, 0}, {MODEL_ARG_MAX, 4, 0, 0},
};
enum { BASE_8 = 488, BASE_4 = 240, EVAL_8 = 24, EVAL_4 = 12, NODE_8 = 64, NODE_4 = 32, TENSOR_8 = 64, TENSOR_4 = 32, SCALE_8 = 32, SCALE_4 = 20,
       CMSIS_NN_CONV = 124, CHANNEL = 8, ALIGNED = 16 };

static const op_bytes *find(model_opcode code)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code) return &table[i];
    return NULL;
}

static int64_t aligned(int64_t bytes) { return (bytes + ALIGNED - 1) / ALIGNED * ALIGNED; }

static int64_t channels(const model_subgraph *s, const model_op *op)
{
    if (op->code != MODEL_CONV_2D && op->code != MODEL_DEPTHWISE_CONV_2D && op->code != MODEL_TRANSPOSE_CONV) return 0;
    const model_tensor *y = &s->tensors[op->outputs[0]];
    return y->n_dims ? y->dims[y->n_dims - 1] : 0;
}

static int64_t ends(const model_subgraph *s, const int *list, int n, bool wide)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++) sum += (wide ? TENSOR_8 : TENSOR_4) + (s->tensors[list[i]].n_scales ? (wide ? SCALE_8 : SCALE_4) : 0);
    return sum;
}

int64_t hw_tflm_tail(const model_graph *g, int pointer_bytes, hw_tflm_kernels kernels)
{
    bool wide = pointer_bytes == 8;
    int64_t sum = (wide ? BASE_8 : BASE_4) + 2 * aligned(pointer_bytes);
    for (int k = 0; k < g->n_subgraphs; k++) {
        const model_subgraph *s = &g->subgraphs[k];
        sum += (int64_t)s->n_tensors * (wide ? EVAL_8 : EVAL_4) + (int64_t)s->n_ops * (wide ? NODE_8 : NODE_4);
        for (int i = 0; i < s->n_ops; i++) {
            const op_bytes *b = find(s->ops[i].code);
            int64_t c = channels(s, &s->ops[i]);
            if (!b) return -1;
            bool cmsis = kernels == HW_TFLM_CMSIS_NN && c > 0 && s->ops[i].code != MODEL_TRANSPOSE_CONV;
            sum += b->parsed + aligned(cmsis ? CMSIS_NN_CONV : wide ? b->data : b->data - 4 * b->pointers) + CHANNEL * c;
        }
    }
    const model_subgraph *main = &g->subgraphs[0];
    sum += ends(main, main->inputs, main->n_inputs, wide) + ends(main, main->outputs, main->n_outputs, wide);
    return aligned(sum);
}
