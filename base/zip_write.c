/* SPDX-License-Identifier: Apache-2.0
 * Zip archives out: complete under their name, or not there at all. Fixed time stamps, so that equal contents are equal bytes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/file.h"
#include "base/npy.h"

enum { MAX_MEMBERS = 4096 };

typedef struct spool { /* one member, its rows in an unnamed temporary file until commit */
    char name[128];
    npy_info info;
    FILE *rows;
    uint64_t bytes;
} spool;

struct npz_writer {
    file_out out; /* reserves the name early, so that an unwritable path fails before the work */
    int n;
    spool *member;
};

/* Adds source under name with everything that could vary fixed. Takes the source in any case. */
static status add(zip_t *z, const char *name, zip_source_t *source, const char *path, err *e)
{
    zip_int64_t i = source ? zip_file_add(z, name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (i < 0) {
        zip_source_free(source);
        return err_set(e, ST_NOMEM, path, "cannot add '%s' to the archive: %s", name, zip_strerror(z));
    }
    (void)zip_set_file_compression(z, (zip_uint64_t)i, ZIP_CM_DEFLATE, 6);
    (void)zip_file_set_dostime(z, (zip_uint64_t)i, 0, 0x21, 0); /* 1980-01-01 */
    (void)zip_file_set_external_attributes(z, (zip_uint64_t)i, 0, ZIP_OPSYS_UNIX, (zip_uint32_t)0100644 << 16);
    return ST_OK;
}

/* The archive is written by libzip under o's temporary name; file_commit then syncs and renames it. */
static status start(file_out *o, zip_t **z, err *e)
{
    int code;
    *z = zip_open(o->temp, ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (*z) return ST_OK;
    return err_set(e, ST_IO, o->path, "cannot write an archive (libzip error %d)", code);
}

static status finish(file_out *o, zip_t *z, status s, err *e)
{
    if (s == ST_OK && zip_close(z) != 0) s = err_set(e, ST_IO, o->path, "cannot write: %s", zip_strerror(z));
    else if (s == ST_OK) z = NULL;
    if (z) zip_discard(z);
    if (s == ST_OK) { /* libzip has replaced the file: sync and rename the new one */
        (void)fclose(o->f);
        o->f = fopen(o->temp, "r+b");
        if (!o->f) s = err_set(e, ST_IO, o->path, "cannot write: %s", strerror(errno));
    }
    if (s == ST_OK) return file_commit(o, e);
    if (o->f) file_discard(o);
    else (void)remove(o->temp);
    return s;
}

status zip_write(const char *path, const zip_member *m, int n, err *e)
{
    file_out o;
    zip_t *z;
    TRY(file_create(&o, path, e));
    status s = start(&o, &z, e);
    if (s != ST_OK) {
        file_discard(&o);
        return s;
    }
    for (int i = 0; s == ST_OK && i < n; i++) s = add(z, m[i].name, zip_source_buffer(z, m[i].data, m[i].bytes, 0), path, e);
    return finish(&o, z, s, e);
}

status npz_create(const char *path, npz_writer **out, err *e)
{
    npz_writer *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w) return err_set(e, ST_NOMEM, path, "no memory");
    status s = file_create(&w->out, path, e);
    if (s == ST_OK)
        *out = w;
    else
        free(w);
    return s;
}

status npz_add(npz_writer *w, const char *name, const npy_info *info, int *member, err *e)
{
    if (w->n == MAX_MEMBERS || strlen(name) + 5 > sizeof w->member->name)
        return err_set(e, ST_ARG, w->out.path, "too many members, or a name too long: '%s'", name);
    spool *more = realloc(w->member, ((size_t)w->n + 1) * sizeof *more);
    if (!more) return err_set(e, ST_NOMEM, w->out.path, "no memory");
    w->member = more;
    spool *s = &w->member[w->n];
    memset(s, 0, sizeof *s);
    (void)snprintf(s->name, sizeof s->name, "%s.npy", name);
    s->info = *info;
    s->rows = tmpfile();
    if (!s->rows) return err_set(e, ST_IO, w->out.path, "cannot make a temporary file: %s", strerror(errno));
    char room[256] = {0};
    if (fwrite(room, 1, sizeof room, s->rows) != sizeof room) return err_set(e, ST_IO, w->out.path, "cannot write: %s", strerror(errno));
    *member = w->n++;
    return ST_OK;
}

status npz_put(npz_writer *w, int member, const void *data, size_t bytes, err *e)
{
    spool *s = &w->member[member];
    if (bytes && fwrite(data, 1, bytes, s->rows) != bytes)
        return err_set(e, ST_IO, w->out.path, "cannot write to a temporary file: %s", strerror(errno));
    s->bytes += bytes;
    return ST_OK;
}

/* Puts the header right before the rows: the first 256 bytes were kept free. *skip = where the .npy starts in the file. */
static status seal(npz_writer *w, spool *s, size_t *skip, err *e)
{
    char head[256];
    uint64_t row = npy_type_bytes(s->info.type);
    for (int i = 1; i < s->info.n_dims; i++) row *= (uint64_t)s->info.dims[i];
    if (s->info.n_dims && s->info.dims[0] < 0) s->info.dims[0] = row ? (int64_t)(s->bytes / row) : 0;
    if (s->info.n_dims) row *= (uint64_t)s->info.dims[0];
    if (row != s->bytes)
        return err_set(e, ST_ARG, w->out.path, "member '%s' got %llu bytes, its shape holds %llu", s->name, (unsigned long long)s->bytes,
                       (unsigned long long)row);
    size_t n = npy_header(&s->info, head);
    *skip = sizeof head - n;
    if (fseek(s->rows, (long)*skip, SEEK_SET) != 0 || fwrite(head, 1, n, s->rows) != n || fflush(s->rows) != 0)
        return err_set(e, ST_IO, w->out.path, "cannot write to a temporary file: %s", strerror(errno));
    return ST_OK;
}

static void release(npz_writer **w)
{
    for (int i = 0; i < (*w)->n; i++) {
        if ((*w)->member[i].rows) (void)fclose((*w)->member[i].rows);
    }
    free((*w)->member);
    free(*w);
    *w = NULL;
}

status npz_commit(npz_writer **w, err *e)
{
    npz_writer *x = *w;
    zip_t *z;
    status s = start(&x->out, &z, e);
    if (s != ST_OK) {
        npz_discard(w);
        return s;
    }
    for (int i = 0; s == ST_OK && i < x->n; i++) {
        size_t skip;
        s = seal(x, &x->member[i], &skip, e);
        if (s != ST_OK) break;
        zip_source_t *source = zip_source_filep(z, x->member[i].rows, skip, -1);
        if (source) x->member[i].rows = NULL; /* libzip closes it */
        s = add(z, x->member[i].name, source, x->out.path, e);
    }
    s = finish(&x->out, z, s, e);
    release(w);
    return s;
}

void npz_discard(npz_writer **w)
{
    if (!w || !*w) return;
    file_discard(&(*w)->out);
    release(w);
}
