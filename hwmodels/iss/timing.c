/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/timing.c - cores/NAME.yaml `timing`, and the cycles that follow from it before anything runs: those of an instruction's class
 * and of the pair it makes with the instruction behind it. */
#include <stdio.h>
#include <string.h>

#include "hwmodels/board.h"
#include "hwmodels/iss/insn.h"

#define FIELD(name) {#name, offsetof(iss_timing, name)}
static const struct { const char *key; size_t offset; } fields[] = {
    FIELD(reset), FIELD(load), FIELD(store), FIELD(mul), FIELD(mulh), FIELD(div), FIELD(div_leading_bit), FIELD(div_by_zero), FIELD(branch_taken), FIELD(jump),
    FIELD(jump_register), FIELD(straddling_target), FIELD(load_use), FIELD(load_overwritten), FIELD(jump_register_use), FIELD(jump_register_relink), FIELD(unaligned),
    FIELD(jump_overlap), FIELD(counter_read),
};
enum { N_FIELDS = sizeof fields / sizeof *fields };
static const hw_unit unit_cycles[] = {{"cycles", 1}, {NULL, 0}};

static status read_timing(const yaml_node *timing, const yaml_node *sources, iss_timing *t, err *e)
{
    static const char *const states[] = {"on", "off", NULL}, *const sets[] = {"rv32imc", "rv32imc_xpulp", NULL};
    const char *keys[N_FIELDS + 3] = {NULL};
    int off = 0, xpulp = 0;
    for (int i = 0; i < N_FIELDS; i++) keys[i] = fields[i].key;
    keys[N_FIELDS] = "counters_at_reset";
    keys[N_FIELDS + 1] = "instructions";
    TRY(yaml_expect(timing, YAML_MAP, "timing", e));
    TRY(yaml_check_keys(timing, keys, keys, e));
    TRY(yaml_enum(yaml_get(timing, "counters_at_reset"), "counters_at_reset", states, &off, e));
    TRY(yaml_enum(yaml_get(timing, "instructions"), "instructions", sets, &xpulp, e));
    t->counters_off = off, t->xpulp = xpulp;
    for (int i = 0; i < N_FIELDS; i++) {
        const yaml_node *n = yaml_get(timing, fields[i].key);
        hw_figure f = {0};
        int64_t cycles = 0;
        TRY(hw_yaml_figure(n, fields[i].key, sources, unit_cycles, &f, NULL, e));
        TRY(yaml_int(yaml_get(n, "value"), fields[i].key, 0, 100, &cycles, e));
        *((uint8_t *)t + fields[i].offset) = (uint8_t)cycles;
    }
    return ST_OK;
}

/* ST_ARG with the names of those that have timing. */
static status no_timing(const char *name, arena *a, err *e)
{
    const char *const *names = NULL;
    char list[512] = "";
    size_t at = 0;
    TRY(hw_data_names("cores", a, &names, e));
    for (int i = 0; names[i] && at < sizeof list; i++) {
        const char *path = NULL;
        yaml_node *root = NULL;
        if (hw_data_read("", "cores", names[i], a, &path, &root, NULL) == ST_OK && yaml_get(root, "timing"))
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "", names[i]);
    }
    return err_set(e, ST_ARG, name, "no core that can be simulated cycle for cycle; there are: %s", at ? list : "none (data folder not found)");
}

status iss_core_load(const char *name, arena *a, const iss_core **out, err *e)
{
    const char *path = NULL;
    yaml_node *root = NULL;
    iss_core *c = arena_alloc(a, 1, sizeof *c);
    if (!c) return err_set(e, ST_NOMEM, name, "out of memory");
    if (!hw_data_exists("", "cores", name)) return no_timing(name, a, e);
    TRY(hw_data_read("", "cores", name, a, &path, &root, e));
    const yaml_node *timing = yaml_get(root, "timing");
    if (!timing) return no_timing(name, a, e);
    status s = hw_yaml_name(yaml_get(root, "name"), "name", a, &c->name, e);
    if (s == ST_OK) s = read_timing(timing, yaml_get(root, "sources"), &c->t, e);
    if (s != ST_OK) {
        err_at(e, "%s", path);
        return s;
    }
    *out = c;
    return ST_OK;
}

