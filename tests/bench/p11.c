/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Times C_Sign with CKM_ECDSA through PKCS#11 modules, each with the key that has the label
 * 'bench'.
 *
 *   p11 race MODULE PIN MODULE PIN…    medians in microseconds, one for each module; then the
 * median of the ratios of the first to each other one, in pairs of short batches
 *   p11 rate MODULE PIN SECONDS        signatures per second, after a line 'ready' and one from
 * standard input
 *
 * PIN '-': no C_Login. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <p11-kit/pkcs11.h>

#define PAIRS       200
#define BATCH       10
#define MODULES_MAX 4

typedef struct {
    CK_FUNCTION_LIST *functions;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
} Subject;

static void
check(const char *what, CK_RV rv)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "p11: %s failed: 0x%lx\n", what, rv);
    exit(1);
}

static double
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static CK_FUNCTION_LIST *
load(const char *path)
{
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_RV (*get_list)(CK_FUNCTION_LIST **) = NULL;
    CK_FUNCTION_LIST *functions = NULL;
    void *symbol = module ? dlsym(module, "C_GetFunctionList") : NULL;

    if (!symbol) {
        fprintf(stderr, "p11: cannot load '%s': %s\n", path, dlerror());
        exit(1);
    }
    memcpy(&get_list, &symbol, sizeof get_list);
    check("C_GetFunctionList", get_list(&functions));
    return functions;
}

/* The first token that is one: SoftHSM offers an empty one too. */
static CK_SLOT_ID
find_slot(CK_FUNCTION_LIST *functions)
{
    CK_SLOT_ID slots[16];
    CK_TOKEN_INFO info;
    CK_ULONG count = 16;

    check("C_GetSlotList", functions->C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        if (functions->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
            (info.flags & CKF_TOKEN_INITIALIZED))
            return slots[i];
    }
    check("looking for a token", CKR_TOKEN_NOT_PRESENT);
    return 0;
}

static Subject
open_subject(const char *path, const char *pin)
{
    Subject s = {.functions = load(path)};
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, "bench", 5}};
    CK_SLOT_ID slot;
    CK_ULONG count = 1;

    check("C_Initialize", s.functions->C_Initialize(NULL));
    slot = find_slot(s.functions);
    check("C_OpenSession",
          s.functions->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &s.session));
    if (strcmp(pin, "-") != 0)
        check("C_Login", s.functions->C_Login(s.session, CKU_USER, (CK_BYTE *)pin, strlen(pin)));
    check("C_FindObjectsInit", s.functions->C_FindObjectsInit(s.session, template, 2));
    check("C_FindObjects", s.functions->C_FindObjects(s.session, &s.key, 1, &count));
    check("C_FindObjectsFinal", s.functions->C_FindObjectsFinal(s.session));
    check("looking for the key 'bench'", count == 1 ? CKR_OK : CKR_KEY_HANDLE_INVALID);
    return s;
}

static void
sign_once(const Subject *s)
{
    CK_MECHANISM ecdsa = {.mechanism = CKM_ECDSA};
    CK_BYTE digest[32] = {1, 2, 3}, signature[256];
    CK_ULONG size = sizeof signature;

    check("C_SignInit", s->functions->C_SignInit(s->session, &ecdsa, s->key));
    check("C_Sign", s->functions->C_Sign(s->session, digest, sizeof digest, signature, &size));
}

static double
batch(const Subject *s)
{
    double start = now_us();

    for (int i = 0; i < BATCH; i++)
        sign_once(s);
    return (now_us() - start) / BATCH;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(double *values)
{
    qsort(values, PAIRS, sizeof(double), compare);
    return values[PAIRS / 2];
}

static void
race(const Subject *subjects, int n)
{
    static double times[MODULES_MAX][PAIRS], ratios[MODULES_MAX][PAIRS];

    for (int k = 0; k < n; k++)
        batch(&subjects[k]);
    for (int i = 0; i < PAIRS; i++) {
        for (int k = 0; k < n; k++) {
            times[k][i] = batch(&subjects[k]);
            ratios[k][i] = times[0][i] / times[k][i];
        }
    }
    for (int k = 0; k < n; k++)
        printf("%.2f ", median(times[k]));
    for (int k = 1; k < n; k++)
        printf("%.4f ", median(ratios[k]));
    printf("\n");
}

static void
rate(const Subject *s, double seconds)
{
    double start, end;
    unsigned long count = 0;

    sign_once(s);
    puts("ready");
    fflush(stdout);
    getchar();
    start = now_us();
    for (end = start + seconds * 1e6; now_us() < end; count++)
        sign_once(s);
    printf("%.1f\n", (double)count * 1e6 / (now_us() - start));
}

int
main(int argc, char **argv)
{
    Subject subjects[MODULES_MAX];
    int n = (argc - 2) / 2;

    if (argc >= 6 && argc % 2 == 0 && n <= MODULES_MAX && strcmp(argv[1], "race") == 0) {
        for (int i = 0; i < n; i++)
            subjects[i] = open_subject(argv[2 + 2 * i], argv[3 + 2 * i]);
        race(subjects, n);
    } else if (argc == 5 && strcmp(argv[1], "rate") == 0) {
        subjects[0] = open_subject(argv[2], argv[3]);
        rate(&subjects[0], atof(argv[4]));
    } else {
        fprintf(stderr, "usage: p11 race MODULE PIN MODULE PIN… | rate MODULE PIN SECONDS\n");
        return 2;
    }
    return 0;
}
