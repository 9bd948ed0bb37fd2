/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* TSS2 PRIVATE KEY by libcrypto's ASN.1 templates and tss2-mu. */

#include "agent/token/tpm/keyfile.h"

#include <openssl/asn1t.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "agent/base/error.h"

#define PARENT_LINE  "Parent: "
#define TPM_LINE     "TPM: "
#define PEM_LABEL    "TSS2 PRIVATE KEY"
#define LOADABLE_KEY "2.23.133.10.1.3"
#define POLICY_SIZE  2 /* TPM2_PolicyPCR, TPM2_PolicyAuthValue */

/* TPMPolicy ::= SEQUENCE { commandCode [0] EXPLICIT INTEGER, commandPolicy [1] EXPLICIT OCTET
 * STRING }, the command's parameters */
typedef struct {
    ASN1_INTEGER *command;
    ASN1_OCTET_STRING *parameters;
} TpmPolicy;

/* clang-format off */
ASN1_SEQUENCE(TpmPolicy) = {
    ASN1_EXP(TpmPolicy, command, ASN1_INTEGER, 0),
    ASN1_EXP(TpmPolicy, parameters, ASN1_OCTET_STRING, 1),
} static_ASN1_SEQUENCE_END(TpmPolicy)
    /* clang-format on */

    DEFINE_STACK_OF(TpmPolicy)

    /* TPMKey ::= SEQUENCE { type OID, emptyAuth [0] EXPLICIT BOOLEAN OPTIONAL, policy [1] EXPLICIT
     * SEQUENCE OF TPMPolicy OPTIONAL, …, parent INTEGER, pubkey OCTET STRING, privkey OCTET STRING
     * } */
    typedef struct {
    ASN1_OBJECT *type;
    ASN1_BOOLEAN empty_auth;
    STACK_OF(TpmPolicy) * policy;
    ASN1_INTEGER *parent;
    ASN1_OCTET_STRING *public;
    ASN1_OCTET_STRING *private;
} TpmKey;

