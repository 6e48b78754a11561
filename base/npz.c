/* SPDX-License-Identifier: Apache-2.0
 * Arrays on disk: rows of a .npy or of a member of an .npz (zip), and writing an .npz member by member. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#include "base/file.h"
#include "base/npy_stream.h"

struct npy_reader {
    FILE *file;      /* plain .npy */
    zip_t *zip;      /* or a zip and its member */
    zip_file_t *member;
    npy_info info;
    size_t row_bytes;
    int64_t at;
    char place[512]; /* "x.npz:in0" */
};

static zip_t *open_zip(const char *path, err *e)
{
    int code;
    zip_t *z = zip_open(path, ZIP_RDONLY, &code);
    if (z) return z;
    zip_error_t why;
    zip_error_init_with_code(&why, code);
    (void)err_set(e, code == ZIP_ER_OPEN || code == ZIP_ER_NOENT ? ST_IO : ST_FORMAT, path, "cannot open: %s", zip_error_strerror(&why));
    zip_error_fini(&why);
    return NULL;
}

bool npy_is_zip(const char *path)
{
    unsigned char head[4] = {0};
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) return false; /* a look into a pipe would take its bytes */
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(head, 1, 4, f) : 0;
    if (f) (void)fclose(f);
    return n == 4 && head[0] == 'P' && head[1] == 'K' && ((head[2] == 3 && head[3] == 4) || (head[2] == 5 && head[3] == 6));
}

static status read_exactly(void *ctx, void *to, size_t n, err *e)
{
    npy_reader *r = ctx;
    uint8_t *p = to;
    size_t done = 0;
    if (r->file) {
        done = fread(p, 1, n, r->file);
        if (done < n && ferror(r->file)) return err_set(e, ST_IO, r->place, "read failed: %s", strerror(errno));
    }
    while (r->member && done < n) {
        zip_int64_t got = zip_fread(r->member, p + done, n - done);
        if (got < 0) return err_set(e, ST_FORMAT, r->place, "the archive is damaged: %s", zip_error_strerror(zip_file_get_error(r->member)));
        if (got == 0) break;
        done += (size_t)got;
    }
    return done == n ? ST_OK : err_set(e, ST_FORMAT, r->place, "ends early, at element row %lld", (long long)r->at);
}

/* *bytes: uncompressed length of the member. */
static status open_member(npy_reader *r, const char *path, const char *member, uint64_t *bytes, err *e)
{
    char name[256];
    zip_stat_t st;
    r->zip = open_zip(path, e);
    if (!r->zip) return e ? e->code : ST_FORMAT;
    (void)snprintf(name, sizeof name, "%s.npy", member);
    zip_int64_t i = zip_name_locate(r->zip, name, 0);
    if (i < 0) return err_set(e, ST_FORMAT, path, "the archive has no array '%s'", member);
    if (zip_stat_index(r->zip, (zip_uint64_t)i, 0, &st) != 0 || !(st.valid & ZIP_STAT_SIZE))
        return err_set(e, ST_FORMAT, r->place, "the archive does not say how long this member is");
    r->member = zip_fopen_index(r->zip, (zip_uint64_t)i, 0);
    if (!r->member) return err_set(e, ST_FORMAT, r->place, "cannot be read: %s", zip_strerror(r->zip));
    *bytes = st.size;
    return ST_OK;
}

static status open_plain(npy_reader *r, const char *path, uint64_t *bytes, err *e)
{
    r->file = fopen(path, "rb");
    if (!r->file) return err_set(e, ST_IO, path, "cannot open: %s", strerror(errno));
    if (fseek(r->file, 0, SEEK_END) != 0) return err_set(e, ST_IO, path, "not a regular file");
    long end = ftell(r->file);
    if (end < 0 || end == __LONG_MAX__ || fseek(r->file, 0, SEEK_SET) != 0) return err_set(e, ST_IO, path, "not a regular file");
    *bytes = (uint64_t)end;
    return ST_OK;
}

