/* SPDX-License-Identifier: Apache-2.0
 * A TCG plugin: exact instruction counts of a program in QEMU, in all, by mnemonic, and between calls of one function (board_cycles, which the
 * main loop calls right before and right after every layer). Under -icount no translation block is left half done.
 *   gcc -shared -fPIC -O2 -o count.so count.c
 *   qemu-system-arm -icount shift=0 -plugin count.so,out=FILE,mark=ADDRESS ...
 * FILE: "mark N" per call (instructions so far), "total N", "MNEMONIC N" per mnemonic. Debian ships no qemu-plugin.h: what is used is declared here. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void tb_fn(plugin_id id, struct qemu_plugin_tb *tb);
typedef void exec_fn(unsigned cpu, void *data);
typedef void exit_fn(plugin_id id, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, tb_fn *f);
void qemu_plugin_register_atexit_cb(plugin_id id, exit_fn *f, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *counter, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *counter, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_fn *f, int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { ADD = 0, NO_REGISTERS = 0, MAX_MNEMONICS = 1024 };

static struct { char name[24]; uint64_t n; } counted[MAX_MNEMONICS];
static int n_counted;
static uint64_t total, mark_address;
static FILE *out;

static uint64_t *counter_of(const struct qemu_plugin_insn *insn)
{
    char *text = qemu_plugin_insn_disas(insn), name[24] = "?";
    if (text) (void)sscanf(text, "%23s", name);
    free(text);
    int i = 0;
    while (i < n_counted && strcmp(counted[i].name, name) != 0) i++;
    if (i == MAX_MNEMONICS) abort();
    if (i == n_counted) strcpy(counted[n_counted++].name, name);
    return &counted[i].n;
}

static void marked(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    (void)fprintf(out, "mark %" PRIu64 "\n", total);
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb);
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD, &total, n);
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        qemu_plugin_register_vcpu_insn_exec_inline(insn, ADD, counter_of(insn), 1);
        if (mark_address && qemu_plugin_insn_vaddr(insn) == mark_address) qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, NO_REGISTERS, NULL);
    }
}

static void finish(plugin_id id, void *data)
{
    (void)id;
    (void)data;
    (void)fprintf(out, "total %" PRIu64 "\n", total);
    for (int i = 0; i < n_counted; i++) (void)fprintf(out, "%s %" PRIu64 "\n", counted[i].name, counted[i].n);
    if (fclose(out) != 0) abort();
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) out = fopen(argv[i] + 4, "w");
        if (strncmp(argv[i], "mark=", 5) == 0) mark_address = strtoull(argv[i] + 5, NULL, 0);
    }
    if (!out) return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
