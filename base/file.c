/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

status file_read(const char *path, size_t max_bytes, arena *a, const uint8_t **data, size_t *len, err *e)
{
    FILE *f = fopen(path, "rb");
    if (!f) return err_set(e, ST_IO, path, "cannot open: %s", strerror(errno));
    struct stat st;
    status s = ST_OK;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        s = err_set(e, ST_IO, path, "not a regular file");
    } else if ((uint64_t)st.st_size > max_bytes) {
        s = err_set(e, ST_FORMAT, path, "%lld bytes, more than the %zu that such a file may have", (long long)st.st_size, max_bytes);
    } else {
        size_t n = (size_t)st.st_size;
        uint8_t *p = arena_alloc(a, n + 1, 1);
        if (!p)
            s = err_set(e, ST_NOMEM, path, "no memory for %zu bytes", n);
        else if (fread(p, 1, n, f) != n)
            s = err_set(e, ST_IO, path, "read failed: %s", ferror(f) ? strerror(errno) : "file shrank");
        *data = p;
        *len = n;
    }
    (void)fclose(f);
    return s;
}

status file_create(file_out *o, const char *path, err *e)
{
    o->f = NULL;
    if (strlen(path) >= sizeof o->path) return err_set(e, ST_ARG, path, "path is too long");
    (void)snprintf(o->path, sizeof o->path, "%s", path);
    (void)snprintf(o->temp, sizeof o->temp, "%s.%ld.tmp", path, (long)getpid());
    o->f = fopen(o->temp, "wb");
    if (!o->f) return err_set(e, ST_IO, path, "cannot write: %s", strerror(errno));
    return ST_OK;
}

status file_commit(file_out *o, err *e)
{
    int bad = fflush(o->f) != 0 || ferror(o->f) || fsync(fileno(o->f)) != 0;
    int why = errno;
    if (fclose(o->f) != 0 && !bad) {
        bad = 1;
        why = errno;
    }
    o->f = NULL;
    if (!bad && rename(o->temp, o->path) != 0) {
        bad = 1;
        why = errno;
    }
    if (!bad) return ST_OK;
    (void)remove(o->temp);
    return err_set(e, ST_IO, o->path, "cannot write: %s", strerror(why));
}

void file_discard(file_out *o)
{
    if (!o->f) return;
    (void)fclose(o->f);
    o->f = NULL;
    (void)remove(o->temp);
}

void file_remove_tree(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *f; d && (f = readdir(d));) {
        char inner[4096];
        if (strcmp(f->d_name, ".") == 0 || strcmp(f->d_name, "..") == 0) continue;
        int n = snprintf(inner, sizeof inner, "%s/%s", path, f->d_name);
        if (n > 0 && (size_t)n < sizeof inner && unlink(inner) != 0) file_remove_tree(inner);
    }
    if (d) closedir(d);
    (void)rmdir(path);
}