bool iss_is_load(const iss_insn *i) { return (i->op >= ISS_LB && i->op <= ISS_LHU) || (i->op >= ISS_LB_POST && i->op <= ISS_LHU_INDEX); }
bool iss_is_store(const iss_insn *i) { return (i->op >= ISS_SB && i->op <= ISS_SW) || (i->op >= ISS_SB_POST && i->op <= ISS_SW_INDEX); }
static bool is_jump(const iss_insn *i) { return i->op == ISS_JAL || i->op == ISS_JALR; }
bool iss_is_branch(const iss_insn *i) { return (i->op >= ISS_BEQ && i->op <= ISS_BGEU) || i->op == ISS_BEQI || i->op == ISS_BNEI; }

bool iss_uses(const iss_insn *i, uint8_t reg)
{
    return ((i->reads & 1) && i->rs1 == reg) || ((i->reads & 2) && i->rs2 == reg) || ((i->reads & 4) && i->rs3 == reg);
}

/* Does i have a destination register, x0 included? */
bool iss_writes(const iss_insn *i)
{
    return i->op == ISS_LI || i->op == ISS_JAL || i->op == ISS_JALR || iss_is_load(i) || (i->op >= ISS_ADDI && i->op <= ISS_REMU) || i->op == ISS_CSR || i->op >= ISS_MAC;
}

static bool overwrites(const iss_insn *load, const iss_insn *n) { return iss_writes(n) && n->rd == load->rd && !iss_is_load(n); }

/* x0 is a register like others where loads are overwritten: no value moves, but the
 * pipeline waits. */
int iss_pair(const iss_timing *t, const iss_insn *i, const iss_insn *n)
{
    int more = 0;
    if (is_jump(i)) return 0;
    if (iss_is_load(i)) more = iss_uses(n, i->rd) ? t->load_use : overwrites(i, n) ? t->load_overwritten : 0;
    if (iss_writes(i) && n->op == ISS_JALR && n->rs1 == i->rd) more += t->jump_register_use;
    return more;
}

/* Cycles more than 1 of i's class; data may add to them. */
static int class_cycles(const iss_timing *t, const iss_insn *i)
{
    switch (i->op) {
    case ISS_LB: case ISS_LH: case ISS_LW: case ISS_LBU: case ISS_LHU: return t->load;
    case ISS_SB: case ISS_SH: case ISS_SW: return t->store;
    case ISS_MUL: return t->mul;
    case ISS_MULH: case ISS_MULHSU: case ISS_MULHU: return t->mulh;
    case ISS_JAL: return t->jump;
    case ISS_JALR: return t->jump_register + (i->rd == i->rs1 ? t->jump_register_relink : 0);
    case ISS_CSR: return i->imm == ISS_MHARTID ? 0 : t->counter_read;
    default: return 0;
    }
}

void iss_annotate(const iss_timing *t, iss_insn *code, uint32_t n)
{
    for (uint32_t at = 0; at < n; at++)
        if (code[at].halves == 2 && (at & 1)) code[at].flags |= ISS_STRADDLES; /* code begins at a multiple of 4 */
    for (uint32_t at = 0; at < n; at++) {
        iss_insn *i = &code[at];
        const iss_insn *next = at + i->halves < n ? &code[at + i->halves] : i;
        const bool branch = iss_is_branch(i);
        int cycles = 1 + class_cycles(t, i) + iss_pair(t, i, next), target = 0;
        if (i->op == ISS_JAL || branch) {
            const int64_t to = (int64_t)at + i->imm / 2;
            if (to < 0 || to >= n) i->flags |= ISS_OUTSIDE;
            else target = code[to].flags & ISS_STRADDLES ? t->straddling_target : 0;
        }
        if (branch) i->taken = (uint8_t)(t->branch_taken + target);
        else if (i->op == ISS_JAL) cycles += target;
        if (iss_is_load(i) && is_jump(next) && overwrites(i, next)) i->flags |= ISS_BUSY;
        i->cycles = (uint8_t)cycles;
    }
}
