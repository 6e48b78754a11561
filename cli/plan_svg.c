/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plan_svg.h"

#include "base/file.h"
#include "cli/svg.h"

enum { LEFT = 90, TOP = 64, HEIGHT = 420, BOTTOM = 156, RIGHT = 40, WIDTH = 1040, GLYPH = 6 };

typedef struct frame {
    FILE *f;
    const model_graph *g;
    const hw_plan *p;
    int n_ops;
    double slot, scale; /* pixels an operator; pixels a byte */
} frame;

static double x_of(const frame *v, int op) { return LEFT + v->slot * op; }
static double y_of(const frame *v, size_t bytes) { return TOP + HEIGHT - v->scale * (double)bytes; }

static const char *op_type(const frame *v, int op) { return v->n_ops ? v->g->subgraphs[0].ops[op].type : "none"; }

static void axes(const frame *v)
{
    double step = 16, top = (double)v->p->arena_bytes;
    while (top / step > 8) step *= 2;
    for (double b = 0; b <= top; b += step) {
        double y = TOP + HEIGHT - v->scale * b;
        (void)fprintf(v->f, "<line x1='%d' y1='%.1f' x2='%.1f' y2='%.1f' class='grid'/><text x='%d' y='%.1f' text-anchor='end'>%.0f</text>\n", LEFT, y,
                      x_of(v, v->n_ops), y, LEFT - 8, y + 4, b);
    }
    int every = 1;
    while (v->slot * every < 14) every++;
    for (int i = 0; i < v->n_ops; i += every) {
        double x = x_of(v, i) + v->slot / 2;
        int y = TOP + HEIGHT + 12;
        (void)fprintf(v->f, "<text transform='translate(%.1f %d) rotate(-55)' text-anchor='end'%s>%d ", x + 4, y, i == v->p->peak_op ? " class='peak'" : "", i);
        svg_text(v->f, op_type(v, i), 18);
        (void)fputs("</text>\n", v->f);
    }
    (void)fprintf(v->f, "<text x='%.1f' y='%d' text-anchor='middle' class='axis'>operator</text>\n", (LEFT + x_of(v, v->n_ops)) / 2, TOP + HEIGHT + BOTTOM - 8);
    (void)fprintf(v->f, "<text transform='translate(18 %d) rotate(-90)' text-anchor='middle' class='axis'>offset in the arena, bytes</text>\n", TOP + HEIGHT / 2);
}

static void buffer(const frame *v, int i)
{
    static const char *const colours[] = {"#8ecae6", "#95d5b2", "#ffd6a5", "#cdb4db", "#f4acb7", "#b8c0ff", "#d9ed92", "#e6ccb2"};
    const hw_buffer *b = &v->p->buffers[i];
    double x = x_of(v, b->first_op), y = y_of(v, b->offset + b->bytes), w = v->slot * (b->last_op - b->first_op + 1), h = v->scale * (double)b->bytes;
    (void)fprintf(v->f, "<g><title>");
    svg_text(v->f, b->name, 200);
    (void)fprintf(v->f, ": %zu bytes at %zu, operators %d to %d</title><rect x='%.1f' y='%.2f' width='%.1f' height='%.2f' fill='%s' class='%s'/>", b->bytes, b->offset,
                  b->first_op, b->last_op, x, y, w, h, b->tensor < 0 ? "#adb5bd" : colours[b->tensor % 8], b->tensor < 0 ? "scratch" : "buffer");
    if (h >= 11 && w >= 5 * GLYPH) {
        (void)fprintf(v->f, "<text x='%.1f' y='%.1f' text-anchor='middle' class='name'>", x + w / 2, y + h / 2 + 3.5);
        svg_text(v->f, b->name, (int)(w / GLYPH));
        (void)fputs("</text>", v->f);
    }
    (void)fputs("</g>\n", v->f);
}

static void draw(const frame *v)
{
    const hw_plan *p = v->p;
    double right = x_of(v, v->n_ops), middle = x_of(v, p->peak_op) + v->slot / 2;
    (void)fprintf(v->f, "<?xml version='1.0' encoding='UTF-8'?>\n<svg xmlns='http://www.w3.org/2000/svg' width='%.0f' height='%d' viewBox='0 0 %.0f %d'>\n", right + RIGHT,
                  TOP + HEIGHT + BOTTOM, right + RIGHT, TOP + HEIGHT + BOTTOM);
    (void)fputs("<style>text{font:11px sans-serif;fill:#333}.head{font-size:15px;font-weight:bold}.axis{font-size:12px}.name{font-size:10px}.peak{fill:#c1121f;font-weight:bold}"
                ".grid{stroke:#ddd}.buffer{stroke:#333;stroke-width:.7}.scratch{stroke:#333;stroke-width:.7;stroke-dasharray:3 2}</style>\n"
                "<rect width='100%' height='100%' fill='#fff'/>\n", v->f);
    (void)fprintf(v->f, "<text x='%d' y='22' class='head'>", LEFT);
    svg_text(v->f, svg_file_name(v->g->path), 80);
    (void)fprintf(v->f, ": arena %zu bytes (%s%s), lower bound %zu</text>\n", p->arena_bytes, hw_planner_name(p->planner), p->optimal ? ", optimal" : "", p->bound_bytes);
    axes(v);
    (void)fprintf(v->f, "<rect x='%.1f' y='%d' width='%.1f' height='%d' fill='#c1121f' fill-opacity='.12'/>\n", x_of(v, p->peak_op), TOP, v->slot, HEIGHT);
    for (int i = 0; i < p->n_buffers; i++) buffer(v, i);
    (void)fprintf(v->f, "<line x1='%d' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#c1121f' stroke-dasharray='6 4'/>\n", LEFT, y_of(v, p->bound_bytes), right, y_of(v, p->bound_bytes));
    bool far = middle > (LEFT + right) / 2;
    (void)fprintf(v->f, "<text id='peak' x='%.1f' y='%d' text-anchor='%s' class='peak'>peak: op %d ", far ? middle + v->slot / 2 : middle - v->slot / 2, TOP - 10, far ? "end" : "start", p->peak_op);
    svg_text(v->f, op_type(v, p->peak_op), 40);
    (void)fprintf(v->f, ", %zu bytes alive</text>\n</svg>\n", p->bound_bytes);
}

status plan_svg_write(const model_graph *g, const hw_plan *p, const char *path, err *e)
{
    file_out o;
    TRY(file_create(&o, path, e));
    frame v = {o.f, g, p, g->subgraphs[0].n_ops, 0, 0};
    v.slot = v.n_ops ? (double)(WIDTH - LEFT - RIGHT) / v.n_ops : WIDTH - LEFT - RIGHT;
    if (v.slot > 150) v.slot = 150;
    if (v.slot < 3) v.slot = 3;
    v.scale = p->arena_bytes ? (double)HEIGHT / (double)p->arena_bytes : 1;
    draw(&v);
    return file_commit(&o, e);
}
