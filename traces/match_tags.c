/* SPDX-License-Identifier: Apache-2.0
 * Names of operators: TensorFlow Lite's own, and what X-CUBE-AI and NNoM call them. */
#include <ctype.h>
#include <string.h>

#include "traces/match.h"

enum {
    CONV = 1, DEPTHWISE = 2, DENSE = 4, MAX_POOL = 8, AVERAGE_POOL = 16, SOFTMAX = 32, ACTIVATION = 64, ADD = 128, MUL = 256, SUB = 512, RESHAPE = 1024, CONCAT = 2048,
    PAD = 4096, RESIZE = 8192, SLICE = 16384, TRANSPOSE = 32768
};

static const struct { const char *type; unsigned class; } types[] = {
    {"CONV_2D", CONV}, {"TRANSPOSE_CONV", CONV}, {"DEPTHWISE_CONV_2D", DEPTHWISE}, {"FULLY_CONNECTED", DENSE}, {"MAX_POOL_2D", MAX_POOL}, {"AVERAGE_POOL_2D", AVERAGE_POOL},
    {"MEAN", AVERAGE_POOL}, {"SUM", AVERAGE_POOL}, {"REDUCE_MAX", MAX_POOL}, {"SOFTMAX", SOFTMAX}, {"RELU", ACTIVATION}, {"RELU6", ACTIVATION}, {"LEAKY_RELU", ACTIVATION},
    {"PRELU", ACTIVATION}, {"LOGISTIC", ACTIVATION}, {"TANH", ACTIVATION}, {"HARD_SWISH", ACTIVATION}, {"QUANTIZE", ACTIVATION}, {"DEQUANTIZE", ACTIVATION}, {"ADD", ADD},
    {"MUL", MUL}, {"SUB", SUB}, {"RESHAPE", RESHAPE}, {"SQUEEZE", RESHAPE}, {"EXPAND_DIMS", RESHAPE}, {"CONCATENATION", CONCAT}, {"PAD", PAD}, {"PADV2", PAD},
    {"RESIZE_NEAREST_NEIGHBOR", RESIZE}, {"RESIZE_BILINEAR", RESIZE}, {"SLICE", SLICE}, {"STRIDED_SLICE", SLICE}, {"TRANSPOSE", TRANSPOSE},
};

/* What to look for in a tag without its case and signs; of several at one place the first. */
static const struct { const char *word; unsigned classes; } words[] = {
    {"depthwiseconv", DEPTHWISE}, {"dwconv", DEPTHWISE}, {"conv", CONV | DEPTHWISE}, {"dense", DENSE}, {"fullyconnected", DENSE}, {"gemm", DENSE},
    {"glmaxpool", MAX_POOL}, {"maxpool", MAX_POOL}, {"glavgpool", AVERAGE_POOL}, {"avgpool", AVERAGE_POOL}, {"averagepool", AVERAGE_POOL}, {"glsumpool", AVERAGE_POOL},
    {"sumpool", AVERAGE_POOL}, {"pool", MAX_POOL | AVERAGE_POOL}, {"softmax", SOFTMAX}, {"nonlinearity", ACTIVATION | SOFTMAX}, {"relu", ACTIVATION}, {"sigmoid", ACTIVATION},
    {"tanh", ACTIVATION}, {"activation", ACTIVATION}, {"conversion", ACTIVATION}, {"eltwise", ADD | MUL | SUB}, {"reshape", RESHAPE}, {"flatten", RESHAPE}, {"concat", CONCAT},
    {"pad", PAD}, {"upsample", RESIZE}, {"resize", RESIZE}, {"crop", SLICE}, {"slice", SLICE}, {"transpose", TRANSPOSE}, {"mult", MUL}, {"add", ADD}, {"sub", SUB}, {"nl", ACTIVATION | SOFTMAX},
};

static bool is_type(const char *tag)
{
    size_t n = strspn(tag, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return n > 0 && !tag[n] && isupper((unsigned char)tag[0]);
}

static bool known_type(const char *tag)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].type, tag) == 0) return true;
    }
    return false;
}

static size_t letters(const char *tag, char *to, size_t room)
{
    size_t n = 0;
    for (; *tag && n + 1 < room; tag++) {
        if (isalpha((unsigned char)*tag)) to[n++] = (char)tolower((unsigned char)*tag);
    }
    to[n] = 0;
    return n;
}

/* What stands in a log beside a network's operators. */
static bool overhead(const char *text) { return strcmp(text, "input") == 0 || strcmp(text, "output") == 0 || strcmp(text, "internodal") == 0; }

int match_pieces(const char *tag, match_piece out[MATCH_PIECES])
{
    char text[64];
    int n = 0;
    size_t length = letters(tag, text, sizeof text);
    if (overhead(text)) return 0;
    for (size_t at = 0; at < length && n < MATCH_PIECES && !known_type(tag);) {
        size_t step = 1;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            size_t w = strlen(words[i].word);
            if (strncmp(text + at, words[i].word, w) != 0 || (w == 2 && w != length)) continue;
            out[n++] = (match_piece){NULL, words[i].classes};
            step = w;
            break;
        }
        at += step;
    }
    if (n && !is_type(tag)) return n;
    out[0] = (match_piece){tag, n ? out[0].classes : 0}; /* TensorFlow Lite's own name, or one that this table does not know */
    return 1;
}

bool match_fits(const match_piece *p, const char *type)
{
    if (p->exact && strcmp(p->exact, type) == 0) return true;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].type, type) == 0) return (p->classes & types[i].class) != 0;
    }
    return false;
}