static status open_any(npy_reader *r, const char *path, const char *member, err *e)
{
    uint64_t bytes = 0;
    size_t header;
    (void)snprintf(r->place, sizeof r->place, "%s%s%s", path, member ? ":" : "", member ? member : "");
    TRY(member ? open_member(r, path, member, &bytes, e) : open_plain(r, path, &bytes, e));
    status s = npy_parse_stream(read_exactly, r, &r->info, &header, e);
    if (s != ST_OK) {
        if (e && strcmp(e->where, r->place) != 0) err_at(e, "%s", r->place);
        return s;
    }
    if (r->info.bytes != bytes - header)
        return err_set(e, ST_FORMAT, r->place, "holds %llu bytes of elements, its header announces %zu", (unsigned long long)(bytes - header),
                       r->info.bytes);
    if (r->info.n_dims && r->info.dims[0]) r->row_bytes = r->info.bytes / (size_t)r->info.dims[0];
    return ST_OK;
}

status npy_open(const char *path, const char *member, npy_reader **out, err *e)
{
    err local = {0};
    npy_reader *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r) return err_set(e, ST_NOMEM, path, "no memory");
    status s = open_any(r, path, member, e ? e : &local);
    if (s == ST_OK)
        *out = r;
    else
        npy_close(&r);
    return s;
}

const npy_info *npy_reader_info(const npy_reader *r) { return &r->info; }
size_t npy_row_bytes(const npy_reader *r) { return r->row_bytes; }

status npy_read_row(npy_reader *r, void *row, err *e)
{
    if (r->info.n_dims == 0 || r->at >= r->info.dims[0]) return err_set(e, ST_ARG, r->place, "no row %lld", (long long)r->at);
    TRY(read_exactly(r, row, r->row_bytes, e));
    r->at++;
    return ST_OK;
}

status npy_skip_rows(npy_reader *r, int64_t n, err *e)
{
    uint8_t buf[4096];
    if (r->info.n_dims == 0 || n < 0 || n > r->info.dims[0] - r->at) return err_set(e, ST_ARG, r->place, "no %lld rows to skip", (long long)n);
    for (size_t left = (size_t)n * r->row_bytes; left;) {
        size_t step = left < sizeof buf ? left : sizeof buf;
        TRY(read_exactly(r, buf, step, e));
        left -= step;
    }
    r->at += n;
    return ST_OK;
}

void npy_close(npy_reader **r)
{
    if (!r || !*r) return;
    if ((*r)->file) (void)fclose((*r)->file);
    if ((*r)->member) (void)zip_fclose((*r)->member);
    if ((*r)->zip) zip_discard((*r)->zip);
    free(*r);
    *r = NULL;
}

status npy_members(const char *path, arena *a, char ***names, int *n, err *e)
{
    err local = {0};
    if (!e) e = &local;
    zip_t *z = open_zip(path, e);
    if (!z) return e->code;
    zip_int64_t count = zip_get_num_entries(z, 0);
    status s = ST_OK;
    *n = 0;
    *names = arena_alloc(a, count > 0 ? (size_t)count : 0, sizeof **names);
    if (!*names) s = err_set(e, ST_NOMEM, path, "no memory");
    for (zip_int64_t i = 0; s == ST_OK && i < count; i++) {
        const char *name = zip_get_name(z, (zip_uint64_t)i, 0);
        size_t len = name ? strlen(name) : 0;
        if (len < 4 || strcmp(name + len - 4, ".npy") != 0) continue;
        if (!((*names)[(*n)++] = arena_strdup(a, name, len - 4))) s = err_set(e, ST_NOMEM, path, "no memory");
    }
    zip_discard(z);
    return s;
}

status npy_load(const char *path, const char *member, arena *a, npy_info *info, const void **data, err *e)
{
    npy_reader *r;
    TRY(npy_open(path, member, &r, e));
    *info = r->info;
    void *p = arena_alloc(a, r->info.bytes, 1);
    status s = p ? read_exactly(r, p, r->info.bytes, e) : err_set(e, ST_NOMEM, r->place, "no memory for %zu bytes", r->info.bytes);
    *data = p;
    npy_close(&r);
    return s;
}
