/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The trial itself, in a library context of its own, by the configuration of the program that is
 * played. */

#include "agent/probe/trial.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/probe/certificate.h"
#include "agent/probe/reach.h"
#include "agent/probe/say.h"
#include "provider/wire/catalogue.h"

#define SIGNATURE_MAX 1024

/* provider/openssl/core.h: its own reasons, and the agent's status on top of REASON_AGENT. */
#define REASON_UNREACHABLE 2
#define REASON_TIMED_OUT   3
#define REASON_AGENT       64

/* RFC 8446 4.4.3: 64 spaces, the context string, a zero, the hash of the transcript */
#define PAD_SIZE  64
#define HASH_SIZE 32

struct subject {
    OSSL_LIB_CTX *context;
    EVP_PKEY *key;     /* (owned) (nullable) */
    X509 *certificate; /* (owned) (nullable) */
};

bool
signet_trial_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    signet_say("socket.path", "%s", path);
    if (strlen(path) >= sizeof(address.sun_path)) {
        signet_say("socket.error", "%s", strerror(ENAMETOOLONG));
        return false;
    }
    if (signet_reach("socket", path, W_OK) != 0)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_connected =
        fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    /* a full queue is somebody who listens */
    bool is_reached = is_connected || (fd >= 0 && errno == EAGAIN);
    if (!is_reached)
        signet_say("socket.error", "%s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return is_reached;
}

/* --- errors --- */

static const char *
status_of(int reason)
{
    if (reason >= REASON_AGENT)
        return signet_wire_status_name((unsigned)(reason - REASON_AGENT));
    return reason == REASON_UNREACHABLE || reason == REASON_TIMED_OUT ? "no answer" : "";
}

/* The provider's own entry is the first of its kind; else the last entry says most. */
static void
say_errors(const char *stage)
{
    char name[32], text[256] = "";
    const char *data, *status = "";
    int flags;
    unsigned long code;
    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        bool has_data = (flags & ERR_TXT_STRING) != 0 && *data != '\0';
        const char *reason = ERR_reason_error_string(code);
        if (has_data && strncmp(data, "signet: ", 8) == 0) {
            snprintf(text, sizeof(text), "%s", data + 8);
            status = status_of(ERR_GET_REASON(code));
            break;
        }
        snprintf(text, sizeof(text), "%s%s%s", reason == NULL ? "" : reason, has_data ? ": " : "",
                 has_data ? data : "");
    }
    ERR_clear_error();
    snprintf(name, sizeof(name), "%s.error", stage);
    signet_say(name, "%s", *text == '\0' ? "without a reason" : text);
    snprintf(name, sizeof(name), "%s.status", stage);
    signet_say(name, "%s", status);
}

/* --- providers --- */

/* Why libcrypto did not load it: where it looks, and what the loader says. */
static void
say_module(const char *module)
{
    char path[4096];
    const char *directory = getenv("OPENSSL_MODULES");
    if (directory == NULL)
        directory = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
    if (*module == '\0')
        module = "signet.so";
    if (strchr(module, '/') != NULL)
        snprintf(path, sizeof(path), "%s", module);
    else
        snprintf(path, sizeof(path), "%s/%s", directory == NULL ? "" : directory, module);
    signet_say("module.path", "%s", path);
    if (signet_reach("module", path, R_OK) != 0)
        return;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    signet_say("module.error", "%s", handle == NULL ? dlerror() : "it did not start");
}

static bool
load_configuration(const struct signet_trial *trial, OSSL_LIB_CTX *context, const char *module)
{
    ERR_clear_error();
    CONF_modules_load_file_ex(context, trial->config, trial->application,
                              CONF_MFLAGS_IGNORE_MISSING_FILE | CONF_MFLAGS_IGNORE_RETURN_CODES);
    ERR_clear_error();
    if (!OSSL_PROVIDER_available(context, "signet")) {
        say_module(module);
        return false;
    }
    bool has_default = OSSL_PROVIDER_available(context, "default") != 0;
    signet_say("default.active", "%s", has_default ? "yes" : "no");
    return has_default;
}

/* --- the key and its certificate --- */

static int
no_passphrase(char *buffer, int size, int is_writing, void *data)
{
    return -1;
}

static EVP_PKEY *
load_file(OSSL_LIB_CTX *context, const char *path)
{
    BIO *bio = BIO_new_file(path, "rb");
    char first = 0;
    EVP_PKEY *key = NULL;
    if (bio != NULL && BIO_read(bio, &first, 1) == 1 && BIO_seek(bio, 0) >= 0)
        key = first == 0x30
                  ? d2i_PrivateKey_ex_bio(bio, NULL, context, NULL)
                  : PEM_read_bio_PrivateKey_ex(bio, NULL, no_passphrase, NULL, context, NULL);
    BIO_free(bio);
    return key;
}

static void
take(struct subject *subject, OSSL_STORE_INFO *info)
{
    if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY && subject->key == NULL)
        subject->key = OSSL_STORE_INFO_get1_PKEY(info);
    if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_CERT && subject->certificate == NULL)
        subject->certificate = OSSL_STORE_INFO_get1_CERT(info);
    OSSL_STORE_INFO_free(info);
}

