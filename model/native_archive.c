/* SPDX-License-Identifier: Apache-2.0
 * model/native_archive.c - members of the archive, arrays, lists of numbers and names that point elsewhere in the file. */
#include <string.h>

#include "model/native_load.h"

static const uint64_t MAX_MEMBER = (uint64_t)1 << 30, MAX_ARCHIVE = (uint64_t)1 << 31;

status native_nomem(native_loader *l) { return err_set(l->e, ST_NOMEM, "", "no memory for the model"); }

status native_member(native_loader *l, const char *name, const uint8_t **data, size_t *len)
{
    zip_stat_t st;
    zip_int64_t i = zip_name_locate(l->zip, name, 0);
    if (i < 0) return err_set(l->e, ST_FORMAT, "", "the archive has no member '%s'", name);
    if (zip_stat_index(l->zip, (zip_uint64_t)i, 0, &st) != 0 || !(st.valid & ZIP_STAT_SIZE) || st.size > MAX_MEMBER || (l->unpacked += st.size) > MAX_ARCHIVE)
        return err_set(l->e, ST_FORMAT, "", "member '%s' does not state a size below 1 GiB", name);
    if ((st.valid & ZIP_STAT_COMP_SIZE) && st.size / 1100 > st.comp_size) /* deflate cannot do better than 1032:1 */
        return err_set(l->e, ST_FORMAT, "", "member '%s' claims to unpack to %llu bytes from %llu", name, (unsigned long long)st.size,
                       (unsigned long long)st.comp_size);
    uint8_t *p = arena_alloc(l->a, (size_t)st.size + 1, 1);
    zip_file_t *f = p ? zip_fopen_index(l->zip, (zip_uint64_t)i, 0) : NULL;
    if (!p) return native_nomem(l);
    zip_int64_t got = f ? zip_fread(f, p, st.size) : -1;
    char extra;
    bool whole = f && got == (zip_int64_t)st.size && zip_fread(f, &extra, 1) == 0; /* reading past the end checks the CRC */
    if (f) (void)zip_fclose(f);
    if (!whole) return err_set(l->e, ST_FORMAT, "", "member '%s' cannot be unpacked; the archive is damaged", name);
    *data = p;
    *len = (size_t)st.size;
    return ST_OK;
}

status native_array(native_loader *l, const yaml_node *n, npy_type type, npy_info *info, const void **data)
{
    const char *name;
    const uint8_t *bytes;
    size_t len;
    TRY(yaml_text(n, n->key ? n->key : "array", &name, l->e));
    status s = native_member(l, name, &bytes, &len);
    const uint8_t *p = NULL;
    if (s == ST_OK) {
        s = npy_parse(bytes, len, info, &p, l->e);
        if (s != ST_OK) {
            err_at(l->e, "%s", name);
            return s;
        }
    }
    if (s != ST_OK) { /* no member: the place is in model.yaml */
        err_at(l->e, "%d:%d", n->line, n->column);
        return s;
    }
    if (info->type != type) return yaml_fail(n, l->e, ST_FORMAT, "'%s' holds %s, expected %s", name, npy_type_name(info->type), npy_type_name(type));
    void *copy = arena_alloc(l->a, info->bytes, 1); /* aligned */
    if (!copy) return native_nomem(l);
    memcpy(copy, p, info->bytes);
    *data = copy;
    return ST_OK;
}

status native_integers(native_loader *l, const yaml_node *list, const char *what, int64_t min, int64_t max, int32_t **out, int *n)
{
    TRY(yaml_expect(list, YAML_LIST, what, l->e));
    *n = list->n;
    *out = arena_alloc(l->a, (size_t)list->n, sizeof **out);
    if (!*out) return native_nomem(l);
    for (int i = 0; i < list->n; i++) {
        int64_t v;
        TRY(yaml_int(&list->items[i], what, min, max, &v, l->e));
        (*out)[i] = (int32_t)v;
    }
    return ST_OK;
}

status native_find_choice(native_loader *l, const yaml_node *n, int *out)
{
    const char *name;
    TRY(yaml_text(n, "choice", &name, l->e));
    for (*out = 0; *out < l->g->n_choices; ++*out) {
        if (strcmp(l->g->choices[*out].name, name) == 0) return ST_OK;
    }
    return yaml_fail(n, l->e, ST_FORMAT, "no choice '%s'", name);
}
