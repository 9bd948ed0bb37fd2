/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The texts that the store writes for other programs. */

#include "agent/store/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "agent/base/error.h"
#include "provider/wire/reference.h"

static void
append_block(GString *out, const char *label, const guint8 *der, gsize size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;

    if (!bio || PEM_write_bio(bio, label, "", der, (long)size) <= 0)
        g_error("out of memory while writing a PEM block");
    long length = BIO_get_mem_data(bio, &text);
    g_string_append_len(out, text, length);
    BIO_free(bio);
}

void
signet_pem_append_certificates(GString *out, const GPtrArray *certificates, guint from, guint to)
{
    for (guint i = from; i < to && i < certificates->len; i++) {
        gsize size;
        const guint8 *der = g_bytes_get_data(certificates->pdata[i], &size);

        append_block(out, PEM_STRING_X509, der, size);
    }
}

void
signet_pem_append_request(GString *out, GBytes *der)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(der, &size);

    append_block(out, PEM_STRING_X509_REQ, data, size);
}

/* FALSE at the end of the text, or when it is damaged, or a block is no certificate. */
static gboolean
read_block(BIO *bio, GPtrArray *certificates, gboolean *ret_is_foreign)
{
    char *label = NULL, *header = NULL;
    unsigned char *der = NULL;
    long size = 0;

    if (!PEM_read_bio(bio, &label, &header, &der, &size))
        return FALSE;
    *ret_is_foreign = !g_str_equal(label, PEM_STRING_X509);
    g_ptr_array_add(certificates, g_bytes_new(der, (gsize)size));
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(der);
    return !*ret_is_foreign;
}

GPtrArray *
signet_pem_parse_certificates(GBytes *text, gsize max_size, GError **error)
{
    g_autoptr(GPtrArray) certificates =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    gsize size, total = 0;
    const char *data = g_bytes_get_data(text, &size);
    gboolean is_foreign = FALSE;
    BIO *bio = BIO_new_mem_buf(data, (int)size);

    while (bio && read_block(bio, certificates, &is_foreign))
        total += g_bytes_get_size(certificates->pdata[certificates->len - 1]);
    gboolean is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(bio);
    if (is_end && !is_foreign && total <= max_size)
        return g_steal_pointer(&certificates);
    signet_error_set(error, SIGNET_ERROR_CORRUPT, "the certificates are damaged");
    return NULL;
}

gboolean
signet_pem_append_reference(GString *out, const char *identity, const SignetGeneration *generation,
                            GError **error)
{
    struct signet_reference reference = {.generation = generation->number,
                                         .family =
                                             (guint8)signet_key_type_family(generation->key->type)};
    guint8 der[SIGNET_REFERENCE_DER_MAX];

    g_strlcpy(reference.identity, identity, sizeof(reference.identity));
    gsize size = signet_reference_to_der(&reference, der, sizeof(der));
    if (size == 0)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "'%s' cannot be written into a key reference", identity);
    g_string_append_printf(out,
                           "Signet key reference: identity '%s', generation %u. No secret: the "
                           "private key stays in its token.\n",
                           identity, generation->number);
    append_block(out, "PRIVATE KEY", der, size);
    return TRUE;
}
