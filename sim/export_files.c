/* SPDX-License-Identifier: Apache-2.0
 * The folder: network, data, runtime, build files. It is written beside its final name and renamed when complete. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sim/export_internal.h"

/* Everything the runtime is made of, under the names that its own #includes use. */
static const char *const headers[] = {"base/status.h", "controller/controller.h", "quant/requant.h", "quant/fixedpoint.h", "device/device.h", "device/weights.h",
                                      "device/bitemu_log.h", "device/brief.h", "device/depthwise.h", "device/explain.h", "device/board.h", "device/kernels/rows.h", "device/kernels/armv7em.h", "device/kernels/avr.h", "device/kernels/bytes.h", "device/kernels/mve.h", "device/kernels/xpulp.h"};
static const char *const sources[] = {"controller/decide.c", "quant/fixedpoint.c", "device/run.c", "device/ops_binary.c", "device/ops_depthwise.c", "device/ops_mac.c", "device/ops_move.c", "device/ops_pointwise.c",
                                      "device/ops_window.c", "device/explain.c", "device/main.c"};
static const char *const kernels[] = {"device/kernels/%s.c", "device/kernels/%s_depthwise.c"}; /* of the board's row */
enum { N_KERNELS = sizeof kernels / sizeof *kernels, N_HEADERS = sizeof headers / sizeof *headers, N_SOURCES = sizeof sources / sizeof *sources, MAX_SOURCE_BYTES = 1 << 20, MAX_PATH = 900 };
static const char warnings[] = "-Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow -Wundef -Wmissing-prototypes";

typedef void print_fn(const exporter *x, FILE *f);

static status make_folders(const char *root, const char *name, err *e)
{
    char path[2 * MAX_PATH];
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        (void)snprintf(path, sizeof path, "%s/%.*s", root, (int)(slash - name), name);
        if (mkdir(path, 0777) != 0 && errno != EEXIST) return err_set(e, ST_IO, path, "cannot be made: %s", strerror(errno));
    }
    return ST_OK;
}

static status put_file(const char *root, const char *name, const uint8_t *bytes, size_t n, print_fn *print, const exporter *x, err *e)
{
    char path[2 * MAX_PATH];
    file_out o;
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    TRY(make_folders(root, name, e));
    TRY(file_create(&o, path, e));
    if (print) print(x, o.f);
    else (void)fwrite(bytes, 1, n, o.f);
    return file_commit(&o, e);
}

static status copy(const exporter *x, const char *root, const char *name, err *e)
{
    const char *path;
    const uint8_t *bytes;
    size_t n;
    char to[MAX_PATH];
    TRY(export_source(name, x->a, &path, e));
    TRY(file_read(path, MAX_SOURCE_BYTES, x->a, &bytes, &n, e));
    (void)snprintf(to, sizeof to, "bitemu/%s", name);
    return put_file(root, to, bytes, n, NULL, x, e);
}

static status copy_runtime(const exporter *x, const char *root, err *e)
{
    char name[MAX_PATH];
    for (int i = 0; i < N_HEADERS; i++) TRY(copy(x, root, headers[i], e));
    for (int i = 0; i < N_SOURCES; i++) TRY(copy(x, root, sources[i], e));
    for (int i = 0; i < N_KERNELS; i++) {
        (void)snprintf(name, sizeof name, kernels[i], x->board.kernels);
        TRY(copy(x, root, name, e));
    }
    for (int i = 0; x->board.sources && i < x->board.sources->n; i++) {
        (void)snprintf(name, sizeof name, "device/boards/%s", x->board.sources->items[i].text);
        TRY(copy(x, root, name, e));
    }
    if (!x->board.script) return ST_OK;
    (void)snprintf(name, sizeof name, "device/boards/%s", x->board.script);
    return copy(x, root, name, e);
}

/* f(item) for every source of the build. */
static void each_source(const exporter *x, FILE *f, const char *format)
{
    static const char *const own[] = {"network.c", "data.c"};
    char name[MAX_PATH];
    for (int i = 0; i < 2; i++) (void)fprintf(f, format, own[i]);
    for (int i = 0; i < N_SOURCES; i++) {
        (void)snprintf(name, sizeof name, "bitemu/%s", sources[i]);
        (void)fprintf(f, format, name);
    }
    for (int i = 0; i < N_KERNELS; i++) {
        char file[MAX_PATH / 2];
        (void)snprintf(file, sizeof file, kernels[i], x->board.kernels);
        (void)snprintf(name, sizeof name, "bitemu/%s", file);
        (void)fprintf(f, format, name);
    }
    for (int i = 0; x->board.sources && i < x->board.sources->n; i++) {
        const char *text = x->board.sources->items[i].text, *end = strrchr(text, '.');
        if (end && strcmp(end, ".h") == 0) continue; /* goes along, is not compiled */
        (void)snprintf(name, sizeof name, "bitemu/device/boards/%s", text);
        (void)fprintf(f, format, name);
    }
}

