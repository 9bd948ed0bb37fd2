/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Times signatures with a key against something else in the same process, in alternating batches.
 *
 *   sign echo KEY CPU CPU    a signature, and a bare SEQPACKET echo between two processes: this one
 * and its peer keep to these CPUs sign other KEY OTHERKEY  a signature with KEY, and one with
 * OTHERKEY (a key of the provider tpm2); "slow": with few of them sign first KEY [tpm2]    loads
 * KEY (by provider tpm2), signs once, exits: to be timed from outside sign times KEY COUNT    the
 * median of so many signatures sign flood KEY THREADS    signs in so many threads at once until it
 * is killed
 *
 * Prints medians in microseconds; of two things, the median of the ratios of pairs as well. */

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>

#define PAIRS_MAX 400

/* What a TLS 1.3 client signs: RFC 8446 4.4.3. */
static unsigned char tls_message[64 + 34 + 32];

struct subject {
    EVP_PKEY *key; /* NULL: the echo */
    const char *properties;
    int echo_fd;
};

/* tpm2-openssl signs only when it is asked for by property, and hashes in the TPM unless told not
 * to. */
#define TPM2_PROPERTIES "?provider=tpm2,tpm2.digest!=yes"

static double
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
fail(const char *what)
{
    fprintf(stderr, "sign: %s failed\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static EVP_PKEY *
load_key(const char *path)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(path, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;
    while (store && !key && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    if (!key)
        fail(path);
    return key;
}

static void
sign_once(const struct subject *subject)
{
    unsigned char signature[1024];
    size_t size = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, subject->properties, subject->key,
                               NULL) ||
        !EVP_DigestSign(ctx, signature, &size, tls_message, sizeof(tls_message)))
        fail("EVP_DigestSign");
    EVP_MD_CTX_free(ctx);
}

static void
echo_once(int fd)
{
    unsigned char packet[192] = {0};
    if (send(fd, packet, sizeof(packet), 0) < 0 || recv(fd, packet, sizeof(packet), 0) <= 0)
        fail("echo");
}

static void
keep_to(const char *cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)atoi(cpu), &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        fail("sched_setaffinity");
}

static int
start_echo(const char *cpu, pid_t *ret_pid)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
        fail("socketpair");
    *ret_pid = fork();
    if (*ret_pid == 0) {
        unsigned char packet[512];
        ssize_t size;
        keep_to(cpu);
        close(ends[0]);
        while ((size = recv(ends[1], packet, sizeof(packet), 0)) > 0)
            if (send(ends[1], packet, (size_t)size, 0) < 0)
                break;
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

static void
load_tpm2(void)
{
    if (!OSSL_PROVIDER_load(NULL, "default") || !OSSL_PROVIDER_load(NULL, "tpm2"))
        fail("loading the provider tpm2");
}

static double
batch(const struct subject *subject, int count)
{
    double start = now_us();
    for (int i = 0; i < count; i++) {
        if (subject->key)
            sign_once(subject);
        else
            echo_once(subject->echo_fd);
    }
    return (now_us() - start) / count;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median(double *values, size_t count)
{
    qsort(values, count, sizeof(double), compare);
    return values[count / 2];
}

/* Pairs of short batches, so that what else the machine does meets both alike. */
static void
race(const struct subject *a, const struct subject *b, int count, size_t pairs)
{
    double times[2][PAIRS_MAX], ratios[PAIRS_MAX];
    batch(a, count);
    batch(b, count);
    for (size_t i = 0; i < pairs; i++) {
        times[0][i] = batch(a, count);
        times[1][i] = batch(b, count);
        ratios[i] = times[0][i] / times[1][i];
    }
    printf("%.2f %.2f %.4f\n", median(times[0], pairs), median(times[1], pairs),
           median(ratios, pairs));
}

static void
race_echo(char **arguments)
{
    pid_t pid;
    struct subject echo = {.echo_fd = start_echo(arguments[2], &pid)};
    keep_to(arguments[1]);
    struct subject signet = {.key = load_key(arguments[0])};
    race(&signet, &echo, 50, PAIRS_MAX);
    close(echo.echo_fd);
    waitpid(pid, NULL, 0);
    EVP_PKEY_free(signet.key);
}

static void
median_of(const char *path, int count)
{
    struct subject subject = {.key = load_key(path)};
    double *times = calloc((size_t)count, sizeof(double));
    sign_once(&subject);
    for (int i = 0; i < count; i++) {
        double began = now_us();
        sign_once(&subject);
        times[i] = now_us() - began;
    }
    printf("%.2f\n", median(times, (size_t)count));
    free(times);
    EVP_PKEY_free(subject.key);
}

static void *
sign_for_ever(void *subject)
{
    for (;;)
        sign_once(subject);
    return NULL;
}

static void
flood(const char *path, int threads)
{
    struct subject subject = {.key = load_key(path)};
    pthread_t thread;
    puts("ready");
    fflush(stdout);
    for (int i = 1; i < threads; i++) {
        if (pthread_create(&thread, NULL, sign_for_ever, &subject) != 0)
            fail("pthread_create");
    }
    sign_for_ever(&subject);
}

int
main(int argc, char **argv)
{
    memset(tls_message, ' ', 64);
    memcpy(tls_message + 64, "TLS 1.3, client CertificateVerify", 34);
    if (argc == 5 && strcmp(argv[1], "echo") == 0) {
        race_echo(argv + 2);
    } else if (argc == 4 && (strcmp(argv[1], "other") == 0 || strcmp(argv[1], "slow") == 0)) {
        bool is_slow = strcmp(argv[1], "slow") == 0;
        load_tpm2();
        struct subject signet = {.key = load_key(argv[2])};
        struct subject other = {.key = load_key(argv[3]), .properties = TPM2_PROPERTIES};
        race(&signet, &other, is_slow ? 1 : 5, is_slow ? 20 : PAIRS_MAX);
        EVP_PKEY_free(signet.key);
        EVP_PKEY_free(other.key); /* or its objects stay in the TPM */
    } else if (argc >= 3 && strcmp(argv[1], "first") == 0) {
        struct subject subject = {0};
        if (argc == 4) {
            load_tpm2();
            subject.properties = TPM2_PROPERTIES;
        }
        subject.key = load_key(argv[2]);
        sign_once(&subject);
        EVP_PKEY_free(subject.key);
    } else if (argc == 4 && strcmp(argv[1], "times") == 0) {
        median_of(argv[2], atoi(argv[3]));
    } else if (argc == 4 && strcmp(argv[1], "flood") == 0) {
        flood(argv[2], atoi(argv[3]));
    } else {
        fprintf(stderr,
                "usage: sign echo KEY CPU CPU | other|slow KEY OTHERKEY | first KEY [PROVIDER] | "
                "times KEY COUNT | flood KEY THREADS\n");
        return 2;
    }
    return 0;
}
