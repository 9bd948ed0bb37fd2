/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The little of CBOR (RFC 8949) that an attestation object needs: definite lengths, shortest
 * numbers, the members of maps in order. */

#include "agent/enroller/attestation.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/base64url.h"
#include "agent/enroll/openssl.h"

/* Major types, RFC 8949 3.1. */
#define NEGATIVE 1
#define BYTES    2
#define TEXT     3
#define ARRAY    4
#define MAP      5

/* What TPMT_SIGNATURE begins with, as COSE calls it (RFC 9053 2.1, RFC 8812 2). */
static const struct {
    guint8 head[4];
    gint algorithm;
} algorithms[] = {
    {{0x00, 0x18, 0x00, 0x0b}, -7},   /* ES256 */
    {{0x00, 0x14, 0x00, 0x0b}, -257}, /* RS256 */
};

static void
put_head(GByteArray *out, guint major, gsize argument)
{
    guint8 head[3] = {(guint8)(major << 5)};
    guint size = 1;

    if (argument < 24) {
        head[0] |= (guint8)argument;
    } else if (argument <= G_MAXUINT8) {
        head[0] |= 24;
        head[1] = (guint8)argument;
        size = 2;
    } else {
        head[0] |= 25;
        head[1] = (guint8)(argument >> 8);
        head[2] = (guint8)argument;
        size = 3;
    }
    g_byte_array_append(out, head, size);
}

static void
put_text(GByteArray *out, const char *text)
{
    put_head(out, TEXT, strlen(text));
    g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

static void
put_bytes(GByteArray *out, const guint8 *data, gsize size)
{
    put_head(out, BYTES, size);
    g_byte_array_append(out, data, (guint)size);
}

static void
put_member(GByteArray *out, const char *name, GBytes *bytes)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    put_text(out, name);
    put_bytes(out, data, size);
}

/* 0: it has no name there. */
static gint
find_algorithm(GBytes *signature)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(signature, &size);

    for (gsize i = 0; i < G_N_ELEMENTS(algorithms); i++) {
        if (size > sizeof(algorithms[i].head) &&
            memcmp(data, algorithms[i].head, sizeof(algorithms[i].head)) == 0)
            return algorithms[i].algorithm;
    }
    return 0;
}

/* How many there are; 0: none, or not certificates. */
static guint
put_chain(GByteArray *out, GBytes *chain)
{
    gsize size = 0;
    const guint8 *at = g_bytes_get_data(chain, &size);
    const guint8 *end = size > 0 ? at + size : at;
    guint n = 0;

    while (at < end) {
        const guint8 *begin = at;
        g_autoptr(X509) certificate = d2i_X509(NULL, &at, (long)(end - at));

        if (!certificate)
            return 0;
        put_bytes(out, begin, (gsize)(at - begin));
        n++;
    }
    return n;
}

GBytes *
signet_attestation_encode(const SignetLinkEvidence *evidence, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GByteArray) chain = g_byte_array_new();
    gint algorithm = find_algorithm(evidence->signature);
    guint n = put_chain(chain, evidence->chain);

    ERR_clear_error();
    if (g_bytes_get_size(evidence->chain) == 0) {
        signet_error_set(error, SIGNET_ERROR_POLICY,
                         "the CA wants a certificate of the token's attestation key, and there is "
                         "none; see 'signetctl attest --import-ak-certificate'");
        return NULL;
    }
    if (n == 0 || algorithm == 0) {
        signet_error_set(error, SIGNET_ERROR_CORRUPT,
                         "what the agent gives as evidence cannot be written for the CA");
        return NULL;
    }
    put_head(out, MAP, 2);
    put_text(out, "fmt");
    put_text(out, "tpm");
    put_text(out, "attStmt");
    put_head(out, MAP, 6);
    put_text(out, "alg");
    put_head(out, NEGATIVE, (gsize)(-1 - algorithm));
    put_member(out, "sig", evidence->signature);
    put_text(out, "ver");
    put_text(out, "2.0");
    put_text(out, "x5c");
    put_head(out, ARRAY, n);
    g_byte_array_append(out, chain->data, chain->len);
    put_member(out, "pubArea", evidence->key);
    put_member(out, "certInfo", evidence->attestation);
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

json_t *
signet_attestation_make_response(SignetLink *link, const char *token, GError **error)
{
    g_auto(SignetLinkEvidence) evidence = {0};
    g_autoptr(GBytes) object = NULL;
    gsize size = 0;

    if (!signet_link_certify(link, token, &evidence, error))
        return NULL;
    object = signet_attestation_encode(&evidence, error);
    if (!object)
        return NULL;
    gconstpointer data = g_bytes_get_data(object, &size);
    g_autofree char *text = signet_base64url_encode(data, size);
    return json_pack("{s:s}", "attObj", text);
}
