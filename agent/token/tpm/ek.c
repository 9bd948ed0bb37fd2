/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* EK certificates out of the TPM's non-volatile memory. */

#include "agent/token/tpm/ek.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "agent/token/tpm/error.h"

#define CERTIFICATE_MAX 4096
#define CHUNK           512 /* every TPM gives as much at once */
#define ISSUERS_FIRST   0x01c00100u
#define ISSUERS_LAST    0x01c001ffu
#define ISSUERS_MAX     8

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)

static const struct {
    TPM2_HANDLE index;
    const char *key;
} PLACES[] = {
    {0x01c00002, "rsa:2048"}, {0x01c0000a, "ec:P-256"}, {0x01c00012, "rsa:2048"},
    {0x01c00014, "ec:P-256"}, {0x01c00016, "ec:P-384"}, {0x01c00018, "ec:P-521"},
    {0x01c0001c, "rsa:3072"}, {0x01c0001e, "rsa:4096"},
};

static TSS2_RC
read_chunks(SignetTpm *tpm, ESYS_TR index, guint16 size, GByteArray *content)
{
    TSS2_RC rc = TSS2_RC_SUCCESS;

    while (content->len < size && rc == TSS2_RC_SUCCESS) {
        TPM2B_MAX_NV_BUFFER *chunk = NULL;

        rc = Esys_NV_Read(tpm->esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                          (guint16)MIN(CHUNK, size - content->len), (guint16)content->len, &chunk);
        if (rc == TSS2_RC_SUCCESS && chunk->size > 0)
            g_byte_array_append(content, chunk->buffer, chunk->size);
        else if (rc == TSS2_RC_SUCCESS)
            size = 0;
        Esys_Free(chunk);
    }
    return rc;
}

static TSS2_RC
read_index(SignetTpm *tpm, TPM2_HANDLE handle, GByteArray *content)
{
    ESYS_TR index = ESYS_TR_NONE;
    TPM2B_NV_PUBLIC *public = NULL;
    TSS2_RC rc =
        Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &index);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    rc = Esys_NV_ReadPublic(tpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public,
                            NULL);
    if (rc == TSS2_RC_SUCCESS)
        rc = read_chunks(tpm, index, MIN(public->nvPublic.dataSize, CERTIFICATE_MAX), content);
    Esys_Free(public);
    Esys_TR_Close(tpm->esys, &index);
    return rc;
}

/* --- in words --- */

static char *
name_to_text(const X509_NAME *name)
{
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    long size;

    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    size = BIO_get_mem_data(bio, &bytes);
    return g_utf8_make_valid(bytes ? bytes : "", size);
}

static char *
time_to_text(const ASN1_TIME *when)
{
    struct tm tm;

    if (!ASN1_TIME_to_tm(when, &tm))
        return g_strdup("unknown");
    return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                           tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The index may be larger than what is in it. */
static void
add_certificate(GVariantBuilder *list, TPM2_HANDLE index, const char *key,
                const GByteArray *content)
{
    const unsigned char *end = content->data;
    g_autoptr(X509) x509 = d2i_X509(NULL, &end, (long)content->len);
    g_autofree char *nv = g_strdup_printf("0x%08x", index);
    g_autofree char *subject = NULL, *issuer = NULL, *from = NULL, *until = NULL, *sha256 = NULL;

    if (!x509) {
        ERR_clear_error();
        return;
    }
    subject = name_to_text(X509_get_subject_name(x509));
    issuer = name_to_text(X509_get_issuer_name(x509));
    from = time_to_text(X509_get0_notBefore(x509));
    until = time_to_text(X509_get0_notAfter(x509));
    sha256 =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, content->data, (gsize)(end - content->data));
    g_variant_builder_open(list, G_VARIANT_TYPE("a{ss}"));
    g_variant_builder_add(list, "{ss}", "nv", nv);
    g_variant_builder_add(list, "{ss}", "key", key);
    g_variant_builder_add(list, "{ss}", "subject", subject);
    g_variant_builder_add(list, "{ss}", "issuer", issuer);
    g_variant_builder_add(list, "{ss}", "not_before", from);
    g_variant_builder_add(list, "{ss}", "not_after", until);
    g_variant_builder_add(list, "{ss}", "sha256", sha256);
    g_variant_builder_close(list);
}

