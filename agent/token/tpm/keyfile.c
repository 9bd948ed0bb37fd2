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

/* TPMKey ::= SEQUENCE { type OID, emptyAuth [0] EXPLICIT BOOLEAN OPTIONAL, …, parent INTEGER,
 * pubkey OCTET STRING, privkey OCTET STRING } */
typedef struct {
    ASN1_OBJECT *type;
    ASN1_BOOLEAN empty_auth;
    ASN1_INTEGER *parent;
    ASN1_OCTET_STRING *public;
    ASN1_OCTET_STRING *private;
} TpmKey;

/* clang-format off */
ASN1_SEQUENCE(TpmKey) = {
    ASN1_SIMPLE(TpmKey, type, ASN1_OBJECT),
    ASN1_EXP_OPT(TpmKey, empty_auth, ASN1_BOOLEAN, 0),
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
read_lines(GBytes *pem, SignetTpmKeyFile *file)
{
    gsize size;
    const char *text = g_bytes_get_data(pem, &size);
    const char *begin = text ? g_strstr_len(text, (gssize)size, "-----BEGIN") : NULL;
    g_autofree char *lines = begin ? g_strndup(text, (gsize)(begin - text)) : g_strdup("");

    read_name(lines, PARENT_LINE, &file->parent_name);
    read_name(lines, TPM_LINE, &file->tpm_name);
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
    return Tss2_MU_TPM2B_PUBLIC_Unmarshal(ASN1_STRING_get0_data(key->public),
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
