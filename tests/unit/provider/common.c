/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The fake agent's life, configuration files, and reading what they made. */

#include "tests/unit/provider/common.h"

#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "provider/wire/reference.h"

const struct kind kinds[KINDS] = {
#define EC(name, type, bits)                                                                   \
    {                                                                                          \
        name, type, false, bits, EVP_PKEY_EC, "EC", "ECDSA", SIGNET_REFERENCE_OID_EC, "SHA256" \
    }
    EC("p256", "ec:P-256", 256),
    EC("p384", "ec:P-384", 384),
    EC("p521", "ec:P-521", 521),
#undef EC
    {"rsa", "rsa:2048", true, 2048, EVP_PKEY_RSA, "RSA", "RSA", SIGNET_REFERENCE_OID_RSA, "SHA256"},
    {"ed25519", "ed25519", false, 256, EVP_PKEY_ED25519, "ED25519", "EDDSA",
     SIGNET_REFERENCE_OID_ED25519, NULL},
};

static char directory[64] = "/tmp/signet-provider-XXXXXX";

static const char *
path_in_directory(const char *prefix, const char *file)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s%s", directory, prefix, file);
    return path;
}

const char *
scratch(const char *file)
{
    return path_in_directory("", file);
}

const char *
fake_agent_socket(void)
{
    return scratch("socket");
}

const char *
live(const struct kind *kind, unsigned generation, const char *file)
{
    char prefix[64];
    snprintf(prefix, sizeof(prefix), "live/%s/%u/", kind->name, generation);
    return path_in_directory(prefix, file);
}

static const char *
from_environment(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "%s is not set; run this by 'meson test'\n", name);
        exit(1);
    }
    return value;
}

const char *
provider_path(void)
{
    return from_environment("SIGNET_PROVIDER");
}

void
begin_with(const char *first, const char *socket, const char *more)
{
    bool signet_first = strcmp(first, "signet") == 0;
    char name[64];
    snprintf(name, sizeof(name), "openssl-%d.cnf", (int)getpid());
    const char *path = scratch(name);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fprintf(
        file,
        "openssl_conf = init\n[init]\nproviders = list\n[list]\n%s = %s_section\n%s = %s_section\n"
        "[default_section]\nactivate = 1\n"
        "[signet_section]\nmodule = %s\nsocket = %s\nactivate = 1\n%s\n",
        signet_first ? "signet" : "default", signet_first ? "signet" : "default",
        signet_first ? "default" : "signet", signet_first ? "default" : "signet", provider_path(),
        socket != NULL ? socket : fake_agent_socket(), more);
    fclose(file);
    setenv("OPENSSL_CONF", path, 1);
    unsetenv("SIGNET_SOCKET");
}

static const struct kind *
begin_row_of(int row, int count)
{
    begin_with(row / count == 0 ? "default" : "signet", NULL, "timeout = 10s");
    return &kinds[row % count];
}

const struct kind *
begin_row(int row)
{
    return begin_row_of(row, KINDS);
}

const struct kind *
begin_digest_row(int row)
{
    return begin_row_of(row, DIGEST_KINDS);
}

unsigned char *
read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "re");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    unsigned char *data = malloc(65536);
    *ret_size = fread(data, 1, 65536, file);
    fclose(file);
    return data;
}

EVP_PKEY *
load_pem_key(const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
    BIO_free(file);
    return key;
}

EVP_PKEY *
load_key(const struct kind *kind, unsigned generation)
{
    EVP_PKEY *key = load_pem_key(live(kind, generation, "key.pem"));
    ck_assert_ptr_nonnull(key);
    return key;
}

static X509 *
load_pem_cert(const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    ck_assert_ptr_nonnull(file);
    X509 *cert = PEM_read_bio_X509(file, NULL, NULL, NULL);
    BIO_free(file);
    ck_assert_ptr_nonnull(cert);
    return cert;
}

