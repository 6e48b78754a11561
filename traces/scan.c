/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/scan.h"

#include <stdlib.h>
#include <string.h>

typedef struct text { /* of a string value */
    char *p;
    size_t n;
} text;

typedef struct scan {
    char *p;          /* where we read */
    trace_reader *r;
    trace_record *rec;
    text name, op;
    bool input, layer, wraps, clamps, acc_min, acc_max;
} scan;

static void blanks(scan *s)
{
    while (*s->p == ' ') s->p++;
}

/* Eight characters as a number, the first one lowest; they may lie behind the line's end (LINES_SLACK). */
static uint64_t eight(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint64_t)u[0] | (uint64_t)u[1] << 8 | (uint64_t)u[2] << 16 | (uint64_t)u[3] << 24 | (uint64_t)u[4] << 32 | (uint64_t)u[5] << 40 | (uint64_t)u[6] << 48 |
           (uint64_t)u[7] << 56;
}

#define EACH(c) (UINT64_C(0x0101010101010101) * (c))
/* The high bit of the first byte of x that is 0, and perhaps of bytes behind it. */
static uint64_t zero(uint64_t x) { return (x - EACH(1)) & ~x & EACH(0x80); }

/* A string of plain ASCII. */
static bool plain(scan *s, text *out)
{
    if (*s->p != '"') return false;
    char *p = ++s->p;
    for (;; p += 8) {
        uint64_t x = eight(p), ends = zero(x ^ EACH('"')) | zero(x ^ EACH('\\')) | ((x - EACH(' ')) & ~x & EACH(0x80)) | (x & EACH(0x80));
        if (!ends) continue;
        while (!(ends & 0x80)) {
            ends >>= 8;
            p++;
        }
        break;
    }
    if (*p != '"') return false;
    *out = (text){s->p, (size_t)(p - s->p)};
    s->p = p + 1;
    return true;
}

/* Up to 18 digits, no leading zero. */
static bool digits(scan *s, uint64_t *out, int *n)
{
    const char *begin = s->p;
    uint64_t v = 0;
    for (; (unsigned)(*s->p - '0') < 10; s->p++) v = v * 10 + (unsigned)(*s->p - '0');
    *n = (int)(s->p - begin);
    *out = v;
    return *n > 0 && *n <= 18 && (*begin != '0' || *n == 1);
}

static bool integer(scan *s, int64_t *out)
{
    uint64_t v;
    int n;
    bool negative = *s->p == '-';
    s->p += negative;
    if (!digits(s, &v, &n) || *s->p == '.' || (*s->p | 32) == 'e') return false;
    *out = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

/* Digits, perhaps a fraction. Up to 2^53 over a power of ten up to 10^22 one division rounds rightly. */
static bool real(scan *s, double *out)
{
    static const double ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    uint64_t v;
    int n;
    const char *begin = s->p;
    bool negative = *s->p == '-';
    s->p += negative;
    if (!digits(s, &v, &n)) return false;
    int before = n;
    if (*s->p == '.') {
        const char *fraction = ++s->p;
        for (; (unsigned)(*s->p - '0') < 10; s->p++) v = v * 10 + (unsigned)(*s->p - '0');
        n = before + (int)(s->p - fraction);
        if (n == before) return false;
    }
    if ((*s->p | 32) == 'e') return false;
    if (n <= 18 && v < (uint64_t)1 << 53) {
        double x = (double)v / ten[n - before];
        *out = negative ? -x : x;
    } else {
        *out = strtod(begin, NULL);
    }
    return true;
}

/* "[1,-2,3]" as the shape, the codes, the decisions. false: something else. */
static bool shape(scan *s)
{
    int64_t v;
    s->rec->n_dims = 0;
    if (*s->p++ != '[') return false;
    for (;;) {
        blanks(s);
        if (*s->p == ']' && s->rec->n_dims == 0) break;
        if (s->rec->n_dims == TRACE_MAX_DIMS || !integer(s, &v)) return false;
        s->rec->shape[s->rec->n_dims++] = (int32_t)v;
        blanks(s);
        if (*s->p == ']') break;
        if (*s->p++ != ',') return false;
    }
    s->p++;
    return true;
}

static bool codes(scan *s, bool decisions)
{
    int64_t v;
    size_t n = 0;
    if (*s->p++ != '[') return false;
    for (;;) {
        blanks(s);
        if (*s->p == ']' && n == 0) break;
        if (!integer(s, &v) || !(decisions ? source_decisions(s->r, n + 1) : source_codes(s->r, n + 1))) return false;
        if (decisions) s->r->decisions[n++] = (int)v;
        else s->r->codes[n++] = v;
        blanks(s);
        if (*s->p == ']') break;
        if (*s->p++ != ',') return false;
    }
    s->p++;
    *(decisions ? &s->rec->n_decisions : &s->rec->n_codes) = n;
    return true;
}

static bool layer(scan *s)
{
    int64_t v;
    text t;
    s->layer = true;
    if (*s->p == '"') {
        s->rec->layer = TRACE_OUTPUT;
        return plain(s, &t) && t.n == 6 && memcmp(t.p, "output", 6) == 0;
    }
    if (!integer(s, &v) || v < TRACE_INPUT || v >= 1 << 20) return false;
    s->rec->layer = (int)v;
    return true;
}

static bool small(scan *s, int *out)
{
    int64_t v;
    if (!integer(s, &v)) return false;
    *out = (int)v;
    return true;
}

static bool count(scan *s, uint64_t *out, bool *has)
{
    int64_t v;
    if (!integer(s, &v)) return false;
    *out = (uint64_t)v;
    *has = true;
    return true;
}

static bool checksum(scan *s)
{
    int64_t v;
    if (!integer(s, &v)) return false;
    s->rec->has_crc = v >= 0 && v <= UINT32_MAX;
    s->rec->crc = s->rec->has_crc ? (uint32_t)v : 0;
    return true;
}

static bool input(scan *s)
{
    s->input = true;
    return integer(s, &s->rec->input) && s->rec->input >= 0;
}

/* Keys of up to seven letters as eight() sees them. */
#define K2(a, b) ((uint64_t)(a) | (uint64_t)(b) << 8)
#define K4(a, b, c, d) (K2(a, b) | K2(c, d) << 16)
enum { INPUT, LAYER, SHAPE, WRAPS, CODES, NAME, OP, CRC, A_BITS, W_BITS, CLAMPS, CYCLES, ACC_MIN, ACC_MAX, DECISIONS, SATURATIONS, MEASURED, UNKNOWN };

static int long_key(scan *s)
{
    static const struct { const char *name; int key; } keys[] = {{"decisions", DECISIONS}, {"saturations", SATURATIONS}, {"cycles_measured", MEASURED}};
    text t;
    if (!plain(s, &t)) return UNKNOWN;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (t.n == strlen(keys[i].name) && memcmp(t.p, keys[i].name, t.n) == 0) return keys[i].key;
    }
    return UNKNOWN;
}