static void each_text(FILE *f, const yaml_node *list, const char *format)
{
    for (int i = 0; list && i < list->n; i++) (void)fprintf(f, format, list->items[i].text);
}

static void core_flags(const exporter *x, FILE *f, const char *format)
{
    char text[100];
    if (!x->board.core || strncmp(x->board.core, "cortex-m", 8) != 0) return;
    (void)snprintf(text, sizeof text, "-mcpu=%s", x->board.core);
    (void)fprintf(f, format, text);
    (void)fprintf(f, format, "-mthumb");
}

static void each_link(const exporter *x, FILE *f, const char *format)
{
    static const char *const names[] = {"link_flash", "link_flash_bytes", "link_sram", "link_sram_bytes", "link_stack_bytes"};
    const double values[] = {x->board.flash_start, x->board.flash_bytes, x->board.sram_start, x->board.sram_bytes, (double)x->board.stack};
    char text[MAX_PATH];
    for (int i = 0; x->board.script && i < 5; i++) {
        (void)snprintf(text, sizeof text, "-Wl,--defsym=%s=0x%lx", names[i], (unsigned long)values[i]);
        (void)fprintf(f, format, text);
    }
    each_text(f, x->board.link, format);
}

static void print_makefile(const exporter *x, FILE *f)
{
    const export_board *b = &x->board;
    (void)fprintf(f, "# Written by bitemu %s for %s. make; make DUMP=1: the log carries every layer's codes.\nCC = %s\nDUMP = 0\n", BITEMU_VERSION, b->title, b->compiler);
    (void)fprintf(f, "CPPFLAGS = -I. -Ibitemu -DBITEMU_DUMP=$(DUMP) -DBOARD_NAME='\"%s\"'%s\nFLAGS =", b->name, x->r->complete ? "" : " -DBITEMU_MAIN=bitemu_main");
    each_text(f, b->flags, " %s");
    core_flags(x, f, " %s");
    (void)fprintf(f, "\nCFLAGS = -std=c11 -O2 -ffunction-sections -fdata-sections -fno-tree-loop-distribute-patterns -fno-strict-aliasing %s\nLINK = -Wl,--gc-sections", warnings);
    if (b->script) (void)fprintf(f, " -T bitemu/device/boards/%s", b->script);
    each_link(x, f, " %s");
    (void)fprintf(f, "\nSOURCES =");
    each_source(x, f, " %s");
    (void)fprintf(f, "\nOBJECTS = $(SOURCES:%%.c=build/%%.o)\n\n");
    if (x->r->complete) (void)fprintf(f, "firmware.elf: $(OBJECTS)\n\t$(CC) $(FLAGS) -o $@ $(OBJECTS) $(LINK)\n");
    else (void)fprintf(f, "libnetwork.a: $(OBJECTS)\n\t$(AR) rcs $@ $(OBJECTS)\n");
    (void)fprintf(f, "build/%%.o: %%.c network.h Makefile\n\t@mkdir -p $(@D)\n\t$(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS) -c -o $@ $<\nclean:\n\trm -rf build firmware.elf libnetwork.a\n.PHONY: clean\n");
}

static void print_meson(const exporter *x, FILE *f)
{
    const export_board *b = &x->board;
    (void)fprintf(f, "# Written by bitemu %s for %s: meson setup build%s && ninja -C build\nproject('network', 'c', default_options: ['c_std=c11', 'warning_level=2', 'optimization=2'])\n",
                  BITEMU_VERSION, b->title, b->script ? " --cross-file cross.ini" : "");
    (void)fprintf(f, "flags = [");
    each_text(f, b->flags, "'%s', ");
    core_flags(x, f, "'%s', ");
    (void)fprintf(f, "]\nc_args = flags + ['-DBITEMU_DUMP=0', '-DBOARD_NAME=\"%s\"', '-ffunction-sections', '-fdata-sections', '-fno-tree-loop-distribute-patterns', '-fno-strict-aliasing'%s]\nlink_args = flags + ['-Wl,--gc-sections', ",
                  b->name, x->r->complete ? "" : ", '-DBITEMU_MAIN=bitemu_main'");
    if (b->script) (void)fprintf(f, "'-T', meson.current_source_dir() / 'bitemu/device/boards/%s', ", b->script);
    each_link(x, f, "'%s', ");
    (void)fprintf(f, "]\nsources = files(");
    each_source(x, f, "'%s', ");
    (void)fprintf(f, ")\n%s, sources, c_args: c_args, include_directories: include_directories('.', 'bitemu')%s)\n", x->r->complete ? "executable('firmware.elf'" : "static_library('network'",
                  x->r->complete ? ", link_args: link_args" : "");
}

