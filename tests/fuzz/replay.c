/* SPDX-License-Identifier: Apache-2.0
 * Runs a fuzz harness over the files of the folders given: the corpus as an ordinary test. Also tries every file cut short and with
 * flipped bits (seeded), so that the plain build walks the error paths too. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 40, FLIPS = 60, MAX_FILE = 1 << 22 };

static uint32_t next_random(uint32_t *s) { return *s = *s * 1664525u + 1013904223u; }

static void one(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n + 1); /* exactly sized for the cut ones, so that a sanitizer sees an overrun */
    uint32_t seed = 1;
    LLVMFuzzerTestOneInput(bytes, n);
    for (int i = 0; copy && n && i < CUTS; i++) {
        size_t len = next_random(&seed) % n;
        uint8_t *cut = malloc(len ? len : 1);
        if (!cut) break;
        memcpy(cut, bytes, len);
        LLVMFuzzerTestOneInput(cut, len);
        free(cut);
    }
    for (int i = 0; copy && n && i < FLIPS; i++) {
        memcpy(copy, bytes, n);
        for (int k = 0; k <= i % 4; k++) copy[next_random(&seed) % n] ^= (uint8_t)(1u << (next_random(&seed) >> 29));
        LLVMFuzzerTestOneInput(copy, n);
    }
    free(copy);
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        struct dirent *entry;
        while (dir && (entry = readdir(dir))) {
            char path[1024];
            if (entry->d_name[0] == '.') continue;
            (void)snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            FILE *f = fopen(path, "rb");
            uint8_t *bytes = malloc(MAX_FILE);
            if (f && bytes) {
                one(bytes, fread(bytes, 1, MAX_FILE, f));
                files++;
            }
            free(bytes);
            if (f) (void)fclose(f);
        }
        if (dir) (void)closedir(dir);
    }
    printf("%d corpus files, each whole, cut %d times and with flipped bits %d times\n", files, CUTS, FLIPS);
    return files ? 0 : 1;
}