static int key(scan *s)
{
    if (*s->p != '"') return UNKNOWN;
    uint64_t x = eight(s->p + 1), end = zero(x ^ EACH('"'));
    if (!end) return long_key(s);
    end &= -end; /* the first quote's high bit: below it lies the key */
    int k, n;
    switch (x & ((end - 1) >> 7)) {
    case K2('o', 'p'): k = OP, n = 2; break;
    case K4('c', 'r', 'c', 0): k = CRC, n = 3; break;
    case K4('n', 'a', 'm', 'e'): k = NAME, n = 4; break;
    case K4('i', 'n', 'p', 'u') | K2('t', 0) << 32: k = INPUT, n = 5; break;
    case K4('l', 'a', 'y', 'e') | K2('r', 0) << 32: k = LAYER, n = 5; break;
    case K4('s', 'h', 'a', 'p') | K2('e', 0) << 32: k = SHAPE, n = 5; break;
    case K4('w', 'r', 'a', 'p') | K2('s', 0) << 32: k = WRAPS, n = 5; break;
    case K4('c', 'o', 'd', 'e') | K2('s', 0) << 32: k = CODES, n = 5; break;
    case K4('a', '_', 'b', 'i') | K2('t', 's') << 32: k = A_BITS, n = 6; break;
    case K4('w', '_', 'b', 'i') | K2('t', 's') << 32: k = W_BITS, n = 6; break;
    case K4('c', 'l', 'a', 'm') | K2('p', 's') << 32: k = CLAMPS, n = 6; break;
    case K4('c', 'y', 'c', 'l') | K2('e', 's') << 32: k = CYCLES, n = 6; break;
    case K4('a', 'c', 'c', '_') | K4('m', 'i', 'n', 0) << 32: k = ACC_MIN, n = 7; break;
    case K4('a', 'c', 'c', '_') | K4('m', 'a', 'x', 0) << 32: k = ACC_MAX, n = 7; break;
    default: return UNKNOWN;
    }
    if (s->p[n + 1] != '"') return UNKNOWN; /* the line ends within the key */
    s->p += n + 2;
    return k;
}

/* The value of a key. false: not as a writer prints it. */
static bool value(scan *s, int k)
{
    trace_record *rec = s->rec;
    bool unused;
    switch (k) {
    case INPUT: return input(s);
    case LAYER: return layer(s);
    case SHAPE: return shape(s);
    case OP: return plain(s, &s->op);
    case NAME: return plain(s, &s->name);
    case CRC: return checksum(s);
    case W_BITS: return small(s, &rec->w_bits);
    case A_BITS: return small(s, &rec->a_bits);
    case WRAPS: return count(s, &rec->wraps, &s->wraps);
    case CLAMPS: return count(s, &rec->clamps, &s->clamps);
    case SATURATIONS: return count(s, &rec->saturations, &unused);
    case ACC_MIN: return s->acc_min = integer(s, &rec->acc_min);
    case ACC_MAX: return s->acc_max = integer(s, &rec->acc_max);
    case CYCLES: return rec->has_cycles = real(s, &rec->cycles);
    case MEASURED: return rec->has_measured = real(s, &rec->cycles_measured);
    case CODES: return codes(s, false);
    case DECISIONS: return codes(s, true);
    default: return false;
    }
}

static bool members(scan *s)
{
    if (*s->p++ != '{') return false;
    for (;;) {
        blanks(s);
        int k = key(s);
        if (k == UNKNOWN) return false;
        blanks(s);
        if (*s->p++ != ':') return false;
        blanks(s);
        if (!value(s, k)) return false;
        blanks(s);
        if (*s->p == '}') return true;
        if (*s->p++ != ',') return false;
    }
}

bool scan_record(trace_reader *r, char *from, trace_record *rec)
{
    static const trace_record blank;
    scan s = {.p = from, .r = r, .rec = rec};
    *rec = blank; /* copied: clearing became rep stos, a tenth of this function */
    if (!members(&s) || !s.input || !s.layer) return false;
    rec->has_events = s.wraps && s.clamps && s.acc_min && s.acc_max;
    if (!rec->has_events) rec->wraps = rec->clamps = rec->saturations = 0;
    rec->codes = r->codes;
    rec->decisions = r->decisions;
    if (s.name.p) s.name.p[s.name.n] = 0;
    if (s.op.p) s.op.p[s.op.n] = 0;
    rec->name = s.name.p;
    rec->op = s.op.p;
    return true;
}