/* clang-format off */
ASN1_SEQUENCE(TpmKey) = {
    ASN1_SIMPLE(TpmKey, type, ASN1_OBJECT),
    ASN1_EXP_OPT(TpmKey, empty_auth, ASN1_BOOLEAN, 0),
    ASN1_EXP_SEQUENCE_OF_OPT(TpmKey, policy, TpmPolicy, 1),
    ASN1_SIMPLE(TpmKey, parent, ASN1_INTEGER),
    ASN1_SIMPLE(TpmKey, public, ASN1_OCTET_STRING),
    ASN1_SIMPLE(TpmKey, private, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END(TpmKey)
    /* clang-format on */

    static void tpm_key_free(TpmKey * key)
{
    ASN1_item_free((ASN1_VALUE *)key, ASN1_ITEM_rptr(TpmKey));
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TpmKey, tpm_key_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)

/* --- the lines before --- */

static void
write_name(BIO *bio, const char *line, const TPM2B_NAME *name)
{
    if (name->size == 0)
        return;
    BIO_puts(bio, line);
    for (guint i = 0; i < name->size; i++)
        BIO_printf(bio, "%02x", name->name[i]);
    BIO_puts(bio, "\n");
}

/* An odd or overlong line is no name. */
static void
read_name(const char *lines, const char *line, TPM2B_NAME *ret_name)
{
    const char *p = strstr(lines, line);
    guint size = 0;

    for (p = p ? p + strlen(line) : ""; size < sizeof ret_name->name; p += 2) {
        int high = g_ascii_xdigit_value(p[0]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(p[1]);

        if (low < 0)
            break;
        ret_name->name[size++] = (BYTE)(high << 4 | low);
    }
    ret_name->size = *p == '\n' ? (UINT16)size : 0;
}

static void
write_values(BIO *bio, const SignetTpmPcrs *pcrs)
{
    guint numbers[G_N_ELEMENTS(pcrs->values.digests)];
    guint n = signet_tpm_pcrs_list(pcrs, numbers, G_N_ELEMENTS(numbers));

    for (guint i = 0; i < n && i < pcrs->values.count; i++) {
        const TPM2B_DIGEST *value = &pcrs->values.digests[i];
        g_autofree char *line = g_strdup_printf("PCR %u: ", numbers[i]);
        TPM2B_NAME name = {.size = value->size};

        memcpy(name.name, value->buffer, value->size);
        write_name(bio, line, &name);
    }
}

static void
read_values(const char *lines, SignetTpmPcrs *pcrs)
{
    guint numbers[G_N_ELEMENTS(pcrs->values.digests)];
    guint n = signet_tpm_pcrs_list(pcrs, numbers, G_N_ELEMENTS(numbers));

    for (guint i = 0; i < n; i++) {
        TPM2B_DIGEST *value = &pcrs->values.digests[i];
        g_autofree char *line = g_strdup_printf("PCR %u: ", numbers[i]);
        TPM2B_NAME name = {0};

        read_name(lines, line, &name);
        value->size = (UINT16)MIN(name.size, sizeof value->buffer);
        memcpy(value->buffer, name.name, value->size);
    }
    pcrs->values.count = n;
}

static void
read_lines(GBytes *pem, SignetTpmKeyFile *file)
{
    gsize size;
    const char *text = g_bytes_get_data(pem, &size);
    const char *begin = text ? g_strstr_len(text, (gssize)size, "-----BEGIN") : NULL;
    g_autofree char *lines = begin ? g_strndup(text, (gsize)(begin - text)) : g_strdup("");

    read_name(lines, PARENT_LINE, &file->parent_name);
    read_name(lines, TPM_LINE, &file->tpm_name);
    if (file->pcrs.selection.count > 0)
        read_values(lines, &file->pcrs);
}

/* --- the policy --- */

static void
add_command(TpmKey *key, TPM2_CC command, const guint8 *parameters, gsize size)
{
    TpmPolicy *policy = (TpmPolicy *)ASN1_item_new(ASN1_ITEM_rptr(TpmPolicy));

    if (!key->policy)
        key->policy = sk_TpmPolicy_new_null();
    ASN1_INTEGER_set_uint64(policy->command, command);
    ASN1_OCTET_STRING_set(policy->parameters, parameters, (int)size);
    sk_TpmPolicy_push(key->policy, policy);
}

static gboolean
write_policy(TpmKey *key, const SignetTpmPcrs *pcrs)
{
    guint8 buffer[sizeof(TPM2B_DIGEST) + sizeof(TPML_PCR_SELECTION)];
    size_t size = 0;

    if (pcrs->selection.count == 0)
        return TRUE;
    if (Tss2_MU_TPM2B_DIGEST_Marshal(&pcrs->digest, buffer, sizeof buffer, &size) ||
        Tss2_MU_TPML_PCR_SELECTION_Marshal(&pcrs->selection, buffer, sizeof buffer, &size))
        return FALSE;
    add_command(key, TPM2_CC_PolicyPCR, buffer, size);
    add_command(key, TPM2_CC_PolicyAuthValue, (const guint8 *)"", 0);
    return TRUE;
}

static gboolean
is_command(const TpmPolicy *policy, TPM2_CC command)
{
    uint64_t code;

    return ASN1_INTEGER_get_uint64(&code, policy->command) && code == command;
}

static gboolean
read_policy(const TpmKey *key, SignetTpmPcrs *pcrs)
{
    const ASN1_OCTET_STRING *parameters;
    size_t used = 0, size;

    if (!key->policy)
        return TRUE;
    if (sk_TpmPolicy_num(key->policy) != POLICY_SIZE ||
        !is_command(sk_TpmPolicy_value(key->policy, 0), TPM2_CC_PolicyPCR) ||
        !is_command(sk_TpmPolicy_value(key->policy, 1), TPM2_CC_PolicyAuthValue))
        return FALSE;
    parameters = sk_TpmPolicy_value(key->policy, 0)->parameters;
    size = (size_t)ASN1_STRING_length(parameters);
    return Tss2_MU_TPM2B_DIGEST_Unmarshal(ASN1_STRING_get0_data(parameters), size, &used,
                                          &pcrs->digest) == TSS2_RC_SUCCESS &&
           Tss2_MU_TPML_PCR_SELECTION_Unmarshal(ASN1_STRING_get0_data(parameters), size, &used,
                                                &pcrs->selection) == TSS2_RC_SUCCESS &&
           used == size && pcrs->selection.count == 1;
}

/* --- the key --- */

GBytes *
signet_tpm_key_file_encode(const SignetTpmKeyFile *file)
{
    g_autoptr(TpmKey) key = (TpmKey *)ASN1_item_new(ASN1_ITEM_rptr(TpmKey));
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    guint8 buffer[sizeof(TPM2B_PUBLIC) + sizeof(TPM2B_PRIVATE)];
    unsigned char *der = NULL;
    size_t size = 0;
    char *text;
    long text_size;
    int der_size;

    ASN1_OBJECT_free(key->type);
    key->type = OBJ_txt2obj(LOADABLE_KEY, 1);
    key->empty_auth = file->empty_auth ? 0xff : 0;
    ASN1_INTEGER_set_uint64(key->parent, file->parent);
    if (!write_policy(key, &file->pcrs))
        return NULL;
    if (Tss2_MU_TPM2B_PUBLIC_Marshal(&file->public, buffer, sizeof buffer, &size))
        return NULL;
    ASN1_OCTET_STRING_set(key->public, buffer, (int)size);
    size = 0;
    if (Tss2_MU_TPM2B_PRIVATE_Marshal(&file->private, buffer, sizeof buffer, &size))
        return NULL;
    ASN1_OCTET_STRING_set(key->private, buffer, (int)size);

    der_size = ASN1_item_i2d((ASN1_VALUE *)key, &der, ASN1_ITEM_rptr(TpmKey));
    write_name(bio, PARENT_LINE, &file->parent_name);
    write_name(bio, TPM_LINE, &file->tpm_name);
    write_values(bio, &file->pcrs);
    PEM_write_bio(bio, PEM_LABEL, "", der, der_size);
    OPENSSL_free(der);
    text_size = BIO_get_mem_data(bio, &text);
    return g_bytes_new(text, (gsize)text_size);
}

static gboolean
read_fields(const TpmKey *key, SignetTpmKeyFile *file)
{
    char type[64];
    uint64_t parent;
    size_t public_used = 0, private_used = 0;

    if (OBJ_obj2txt(type, sizeof type, key->type, 1) <= 0 || !g_str_equal(type, LOADABLE_KEY) ||
        !ASN1_INTEGER_get_uint64(&parent, key->parent) || parent > G_MAXUINT32)
        return FALSE;
    file->empty_auth = key->empty_auth > 0;
    file->parent = parent ? (TPM2_HANDLE)parent : TPM2_RH_OWNER;
    return read_policy(key, &file->pcrs) &&
           Tss2_MU_TPM2B_PUBLIC_Unmarshal(ASN1_STRING_get0_data(key->public),
                                          (size_t)ASN1_STRING_length(key->public), &public_used,
                                          &file->public) == TSS2_RC_SUCCESS &&
           Tss2_MU_TPM2B_PRIVATE_Unmarshal(ASN1_STRING_get0_data(key->private),
                                           (size_t)ASN1_STRING_length(key->private), &private_used,
                                           &file->private) == TSS2_RC_SUCCESS &&
           public_used == (size_t)ASN1_STRING_length(key->public) &&
           private_used == (size_t)ASN1_STRING_length(key->private);
}

gboolean
signet_tpm_key_file_decode(GBytes *pem, SignetTpmKeyFile *ret_file, GError **error)
{
    g_autoptr(BIO) bio = BIO_new_mem_buf(g_bytes_get_data(pem, NULL), (int)g_bytes_get_size(pem));
    g_autoptr(TpmKey) key = NULL;
    unsigned char *der = NULL;
    const unsigned char *end;
    long size = 0;

    if (bio && PEM_bytes_read_bio(&der, &size, NULL, PEM_LABEL, bio, NULL, NULL) == 1) {
        end = der;
        key = (TpmKey *)ASN1_item_d2i(NULL, &end, size, ASN1_ITEM_rptr(TpmKey));
        if (end != der + size)
            g_clear_pointer(&key, tpm_key_free);
    }
    OPENSSL_free(der);
    ERR_clear_error();
    *ret_file = (SignetTpmKeyFile) {0};
    if (!key || !read_fields(key, ret_file))
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the stored key is not a TSS2 PRIVATE KEY that Signet wrote; "
                                "enrol the identity again");
    read_lines(pem, ret_file);
    return TRUE;
}
