/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A key of others is found by what its owner calls it, and its public half wherever the card keeps
 * it: beside it, in an object of its own, or in the certificate. */

#include "agent/token/pkcs11/adopt.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/token/pkcs11/error.h"
#include "agent/token/pkcs11/object.h"
#include "agent/token/spki.h"

#define URI_MAX 1024

G_DEFINE_AUTOPTR_CLEANUP_FUNC(P11KitUri, p11_kit_uri_free)

/* A private key on the token. */
typedef struct {
    CK_OBJECT_HANDLE object;
    GBytes *id;          /* (owned, nullable) CKA_ID */
    GBytes *label;       /* (owned, nullable) */
    GBytes *spki;        /* (owned, nullable): the token does not tell */
    GBytes *certificate; /* (owned, nullable) with the same id and public key */
    gboolean is_ours;    /* this or another agent made it, by its label */
} Candidate;

static void
candidate_free(gpointer data)
{
    Candidate *candidate = data;

    g_clear_pointer(&candidate->id, g_bytes_unref);
    g_clear_pointer(&candidate->label, g_bytes_unref);
    g_clear_pointer(&candidate->spki, g_bytes_unref);
    g_clear_pointer(&candidate->certificate, g_bytes_unref);
    g_free(candidate);
}

/* --- what is on the token --- */

static CK_ATTRIBUTE
id_of(const Candidate *candidate)
{
    gsize size;
    gconstpointer id = g_bytes_get_data(candidate->id, &size);

    return (CK_ATTRIBUTE) {CKA_ID, (void *)id, size};
}

static void
look_at_publics(SignetPkcs11 *p11, Candidate *candidate)
{
    CK_ATTRIBUTE id = id_of(candidate);
    SignetPkcs11Found found;

    signet_pkcs11_find(p11, CKO_PUBLIC_KEY, &id, &found);
    for (CK_ULONG i = 0; i < found.n && !candidate->spki; i++)
        candidate->spki = signet_pkcs11_read_spki(p11, found.objects[i]);
}

static void
look_at_certificates(SignetPkcs11 *p11, Candidate *candidate)
{
    CK_ATTRIBUTE id = id_of(candidate);
    SignetPkcs11Found found;

    signet_pkcs11_find(p11, CKO_CERTIFICATE, &id, &found);
    for (CK_ULONG i = 0; i < found.n && !candidate->certificate; i++) {
        g_autoptr(GBytes) certificate = signet_pkcs11_read_certificate(p11, found.objects[i]);
        g_autoptr(GBytes) spki = certificate ? signet_spki_of_certificate(certificate) : NULL;

        if (!spki || (candidate->spki && !g_bytes_equal(spki, candidate->spki)))
            continue;
        candidate->certificate = g_steal_pointer(&certificate);
        if (!candidate->spki)
            candidate->spki = g_steal_pointer(&spki);
    }
}

/* signet_pkcs11_generate() labels them so. */
static gboolean
is_ours(const Candidate *candidate)
{
    g_autoptr(GString) label = g_string_new("signet ");
    gsize size, label_size;
    const guint8 *id = g_bytes_get_data(candidate->id, &size);
    gconstpointer found;

    for (gsize i = 0; i < size; i++)
        g_string_append_printf(label, "%02x", id[i]);
    if (!candidate->label)
        return FALSE;
    found = g_bytes_get_data(candidate->label, &label_size);
    return label_size == label->len && memcmp(found, label->str, label_size) == 0;
}

static Candidate *
candidate_new(SignetPkcs11 *p11, CK_OBJECT_HANDLE object)
{
    Candidate *candidate = g_new0(Candidate, 1);

    candidate->object = object;
    candidate->id = signet_pkcs11_get_attribute(p11, object, CKA_ID);
    candidate->label = signet_pkcs11_get_attribute(p11, object, CKA_LABEL);
    candidate->spki = signet_pkcs11_read_spki(p11, object);
    if (!candidate->id)
        return candidate;
    candidate->is_ours = is_ours(candidate);
    if (!candidate->spki)
        look_at_publics(p11, candidate);
    look_at_certificates(p11, candidate);
    return candidate;
}

/* Those that say that they do not sign are none. */
static GPtrArray *
list_candidates(SignetPkcs11 *p11, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(candidate_free);
    SignetPkcs11Found found;
    CK_RV rv = signet_pkcs11_find(p11, CKO_PRIVATE_KEY, NULL, &found);

    if (rv != CKR_OK) {
        signet_pkcs11_error_set(error, p11->name, "list its keys", rv);
        return NULL;
    }
    for (CK_ULONG i = 0; i < found.n; i++) {
        if (!signet_pkcs11_is_known_to_be(p11, found.objects[i], CKA_SIGN, CK_FALSE))
            g_ptr_array_add(list, candidate_new(p11, found.objects[i]));
    }
    return g_steal_pointer(&list);
}

/* --- which one is meant --- */

static gboolean
is_equal(const CK_ATTRIBUTE *wanted, GBytes *found)
{
    gsize size = 0;
    gconstpointer bytes = found ? g_bytes_get_data(found, &size) : NULL;

    return !wanted || (size == wanted->ulValueLen && memcmp(bytes, wanted->pValue, size) == 0);
}

/* One of an agent's must be called by its name. */
static gboolean
is_meant(P11KitUri *uri, const Candidate *candidate)
{
    gboolean is_named =
        p11_kit_uri_get_attribute(uri, CKA_ID) || p11_kit_uri_get_attribute(uri, CKA_LABEL);

    return (is_named || !candidate->is_ours) &&
           is_equal(p11_kit_uri_get_attribute(uri, CKA_ID), candidate->id) &&
           is_equal(p11_kit_uri_get_attribute(uri, CKA_LABEL), candidate->label);
}

