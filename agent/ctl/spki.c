/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Finds a public key. */

#include "agent/ctl/spki.h"

#include <string.h>

#include "provider/wire/der.h"

typedef struct signet_bytes Span;
typedef struct signet_der Element;

/* AlgorithmIdentifier and BIT STRING, and nothing else. */
static gboolean
is_spki(const Element *element)
{
    Span rest = element->content;
    Element part, oid;

    return element->tag == SIGNET_DER_SEQUENCE &&
           signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &part) &&
           signet_der_expect(&part.content, SIGNET_DER_OID, &oid) &&
           signet_der_expect(&rest, SIGNET_DER_BIT_STRING, &part) && rest.size == 0;
}

/* CertificationRequestInfo: version, subject, key, attributes. */
static gboolean
find_in_request(Span rest, Element *ret_spki)
{
    Element part;

    return signet_der_expect(&rest, SIGNET_DER_INTEGER, &part) &&
           signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &part) &&
           signet_der_next(&rest, ret_spki) && is_spki(ret_spki);
}

/* TBSCertificate: version, serial, algorithm, issuer, validity, subject, key, … */
static gboolean
find_in_certificate(Span rest, Element *ret_spki)
{
    Element part;

    (void)signet_der_expect(&rest, SIGNET_DER_CONTEXT(0), &part);
    if (!signet_der_expect(&rest, SIGNET_DER_INTEGER, &part))
        return FALSE;
    for (guint i = 0; i < 4; i++) {
        if (!signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &part))
            return FALSE;
    }
    return signet_der_next(&rest, ret_spki) && is_spki(ret_spki);
}

static GBytes *
find_in_der(const guint8 *data, gsize size)
{
    Span rest = {data, size};
    Element whole, body, part;

    if (!signet_der_is_document(rest) || !signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &whole))
        return NULL;
    if (is_spki(&whole))
        return g_bytes_new(data, size);
    rest = whole.content;
    if (!signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &body) ||
        !signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &part) ||
        !signet_der_expect(&rest, SIGNET_DER_BIT_STRING, &part) || rest.size > 0)
        return NULL;
    if (!find_in_request(body.content, &part) && !find_in_certificate(body.content, &part))
        return NULL;
    return g_bytes_new(part.whole.data, part.whole.size);
}

static GBytes *
find_in_base64(const char *text)
{
    gsize size = 0;
    g_autofree guchar *der = g_base64_decode(text, &size);

    return find_in_der(der, size);
}

/* What stands between the first BEGIN and its END. NULL: nothing, or several kinds of things, of
 * which somebody else may take another one. */
static char *
cut_pem(const char *text)
{
    static const char *const labels[] = {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST",
                                         "CERTIFICATE", "PUBLIC KEY"};
    char *cut = NULL;
    guint n_kinds = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        g_autofree char *begin = g_strdup_printf("-----BEGIN %s-----", labels[i]);
        g_autofree char *end_mark = g_strdup_printf("-----END %s-----", labels[i]);
        const char *at = strstr(text, begin);
        const char *end = at ? strstr(at + strlen(begin), end_mark) : NULL;

        if (!end)
            continue;
        n_kinds++;
        at += strlen(begin);
        g_free(cut);
        cut = g_strndup(at, (gsize)(end - at));
    }
    if (n_kinds == 1)
        return cut;
    g_free(cut);
    return NULL;
}

GBytes *
signet_spki_find(const guint8 *data, gsize size)
{
    GBytes *found = find_in_der(data, size);
    g_autofree char *text =
        found || memchr(data, '\0', size) ? NULL : g_strndup((const char *)data, size);
    g_autofree char *cut = text ? cut_pem(text) : NULL;

    if (cut)
        return find_in_base64(cut);
    return found || !text || strstr(text, "-----BEGIN") ? found : find_in_base64(text);
}
