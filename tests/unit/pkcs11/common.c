/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The fake agent's life, loading the module, and finding objects in it. */

#include "tests/unit/pkcs11/common.h"

#include <dlfcn.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const struct kind kinds[KINDS] = {
    {"p256", "ec:P-256", false, false, 32},  {"p384", "ec:P-384", false, false, 48},
    {"p521", "ec:P-521", false, false, 66},  {"rsa", "rsa:2048", true, false, 256},
    {"ed25519", "ed25519", false, true, 32},
};

CK_FUNCTION_LIST *p11;

static char directory[64] = "/tmp/signet-pkcs11-XXXXXX";
static pid_t agent_pid;

const char *
scratch(const char *file)
{
    static _Thread_local char paths[4][256];
    static _Thread_local unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", directory, file);
    return path;
}

pid_t
fake_agent_pid(void)
{
    return agent_pid;
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

void
load_module(void)
{
    void *module = dlopen(from_environment("SIGNET_PKCS11"), RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(module != NULL, "%s", dlerror());
    CK_C_GetFunctionList get = NULL;
    *(void **)&get = dlsym(module, "C_GetFunctionList");
    ck_assert_ptr_nonnull(get);
    ck_assert_ok(get(&p11));
    setenv("SIGNET_SOCKET", scratch("socket"), 1);
}

CK_SESSION_HANDLE
open_session(void)
{
    CK_SESSION_HANDLE session;
    ck_assert_ok(p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session));
    return session;
}

CK_SESSION_HANDLE
begin(void)
{
    load_module();
    ck_assert_ok(p11->C_Initialize(NULL));
    return open_session();
}

CK_ULONG
find_all(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *found)
{
    CK_ULONG number, more;
    CK_OBJECT_HANDLE other;
    ck_assert_ok(p11->C_FindObjectsInit(session, template, count));
    ck_assert_ok(p11->C_FindObjects(session, found, 64, &number));
    ck_assert_ok(p11->C_FindObjects(session, &other, 1, &more));
    ck_assert_uint_eq(more, 0);
    ck_assert_ok(p11->C_FindObjectsFinal(session));
    return number;
}

CK_OBJECT_HANDLE
find_one(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)},
                               {CKA_LABEL, (void *)label, strlen(label)}};
    CK_OBJECT_HANDLE found[64];
    ck_assert_uint_eq(find_all(session, template, 2, found), 1);
    return found[0];
}

const unsigned char *
get_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
              size_t *ret_size)
{
    static unsigned char buffers[2][4096];
    static unsigned next;
    CK_ATTRIBUTE attribute = {type, buffers[next++ % 2], sizeof(buffers[0])};
    CK_RV rv = p11->C_GetAttributeValue(session, object, &attribute, 1);
    ck_assert_msg(rv == CKR_OK, "attribute 0x%lx: 0x%lx", type, rv);
    *ret_size = attribute.ulValueLen;
    return attribute.pValue;
}

CK_ULONG
get_number(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_ULONG number;
    size_t size;
    const unsigned char *value = get_attribute(session, object, type, &size);
    ck_assert_uint_eq(size, sizeof(number));
    memcpy(&number, value, sizeof(number));
    return number;
}

bool
get_flag(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    size_t size;
    const unsigned char *value = get_attribute(session, object, type, &size);
    ck_assert_uint_eq(size, sizeof(CK_BBOOL));
    return *value == CK_TRUE;
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
load_cert(const char *name, unsigned generation)
{
    char file[128];
    snprintf(file, sizeof(file), "live/%s/%u/cert.pem", name, generation);
    return load_pem_cert(scratch(file));
}

X509 *
load_ca(void)
{
    return load_pem_cert(scratch("live/ca.pem"));
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

void
assert_signs(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, const char *name, unsigned generation)
{
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    unsigned char raw[256], *der = NULL, message[] = "abc";
    CK_ULONG size = sizeof(raw);
    ck_assert_ok(p11->C_SignInit(session, &mechanism, key));
    ck_assert_ok(p11->C_Sign(session, message, sizeof(message), raw, &size));
    ECDSA_SIG *signature = ECDSA_SIG_new();
    ck_assert(ECDSA_SIG_set0(signature, BN_bin2bn(raw, (int)size / 2, NULL),
                             BN_bin2bn(raw + size / 2, (int)size / 2, NULL)));
    int der_size = i2d_ECDSA_SIG(signature, &der);

    X509 *cert = load_cert(name, generation);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(
        EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, X509_get0_pubkey(cert)), 1);
    ck_assert_int_eq(EVP_DigestVerify(context, der, (size_t)der_size, message, sizeof(message)), 1);
    EVP_MD_CTX_free(context);
    X509_free(cert);
    ECDSA_SIG_free(signature);
    OPENSSL_free(der);
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
        const char *arguments[] = {from_environment("FAKE_AGENT"),
                                   "--socket",
                                   scratch("socket"),
                                   "--live",
                                   scratch("live"),
                                   "--log",
                                   scratch("log"),
                                   "p256=ec:P-256",
                                   "p384=ec:P-384",
                                   "p521=ec:P-521",
                                   "rsa=rsa:2048",
                                   "ed25519=ed25519",
                                   "p25=ec:P-256",
                                   "forbidden=denied",
                                   NULL};
        execv(arguments[0], (char **)arguments);
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
    unsetenv("OPENSSL_CONF");
    agent_pid = start_fake_agent();
    SRunner *runner = srunner_create(token_suite());
    srunner_add_suite(runner, objects_suite());
    srunner_add_suite(runner, operations_suite());
    srunner_add_suite(runner, processes_suite());
    srunner_add_suite(runner, pairs_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    kill(agent_pid, SIGTERM);
    waitpid(agent_pid, NULL, 0);
    remove_directory();
    return failed == 0 ? 0 : 1;
}
