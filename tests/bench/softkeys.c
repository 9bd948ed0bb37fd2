/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What ordinary keys and certificates cost in a process that has the provider loaded, as ratios to
 * one that has not.
 *
 *   softkeys PROVIDER.so    prints "name <tab> microseconds without <tab> microseconds with <tab>
 * ratio" */

#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS  7
#define REPEATS 300

struct sample {
    const char *name;
    bool is_public;
    char *pem;
};

static double
cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static EVP_PKEY *
read_once(const struct sample *sample, OSSL_LIB_CTX *context)
{
    BIO *memory = BIO_new_mem_buf(sample->pem, -1);
    EVP_PKEY *key = sample->is_public
                        ? PEM_read_bio_PUBKEY_ex(memory, NULL, NULL, NULL, context, NULL)
                        : PEM_read_bio_PrivateKey_ex(memory, NULL, NULL, NULL, context, NULL);
    BIO_free(memory);
    return key;
}

static double
measure(const struct sample *sample, OSSL_LIB_CTX *context)
{
    double start = cpu_us();
    for (int i = 0; i < REPEATS; i++) {
        EVP_PKEY *key = read_once(sample, context);
        if (key == NULL) {
            fprintf(stderr, "cannot read %s\n", sample->name);
            exit(1);
        }
        EVP_PKEY_free(key);
    }
    return (cpu_us() - start) / REPEATS;
}

static char *
pem_of(EVP_PKEY *key, bool is_public)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *data = NULL;
    int ok = is_public ? PEM_write_bio_PUBKEY(memory, key)
                       : PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL);
    long size = ok ? BIO_get_mem_data(memory, &data) : 0;
    char *pem = strndup(data == NULL ? "" : data, (size_t)size);
    BIO_free(memory);
    return pem;
}

static OSSL_LIB_CTX *
context_with(const char *provider)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    if (OSSL_PROVIDER_load(context, "default") == NULL ||
        (provider != NULL && OSSL_PROVIDER_load(context, provider) == NULL)) {
        fprintf(stderr, "cannot load %s\n", provider == NULL ? "default" : provider);
        exit(1);
    }
    return context;
}

/* The least of several rounds, taken in turn, of processor time: a busy machine disturbs both
 * alike. */
static void
compare(const struct sample *sample, OSSL_LIB_CTX *without, OSSL_LIB_CTX *with)
{
    double best[2] = {1e12, 1e12};
    for (int i = 0; i < ROUNDS; i++) {
        double times[2] = {measure(sample, without), measure(sample, with)};
        for (int k = 0; k < 2; k++)
            best[k] = times[k] < best[k] ? times[k] : best[k];
    }
    printf("%s\t%.1f\t%.1f\t%.3f\n", sample->name, best[0], best[1], best[1] / best[0]);
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: softkeys PROVIDER.so\n");
        return 2;
    }
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    EVP_PKEY *ec = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
    struct sample samples[] = {{"read EC private key", false, pem_of(ec, false)},
                               {"read RSA private key", false, pem_of(rsa, false)},
                               {"read EC public key", true, pem_of(ec, true)},
                               {"read RSA public key", true, pem_of(rsa, true)}};
    OSSL_LIB_CTX *without = context_with(NULL), *with = context_with(argv[1]);
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        compare(&samples[i], without, with);
        free(samples[i].pem);
    }
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
    return 0;
}