static gboolean
is_there(const TPML_HANDLE *handles, TPM2_HANDLE index)
{
    for (guint i = 0; i < handles->count; i++) {
        if (handles->handle[i] == index)
            return TRUE;
    }
    return FALSE;
}

/* What may not be read, or is no certificate, is left out. */
static TSS2_RC
add_from(SignetTpm *tpm, guint place, GVariantBuilder *list)
{
    g_autoptr(GByteArray) content = g_byte_array_new();
    TSS2_RC rc = read_index(tpm, PLACES[place].index, content);

    if (rc == TSS2_RC_SUCCESS)
        add_certificate(list, PLACES[place].index, PLACES[place].key, content);
    return signet_tpm_fate(rc) == SIGNET_TPM_FATE_FINAL ? TSS2_RC_SUCCESS : rc;
}

static TSS2_RC
list_indices(SignetTpm *tpm, TPMS_CAPABILITY_DATA **ret_data)
{
    return Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
                              PLACES[0].index, TPM2_MAX_CAP_HANDLES, NULL, ret_data);
}

TSS2_RC
signet_tpm_ek_certificates(SignetTpm *tpm, GVariant **ret_certificates)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    GVariantBuilder list;
    TSS2_RC rc = list_indices(tpm, &data);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{ss}"));
    for (guint i = 0; i < G_N_ELEMENTS(PLACES) && rc == TSS2_RC_SUCCESS; i++) {
        if (is_there(&data->data.handles, PLACES[i].index))
            rc = add_from(tpm, i, &list);
    }
    Esys_Free(data);
    if (rc == TSS2_RC_SUCCESS)
        *ret_certificates = g_variant_builder_end(&list);
    else
        g_variant_builder_clear(&list);
    return rc;
}

/* --- as they are --- */

static void
add_der(GVariantBuilder *list, const GByteArray *content)
{
    const unsigned char *at = content->data;
    const unsigned char *end = at + content->len;

    while (at && at < end) {
        const unsigned char *begin = at;
        g_autoptr(X509) x509 = d2i_X509(NULL, &at, (long)(end - at));

        if (!x509)
            break;
        g_variant_builder_add_value(
            list, g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, begin, (gsize)(at - begin), 1));
    }
    ERR_clear_error();
}

static TSS2_RC
add_der_from(SignetTpm *tpm, TPM2_HANDLE index, GVariantBuilder *list)
{
    g_autoptr(GByteArray) content = g_byte_array_new();
    TSS2_RC rc = read_index(tpm, index, content);

    if (rc == TSS2_RC_SUCCESS)
        add_der(list, content);
    return signet_tpm_fate(rc) == SIGNET_TPM_FATE_FINAL ? TSS2_RC_SUCCESS : rc;
}

static gboolean
is_place(TPM2_HANDLE index)
{
    for (guint i = 0; i < G_N_ELEMENTS(PLACES); i++) {
        if (PLACES[i].index == index)
            return TRUE;
    }
    return FALSE;
}

TSS2_RC
signet_tpm_ek_read(SignetTpm *tpm, GVariant **ret_certificates, GVariant **ret_issuers)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    GVariantBuilder certificates, issuers;
    TSS2_RC rc = list_indices(tpm, &data);
    guint n_issuers = 0;

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    g_variant_builder_init(&certificates, G_VARIANT_TYPE("aay"));
    g_variant_builder_init(&issuers, G_VARIANT_TYPE("aay"));
    for (guint i = 0; i < data->data.handles.count && rc == TSS2_RC_SUCCESS; i++) {
        TPM2_HANDLE index = data->data.handles.handle[i];

        if (is_place(index))
            rc = add_der_from(tpm, index, &certificates);
        else if (index >= ISSUERS_FIRST && index <= ISSUERS_LAST && n_issuers++ < ISSUERS_MAX)
            rc = add_der_from(tpm, index, &issuers);
    }
    Esys_Free(data);
    if (rc == TSS2_RC_SUCCESS) {
        *ret_certificates = g_variant_builder_end(&certificates);
        *ret_issuers = g_variant_builder_end(&issuers);
    } else {
        g_variant_builder_clear(&certificates);
        g_variant_builder_clear(&issuers);
    }
    return rc;
}