static void print_cross(const exporter *x, FILE *f)
{
    (void)fprintf(f, "# Written by bitemu %s\n[binaries]\nc = '%s'\n[host_machine]\nsystem = 'none'\ncpu_family = 'arm'\ncpu = '%s'\nendian = 'little'\n[properties]\nskip_sanity_check = true\n[built-in options]\nb_staticpic = false\nb_pie = false\n",
                  BITEMU_VERSION, x->board.compiler, x->board.name);
}

static void print_header(const exporter *x, FILE *f)
{
    const sim_export_report *r = x->r;
    (void)fprintf(f, "/* Written by bitemu %s */\n#ifndef NETWORK_H\n#define NETWORK_H\n\n#include \"device/device.h\"\n\n", BITEMU_VERSION);
    (void)fprintf(f, "enum { NETWORK_ARENA_BYTES = %zu, NETWORK_CHOICES = %d, NETWORK_INPUT_BYTES = %zu, NETWORK_KNOWN_BYTES = %zu };\n\n", r->arena_bytes, x->s->graph->n_choices,
                  model_tensor_bytes(&x->g->tensors[x->g->inputs[0]]), r->inputs && x->c->known ? r->known_bytes / (size_t)r->inputs : 0);
    (void)fprintf(f, "extern const dev_model network;\nextern const dev_kernels *const network_kernels;\n"
                     "extern const uint32_t network_n_inputs;\nextern const DEV_FLASH uint8_t network_inputs[];\nextern const DEV_FLASH uint8_t *const network_known; /* NULL = none */\n%s\n#endif\n",
                  r->complete ? "" : "int bitemu_main(void); /* runs and logs every input; bitemu/device/board.h lists what it calls */\n");
}

typedef struct data {
    const uint8_t *inputs, *known;
} data;

static void print_data(const exporter *x, FILE *f, const data *d)
{
    (void)fprintf(f, "/* Written by bitemu %s: inputs%s. */\n#include \"network.h\"\n\nconst uint32_t network_n_inputs = %lld;\n", BITEMU_VERSION, d->known ? " and what every layer makes of them" : "", (long long)x->r->inputs);
    export_bytes(f, "network_inputs", d->inputs, x->r->input_bytes);
    if (d->known) {
        (void)fprintf(f, "static ");
        export_bytes(f, "known", d->known, x->r->known_bytes);
    }
    (void)fprintf(f, "const DEV_FLASH uint8_t *const network_known = %s;\n", d->known ? "known" : "NULL");
}

static status put_data(const exporter *x, const char *root, const data *d, err *e)
{
    char path[2 * MAX_PATH];
    file_out o;
    (void)snprintf(path, sizeof path, "%s/data.c", root);
    TRY(file_create(&o, path, e));
    print_data(x, o.f, d);
    return file_commit(&o, e);
}

static status put_network(const exporter *x, const char *root, err *e)
{
    char path[2 * MAX_PATH];
    file_out o;
    (void)snprintf(path, sizeof path, "%s/network.c", root);
    TRY(file_create(&o, path, e));
    status s = export_tables(x, o.f, e);
    if (s != ST_OK) {
        file_discard(&o);
        return s;
    }
    return file_commit(&o, e);
}

static status fill(const exporter *x, const char *root, const data *d, err *e)
{
    TRY(copy_runtime(x, root, e));
    TRY(put_network(x, root, e));
    TRY(put_data(x, root, d, e));
    TRY(put_file(root, "network.h", NULL, 0, print_header, x, e));
    if (x->board.script) TRY(put_file(root, "cross.ini", NULL, 0, print_cross, x, e));
    TRY(put_file(root, "meson.build", NULL, 0, print_meson, x, e));
    return put_file(root, "Makefile", NULL, 0, print_makefile, x, e);
}

status export_write(const exporter *x, const uint8_t *inputs, const uint8_t *known, err *e)
{
    char temp[MAX_PATH + 16];
    const char *out = x->c->out;
    size_t n = strlen(out);
    while (n > 1 && out[n - 1] == '/') n--;
    if (n == 0 || n >= MAX_PATH) return err_set(e, ST_ARG, "-o", "a folder's name of 1 to %d characters", MAX_PATH - 1);
    (void)snprintf(temp, sizeof temp, "%.*s.XXXXXX", (int)n, out);
    if (!mkdtemp(temp)) return err_set(e, ST_IO, out, "cannot be made: %s", strerror(errno));
    (void)chmod(temp, 0755);
    status s = fill(x, temp, &(data){inputs, known}, e);
    if (s == ST_OK && rename(temp, out) != 0)
        s = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR ? err_set(e, ST_ARG, out, "is there already; remove it, or name another folder")
                                                                      : err_set(e, ST_IO, out, "cannot be made: %s", strerror(errno));
    if (s != ST_OK) file_remove_tree(temp);
    return s;
}