static P11KitUri *
parse_name(SignetPkcs11 *p11, GBytes *name, GError **error)
{
    g_autoptr(P11KitUri) uri = p11_kit_uri_new();
    gsize size;
    const char *bytes = g_bytes_get_data(name, &size);
    g_autofree char *text = g_strndup(bytes, size);
    int rc = P11_KIT_URI_OK;

    if (size > 0)
        rc = size > URI_MAX || strlen(text) != size
                 ? P11_KIT_URI_BAD_SYNTAX
                 : p11_kit_uri_parse(text, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, uri);
    if (rc != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(uri))
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "the object is not named by a PKCS#11 URI such as 'pkcs11:id=%%01'");
    else if (p11_kit_uri_get_pin_value(uri) || p11_kit_uri_get_pin_source(uri))
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "a PIN has no place in the object's URI; PinFile= of token '%s' names it",
                         p11->name);
    else if (!p11_kit_uri_match_token_info(uri, &p11->slot.token))
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "the object's URI names another token than '%s'", p11->name);
    else
        return g_steal_pointer(&uri);
    return NULL;
}

/* "pkcs11:id=%01;object=PIV%20AUTH" */
static char *
dup_uri(const Candidate *candidate)
{
    g_autoptr(P11KitUri) uri = p11_kit_uri_new();
    char *text = NULL, *copy;

    for (guint i = 0; i < 2; i++) {
        GBytes *bytes = i == 0 ? candidate->id : candidate->label;
        gsize size = 0;
        gconstpointer value = bytes ? g_bytes_get_data(bytes, &size) : NULL;
        CK_ATTRIBUTE attribute = {i == 0 ? CKA_ID : CKA_LABEL, (void *)value, size};

        if (size > 0)
            p11_kit_uri_set_attribute(uri, &attribute);
    }
    if (p11_kit_uri_format(uri, P11_KIT_URI_FOR_OBJECT, &text) != P11_KIT_URI_OK)
        return g_strdup("one that cannot be written down");
    copy = g_strdup(text);
    free(text);
    return copy;
}

static char *
describe_all(const GPtrArray *list)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        const Candidate *candidate = list->pdata[i];
        g_autofree char *uri = dup_uri(candidate);
        guint32 type = candidate->spki ? signet_spki_key_type(candidate->spki) : 0;

        if (candidate->is_ours)
            continue;
        g_string_append_printf(text, "%s'%s' (%s%s)", text->len > 0 ? ", " : "", uri,
                               signet_key_type_name(type),
                               candidate->certificate ? ", with a certificate" : "");
    }
    return g_string_free(text, FALSE);
}

static const Candidate *
choose(SignetPkcs11 *p11, const GPtrArray *list, P11KitUri *uri, GError **error)
{
    const Candidate *chosen = NULL;
    guint n = 0;
    g_autofree char *all = NULL;

    for (guint i = 0; i < list->len; i++) {
        if (!is_meant(uri, list->pdata[i]))
            continue;
        chosen = list->pdata[i];
        n++;
    }
    if (n == 1)
        return chosen;
    all = describe_all(list);
    if (*all == '\0')
        signet_error_set(error, SIGNET_ERROR_NOT_FOUND,
                         "token '%s' has no key but those that an agent made", p11->name);
    else if (n == 0)
        signet_error_set(error, SIGNET_ERROR_NOT_FOUND,
                         "token '%s' has no such key that signs; it has %s", p11->name, all);
    else
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "token '%s' has %u such keys; name one of %s", p11->name, n, all);
    return NULL;
}

/* --- may it be used --- */

static gboolean
check(SignetPkcs11 *p11, const Candidate *candidate, GError **error)
{
    if (!candidate->id)
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "the key on token '%s' has no CKA_ID to find it by; give it one "
                                "(pkcs11-tool --set-id)",
                                p11->name);
    if (!candidate->spki || signet_spki_key_type(candidate->spki) == 0)
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "token '%s' shows no public half of the key, or one of a type that "
                                "cannot be used; a certificate with the same CKA_ID would do",
                                p11->name);
    return signet_pkcs11_check_protection(p11, candidate->object, TRUE, "does not protect the key",
                                          error);
}

static SignetKey *
make_key(SignetPkcs11 *p11, const Candidate *candidate, GError **error)
{
    gsize size;
    const guint8 *id = g_bytes_get_data(candidate->id, &size);
    g_autoptr(GBytes) blob = signet_pkcs11_blob(p11, id, size, error);

    return blob ? signet_key_new_adopted(signet_spki_key_type(candidate->spki), blob, NULL,
                                         candidate->spki)
                : NULL;
}

SignetKey *
signet_pkcs11_adopt(SignetPkcs11 *p11, GBytes *name, GBytes **ret_certificate, GError **error)
{
    g_autoptr(P11KitUri) uri = parse_name(p11, name, error);
    g_autoptr(GPtrArray) list = uri ? list_candidates(p11, error) : NULL;
    const Candidate *candidate = list ? choose(p11, list, uri, error) : NULL;
    SignetKey *key;

    if (!candidate || !check(p11, candidate, error))
        return NULL;
    key = make_key(p11, candidate, error);
    if (key && candidate->certificate)
        *ret_certificate = g_bytes_ref(candidate->certificate);
    return key;
}