static void
load_store(struct subject *subject, const char *uri)
{
    OSSL_STORE_CTX *store =
        OSSL_STORE_open_ex(uri, subject->context, NULL, NULL, NULL, NULL, NULL, NULL);
    while (store != NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info == NULL)
            break;
        take(subject, info);
    }
    OSSL_STORE_close(store);
}

static bool
load(const struct signet_trial *trial, struct subject *subject)
{
    if (strncmp(trial->reference, "signet:", 7) == 0)
        load_store(subject, trial->reference);
    else
        subject->key = load_file(subject->context, trial->reference);
    if (subject->key == NULL) {
        say_errors("load");
        return false;
    }
    signet_say("loaded", "yes");
    ERR_clear_error();
    if (subject->certificate == NULL && trial->certificate != NULL)
        subject->certificate = signet_certificate_load(subject->context, trial->certificate);
    return true;
}

/* --- the signature --- */

static size_t
make_message(const char *purpose, unsigned char *message, size_t capacity)
{
    memset(message, ' ', PAD_SIZE);
    int text =
        snprintf((char *)message + PAD_SIZE, capacity - PAD_SIZE, "TLS 1.3, %s CertificateVerify",
                 strcmp(purpose, "tls-server") == 0 ? "server" : "client");
    size_t size = PAD_SIZE + (size_t)text + 1; /* with its zero */
    RAND_bytes(message + size, HASH_SIZE);
    return size + HASH_SIZE;
}

/* TLS 1.3 has RSA keys sign with PSS. */
static bool
set_padding(EVP_PKEY *key, EVP_PKEY_CTX *context)
{
    return !EVP_PKEY_is_a(key, "RSA") ||
           (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0);
}

static const char *
digest_for(EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") ? NULL : "SHA256";
}

struct bytes {
    unsigned char data[SIGNATURE_MAX];
    size_t size;
};

static bool
sign_message(struct subject *subject, const struct bytes *message, struct bytes *ret_signature)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context = NULL;
    ret_signature->size = sizeof(ret_signature->data);
    bool is_signed = md != NULL &&
                     EVP_DigestSignInit_ex(md, &context, digest_for(subject->key), subject->context,
                                           NULL, subject->key, NULL) > 0 &&
                     set_padding(subject->key, context) &&
                     EVP_DigestSign(md, ret_signature->data, &ret_signature->size, message->data,
                                    message->size) > 0;
    EVP_MD_CTX_free(md);
    return is_signed;
}

/* As programs that hash by themselves do, which is what PKCS#11 clients are. */
static bool
sign_digest(struct subject *subject, const struct bytes *digest, struct bytes *ret_signature)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(subject->context, subject->key, NULL);
    ret_signature->size = sizeof(ret_signature->data);
    bool is_signed = context != NULL && EVP_PKEY_sign_init(context) > 0 &&
                     EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0 &&
                     set_padding(subject->key, context) &&
                     EVP_PKEY_sign(context, ret_signature->data, &ret_signature->size, digest->data,
                                   digest->size) > 0;
    EVP_PKEY_CTX_free(context);
    return is_signed;
}

static bool
verify_message(EVP_PKEY *public, OSSL_LIB_CTX *library, const struct bytes *message,
               const struct bytes *signature)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context = NULL;
    bool is_right =
        md != NULL &&
        EVP_DigestVerifyInit_ex(md, &context, digest_for(public), library, NULL, public, NULL) >
            0 &&
        set_padding(public, context) &&
        EVP_DigestVerify(md, signature->data, signature->size, message->data, message->size) > 0;
    EVP_MD_CTX_free(md);
    return is_right;
}

static bool
verify_digest(EVP_PKEY *public, OSSL_LIB_CTX *library, const struct bytes *digest,
              const struct bytes *signature)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(library, public, NULL);
    bool is_right =
        context != NULL && EVP_PKEY_verify_init(context) > 0 &&
        EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0 && set_padding(public, context) &&
        EVP_PKEY_verify(context, signature->data, signature->size, digest->data, digest->size) > 0;
    EVP_PKEY_CTX_free(context);
    return is_right;
}

static void
sign_and_verify(const struct signet_trial *trial, struct subject *subject)
{
    static struct bytes message, signature;
    bool is_digest = strcmp(trial->purpose, "sign") == 0 && digest_for(subject->key) != NULL;
    message.size = make_message(trial->purpose, message.data, sizeof(message.data));
    if (is_digest)
        RAND_bytes(message.data, (int)(message.size = HASH_SIZE));
    if (!(is_digest ? sign_digest : sign_message)(subject, &message, &signature)) {
        say_errors("sign");
        return;
    }
    signet_say("signed", "%zu bytes", signature.size);
    if (subject->certificate == NULL)
        return;
    signet_certificate_say(subject->certificate);
    EVP_PKEY *public = X509_get0_pubkey(subject->certificate);
    bool is_right = public != NULL && (is_digest ? verify_digest : verify_message)(
                                          public, subject->context, &message, &signature);
    signet_say("verified", "%s", is_right ? "yes" : "no");
}

void
signet_trial_run(const struct signet_trial *trial, const char *module)
{
    struct subject subject = {.context = OSSL_LIB_CTX_new()};
    if (subject.context != NULL && load_configuration(trial, subject.context, module) &&
        load(trial, &subject))
        sign_and_verify(trial, &subject);
    EVP_PKEY_free(subject.key);
    X509_free(subject.certificate);
    OSSL_LIB_CTX_free(subject.context);
}
