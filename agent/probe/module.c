/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The same trial by the other door: a bare digest through p11-kit and the PKCS#11 module. */

#include "agent/probe/module.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>

#include <openssl/ecdsa.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/probe/certificate.h"
#include "agent/probe/say.h"

#define MODULE        "signet"
#define SLOTS_MAX     16
#define DIGEST_SIZE   32
#define SIGNATURE_MAX 1024

/* RFC 8017 9.2 note 1: what stands before a SHA-256 digest */
static const unsigned char digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                            0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                            0x01, 0x05, 0x00, 0x04, 0x20};

/* Cryptoki's codes have no words of the agent's: provider/pkcs11/agent.c makes them of its status.
 */
static const struct {
    CK_RV code;
    const char *status, *text;
} codes[] = {
    {CKR_FUNCTION_REJECTED, "denied", "a bare digest hides what is signed, so 'sign' is needed"},
    {CKR_DEVICE_REMOVED, "token absent", "the agent or the identity's token is not there"},
    {CKR_USER_NOT_LOGGED_IN, "PIN needed", "the identity's token is locked"},
    {CKR_KEY_HANDLE_INVALID, "not found", "the key is gone"},
};

static void
say_code(const char *stage, CK_RV code)
{
    char name[32];
    const char *status = "token failed", *text = p11_kit_strerror(code);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].code != code)
            continue;
        status = codes[i].status;
        text = codes[i].text;
    }
    snprintf(name, sizeof(name), "%s.error", stage);
    signet_say(name, "%s", text);
    snprintf(name, sizeof(name), "%s.status", stage);
    signet_say(name, "%s", status);
}

/* All that are configured for this user are loaded, as in every program; the others sleep on. */
static CK_FUNCTION_LIST *
find_module(CK_FUNCTION_LIST **modules)
{
    for (; modules != NULL && *modules != NULL; modules++) {
        char *name = p11_kit_module_get_name(*modules);
        bool is_ours = name != NULL && strcmp(name, MODULE) == 0;
        free(name);
        if (is_ours)
            return *modules;
    }
    return NULL;
}

struct token {
    CK_FUNCTION_LIST *module;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    CK_KEY_TYPE type;
};

static bool
find_key(struct token *token, const char *identity)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)},
                             {CKA_LABEL, (void *)identity, strlen(identity)}};
    CK_ATTRIBUTE type = {CKA_KEY_TYPE, &token->type, sizeof(token->type)};
    CK_ULONG count = 0;
    if (token->module->C_FindObjectsInit(token->session, wanted, 2) != CKR_OK)
        return false;
    token->module->C_FindObjects(token->session, &token->key, 1, &count);
    token->module->C_FindObjectsFinal(token->session);
    return count == 1 &&
           token->module->C_GetAttributeValue(token->session, token->key, &type, 1) == CKR_OK;
}

static bool
open_token(struct token *token)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    CK_RV code = token->module->C_GetSlotList(CK_TRUE, slots, &count);
    if (code == CKR_OK && count == 0)
        code = CKR_DEVICE_REMOVED;
    if (code == CKR_OK)
        code =
            token->module->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &token->session);
    if (code != CKR_OK)
        say_code("load", code);
    return code == CKR_OK;
}

struct signature {
    unsigned char digest[DIGEST_SIZE];
    unsigned char data[SIGNATURE_MAX];
    CK_ULONG size;
};

static bool
sign(const struct token *token, struct signature *ret_signature)
{
    unsigned char input[sizeof(digest_info) + DIGEST_SIZE];
    CK_MECHANISM mechanism = {.mechanism = token->type == CKK_RSA  ? CKM_RSA_PKCS
                                           : token->type == CKK_EC ? CKM_ECDSA
                                                                   : CKM_EDDSA};
    size_t skip = token->type == CKK_RSA ? 0 : sizeof(digest_info);
    RAND_bytes(ret_signature->digest, DIGEST_SIZE);
    memcpy(input, digest_info, sizeof(digest_info));
    memcpy(input + sizeof(digest_info), ret_signature->digest, DIGEST_SIZE);
    ret_signature->size = SIGNATURE_MAX;
    CK_RV code = token->module->C_SignInit(token->session, &mechanism, token->key);
    if (code == CKR_OK)
        code = token->module->C_Sign(token->session, input + skip, sizeof(input) - skip,
                                     ret_signature->data, &ret_signature->size);
    if (code != CKR_OK)
        say_code("sign", code);
    else
        signet_say("signed", "%lu bytes", ret_signature->size);
    return code == CKR_OK;
}

/* Cryptoki's two numbers as the DER that OpenSSL verifies. */
static int
encode_ecdsa(const struct signature *signature, unsigned char **ret_der)
{
    int half = (int)signature->size / 2, size = -1;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature->data, half, NULL);
    BIGNUM *s = BN_bin2bn(signature->data + half, half, NULL);
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s)) {
        r = s = NULL;
        size = i2d_ECDSA_SIG(pair, ret_der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return size;
}

static bool
verify_with(EVP_PKEY *public, const struct signature *signature)
{
    if (EVP_PKEY_is_a(public, "ED25519")) {
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        bool is_fine = md != NULL && EVP_DigestVerifyInit(md, NULL, NULL, NULL, public) > 0 &&
                       EVP_DigestVerify(md, signature->data, signature->size, signature->digest,
                                        DIGEST_SIZE) > 0;
        EVP_MD_CTX_free(md);
        return is_fine;
    }
    unsigned char *der = NULL;
    bool is_rsa = EVP_PKEY_is_a(public, "RSA");
    int size = is_rsa ? (int)signature->size : encode_ecdsa(signature, &der);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, public, NULL);
    bool is_right = size > 0 && context != NULL && EVP_PKEY_verify_init(context) > 0 &&
                    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0 &&
                    EVP_PKEY_verify(context, is_rsa ? signature->data : der, (size_t)size,
                                    signature->digest, DIGEST_SIZE) > 0;
    EVP_PKEY_CTX_free(context);
    OPENSSL_free(der);
    return is_right;
}

static void
verify(const char *path, const struct signature *signature)
{
    X509 *certificate = path == NULL ? NULL : signet_certificate_load(NULL, path);
    if (certificate == NULL)
        return;
    signet_certificate_say(certificate);
    EVP_PKEY *public = X509_get0_pubkey(certificate);
    signet_say("verified", "%s", public != NULL && verify_with(public, signature) ? "yes" : "no");
    X509_free(certificate);
}

static void
use(CK_FUNCTION_LIST *module, const char *identity, const char *certificate)
{
    static struct signature signature;
    struct token token = {.module = module};
    if (!open_token(&token))
        return;
    if (!find_key(&token, identity)) {
        signet_say("load.error", "there is no identity '%s' that uid %u may use", identity,
                   (unsigned)geteuid());
        signet_say("load.status", "not found");
    } else if (sign(&token, &signature)) {
        verify(certificate, &signature);
    }
    module->C_CloseSession(token.session);
}

void
signet_module_run(const char *identity, const char *certificate)
{
    CK_FUNCTION_LIST **modules = p11_kit_modules_load(NULL, 0);
    CK_FUNCTION_LIST *module = find_module(modules);
    CK_RV code = module == NULL ? CKR_OK : p11_kit_module_initialize(module);
    if (module == NULL) {
        signet_say("p11kit.error", "p11-kit knows no module '%s'", MODULE);
    } else if (code != CKR_OK) {
        say_code("load", code);
    } else {
        use(module, identity, certificate);
        p11_kit_module_finalize(module);
    }
    if (modules != NULL)
        p11_kit_modules_release(modules);
}