X509 *
load_cert(const struct kind *kind, unsigned generation)
{
    return load_pem_cert(live(kind, generation, "cert.pem"));
}

X509 *
load_ca(void)
{
    return load_pem_cert(scratch("live/ca.pem"));
}

EVP_PKEY *
generate_like(const struct kind *kind)
{
    EVP_PKEY *key = kind->is_rsa           ? EVP_RSA_gen((unsigned)kind->bits)
                    : kind->digest == NULL ? EVP_PKEY_Q_keygen(NULL, NULL, kind->algorithm)
                                           : EVP_EC_gen(kind->type + strlen("ec:"));
    ck_assert_ptr_nonnull(key);
    return key;
}

unsigned
count_requests(const char *prefix)
{
    char line[512];
    unsigned count = 0;
    FILE *file = fopen(scratch("log"), "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        count += strncmp(line, prefix, strlen(prefix)) == 0;
    if (file != NULL)
        fclose(file);
    return count;
}

const EVP_MD *
digest_for(const struct kind *kind, const EVP_MD *md)
{
    return kind->digest == NULL ? NULL : md;
}

void
assert_signs(EVP_PKEY *key, const struct kind *kind, unsigned generation)
{
    unsigned char signature[1024];
    size_t size = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *md = digest_for(kind, EVP_sha256());
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, md, NULL, key), 1);
    ck_assert_int_eq(EVP_DigestSign(context, signature, &size, (const unsigned char *)"abc", 3), 1);
    EVP_MD_CTX_free(context);

    X509 *cert = load_cert(kind, generation);
    context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestVerifyInit(context, NULL, md, NULL, X509_get0_pubkey(cert)), 1);
    ck_assert_int_eq(EVP_DigestVerify(context, signature, size, (const unsigned char *)"abc", 3),
                     1);
    EVP_MD_CTX_free(context);
    X509_free(cert);
}

void
assert_no_errors(void)
{
    unsigned long error = ERR_peek_error();
    char text[256] = "";
    ERR_error_string_n(error, text, sizeof(text));
    ck_assert_msg(error == 0, "the error queue is not empty: %s", text);
}

static pid_t
start_fake_agent(void)
{
    int output[2];
    if (mkdtemp(directory) == NULL || pipe(output) < 0 || chmod(directory, 0755) < 0)
        exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(output[1], STDOUT_FILENO);
        unsetenv("OPENSSL_CONF");
        char *arguments[] = {(char *)from_environment("FAKE_AGENT"),
                             (char *)"--socket",
                             (char *)fake_agent_socket(),
                             (char *)"--live",
                             (char *)scratch("live"),
                             (char *)"--log",
                             (char *)scratch("log"),
                             (char *)"p256=ec:P-256",
                             (char *)"p384=ec:P-384",
                             (char *)"p521=ec:P-521",
                             (char *)"rsa=rsa:2048",
                             (char *)"ed25519=ed25519",
                             (char *)"other=ec:P-256",
                             (char *)"forbidden=denied",
                             NULL};
        execv(arguments[0], arguments);
        _exit(127);
    }
    close(output[1]);
    char ready[8] = "";
    bool ok = read(output[0], ready, 5) == 5 && memcmp(ready, "ready", 5) == 0;
    close(output[0]);
    if (!ok) {
        fprintf(stderr, "the fake agent does not start\n");
        exit(1);
    }
    return pid;
}

static void
remove_directory(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", directory, NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

int
main(void)
{
    pid_t agent = start_fake_agent();
    SRunner *runner = srunner_create(rules_suite());
    srunner_add_suite(runner, keys_suite());
    srunner_add_suite(runner, operations_suite());
    srunner_add_suite(runner, tls_suite());
    srunner_add_suite(runner, bystanders_suite());
    srunner_add_suite(runner, processes_suite());
    srunner_add_suite(runner, generations_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    kill(agent, SIGTERM);
    waitpid(agent, NULL, 0);
    remove_directory();
    return failed == 0 ? 0 : 1;
}
