/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Runs a fuzz target without a fuzzer: on standard input, or on every file of the directories
 * named. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX ((size_t)1 << 20)

/* The input lies at the end of its memory, so that a sanitizer sees a read beyond. */
static void
run(FILE *file)
{
    static uint8_t buffer[INPUT_MAX];
    size_t size = fread(buffer, 1, sizeof(buffer), file);
    uint8_t *input = malloc(size + (size == 0));
    if (input == NULL)
        abort();
    for (size_t i = 0; i < size; i++)
        input[i] = buffer[i];
    LLVMFuzzerTestOneInput(input, size);
    free(input);
}

static unsigned
run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    run(file);
    fclose(file);
    return 1;
}

/* How many inputs were run. */
static unsigned
run_path(const char *path)
{
    unsigned n = 0;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return run_file(path);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        char name[4096];
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            n += run_file(name);
    }
    closedir(directory);
    return n;
}

int
main(int argc, char **argv)
{
    if (argc == 1)
        run(stdin);
    for (int i = 1; i < argc; i++) {
        unsigned n = run_path(argv[i]);
        printf("%s: %u inputs\n", argv[i], n);
        if (n == 0) /* a corpus has to be there */
            return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
