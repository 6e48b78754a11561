/* SPDX-License-Identifier: Apache-2.0 */
#include "model/load.h"

#include <string.h>
#include <zlib.h>

#include "base/file.h"

static const size_t MAX_FILE = (size_t)1 << 30;

static status parse(const uint8_t *bytes, size_t len, arena *a, model_graph **out, err *e)
{
    if (len >= 8 && memcmp(bytes + 4, "TFL3", 4) == 0) return model_load_tflite(bytes, len, a, out, e);
    if (len >= 4 && memcmp(bytes, "PK\3\4", 4) == 0) return model_load_native(bytes, len, a, out, e);
    return err_set(e, ST_FORMAT, "", len ? "neither a .tflite file nor a native model (.bitemu, a zip archive)" : "the file is empty");
}

status model_load(const char *path, arena *a, model_graph **out, err *e)
{
    const uint8_t *bytes;
    size_t len;
    *out = NULL;
    TRY(file_read(path, MAX_FILE, a, &bytes, &len, e));
    status s = parse(bytes, len, a, out, e);
    if (s != ST_OK) {
        err_at(e, "%s", path);
        return s;
    }
    (*out)->path = arena_strdup(a, path, strlen(path));
    (*out)->crc32 = (uint32_t)crc32(crc32(0, NULL, 0), bytes, (uInt)len);
    (*out)->file_bytes = len;
    return (*out)->path ? ST_OK : err_set(e, ST_NOMEM, path, "no memory");
}
