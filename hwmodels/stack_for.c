/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/stack_for.c - which software stack is meant for a core when none is named. */
#include <stdio.h>
#include <string.h>

#include "hwmodels/board.h"

enum { NO_FIGURES, ESTIMATED, MEASURED, USUAL };

/* How well a stack knows a core; names of its cores are added to list once. */
static int knows(const char *stack, const char *core, char *list, size_t size, arena *a)
{
    err ignored = {0};
    const char *path = NULL;
    yaml_node *root = NULL;
    if (hw_data_read("", "stacks", stack, a, &path, &root, &ignored) != ST_OK) return NO_FIGURES;
    const yaml_node *cores = yaml_get(root, "cores");
    int found = NO_FIGURES;
    for (int i = 0; cores && i < cores->n; i++) {
        char item[128];
        (void)snprintf(item, sizeof item, " %s,", cores->items[i].key);
        if (!strstr(list, item)) strncat(list, item, size - strlen(list) - 1);
        if (strcmp(cores->items[i].key, core) != 0) continue;
        found = yaml_get(&cores->items[i], "estimated_from") ? ESTIMATED : strcmp(stack, "tflm_cmsisnn") == 0 ? USUAL : MEASURED;
    }
    return found;
}

status hw_stack_for(const char *core, arena *a, const char **name, err *e)
{
    const char *const *names = NULL;
    char list[700] = "";
    int best = NO_FIGURES;
    TRY(hw_data_names("stacks", a, &names, e));
    for (int i = 0; names[i]; i++) {
        int k = knows(names[i], core, list, sizeof list, a);
        if (k > best) {
            best = k;
            *name = names[i];
        }
    }
    if (best != NO_FIGURES) return ST_OK;
    if (*list) list[strlen(list) - 1] = 0;
    return err_set(e, ST_ARG, core, "no software stack has figures for this core; there are figures for%s", *list ? list : " none");
}
