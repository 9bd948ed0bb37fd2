/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Subjects, alternative names and extended key usages: made from a request, and compared with it.
 */

#include "agent/enroll/names.h"

#include <string.h>

#include "agent/base/error.h"
#include "policy/subject.h"

#define TEXT_SHOWN_MAX 120

X509_NAME *
signet_names_parse_subject(const char *text, GError **error)
{
    g_autoptr(X509_NAME) name = X509_NAME_new();
    g_autofree char *problem = NULL;
    gboolean is_empty = !text || !text[0];
    g_autoptr(GPtrArray) parts = is_empty ? NULL : signet_policy_subject_parse(text, &problem);

    if (!is_empty && !parts) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "subject '%s': %s", text, problem);
        return NULL;
    }
    for (guint i = 0; parts && i < parts->len; i++) {
        const SignetSubjectPart *part = g_ptr_array_index(parts, i);

        /* Each before the others: RFC 4514 writes them backwards. */
        if (!X509_NAME_add_entry_by_txt(name, part->type, MBSTRING_UTF8,
                                        (const guint8 *)part->value, -1, 0, 0)) {
            g_autofree char *reason = signet_openssl_dup_reason();
            signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "subject '%s': %s: %s", text,
                             part->type, reason);
            return NULL;
        }
    }
    return g_steal_pointer(&name);
}

static gboolean
is_plain_ascii(const char *text)
{
    gsize length = strlen(text);

    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isgraph(text[i]))
            return FALSE;
    return length > 0;
}

static gboolean
add_string(GENERAL_NAMES *names, int kind, const char *word, const char *text, GError **error)
{
    g_autoptr(GENERAL_NAME) name = GENERAL_NAME_new();
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();

    if (!is_plain_ascii(text)) {
        ASN1_IA5STRING_free(value);
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "%s '%s' is empty or not ASCII without blanks; international names "
                                "are written in their "
                                "ASCII form (xn--…)",
                                word, text);
    }
    ASN1_STRING_set(value, text, -1);
    GENERAL_NAME_set0_value(name, kind, value);
    sk_GENERAL_NAME_push(names, g_steal_pointer(&name));
    return TRUE;
}

static gboolean
add_ip(GENERAL_NAMES *names, const char *text, GError **error)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    if (!address) {
        ERR_clear_error();
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "'%s' is no IP address", text);
    }
    GENERAL_NAME *name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_IPADD, address);
    sk_GENERAL_NAME_push(names, name);
    return TRUE;
}

GENERAL_NAMES *
signet_names_make_alt(const SignetJobRequest *request, GError **error)
{
    g_autoptr(GENERAL_NAMES) names = GENERAL_NAMES_new();

    for (const char *const *text = request->dns; text && *text; text++)
        if (!add_string(names, GEN_DNS, "DNS name", *text, error))
            return NULL;
    for (const char *const *text = request->ip; text && *text; text++)
        if (!add_ip(names, *text, error))
            return NULL;
    for (const char *const *text = request->uri; text && *text; text++)
        if (!add_string(names, GEN_URI, "URI", *text, error))
            return NULL;
    for (const char *const *text = request->email; text && *text; text++)
        if (!add_string(names, GEN_EMAIL, "mail address", *text, error))
            return NULL;
    return g_steal_pointer(&names);
}

EXTENDED_KEY_USAGE *
signet_names_make_eku(guint purposes)
{
    const guint tls = SIGNET_PURPOSE_TLS_CLIENT | SIGNET_PURPOSE_TLS_SERVER;
    EXTENDED_KEY_USAGE *usages = EXTENDED_KEY_USAGE_new();

    /* Whoever lists a side of TLS beside 'sign' says what the certificate is for. */
    if (purposes & SIGNET_PURPOSE_ANY || (purposes & SIGNET_PURPOSE_SIGN && !(purposes & tls)))
        purposes |= tls;
    if (purposes & SIGNET_PURPOSE_TLS_CLIENT)
        sk_ASN1_OBJECT_push(usages, OBJ_nid2obj(NID_client_auth));
    if (purposes & SIGNET_PURPOSE_TLS_SERVER)
        sk_ASN1_OBJECT_push(usages, OBJ_nid2obj(NID_server_auth));
    return usages;
}

/* Its DER is the name: compared byte by byte. */
static GHashTable *
alt_to_set(const GENERAL_NAMES *names)
{
    GHashTable *set =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);

    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
        guint8 *der = NULL;
        int size = i2d_GENERAL_NAME(sk_GENERAL_NAME_value(names, i), &der);

        if (size > 0)
            g_hash_table_insert(set, g_bytes_new(der, (gsize)size),
                                sk_GENERAL_NAME_value(names, i));
        OPENSSL_free(der);
    }
    return set;
}

char *
signet_names_dup_text(const GENERAL_NAME *name)
{
    g_autoptr(BIO) out = BIO_new(BIO_s_mem());
    char *data = NULL;

    GENERAL_NAME_print(out, (GENERAL_NAME *)name);
    long size = BIO_get_mem_data(out, &data);
    g_autofree char *text = g_strndup(data, (gsize)CLAMP(size, 0, TEXT_SHOWN_MAX));
    return g_utf8_make_valid(text, -1);
}

static char *
name_to_text(const X509_NAME *name)
{
    g_autoptr(BIO) out = BIO_new(BIO_s_mem());
    char *data = NULL;

    X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253);
    long size = BIO_get_mem_data(out, &data);
    return g_strndup(data, (gsize)CLAMP(size, 0, TEXT_SHOWN_MAX));
}

/* A name of 'names' that 'others' does not have; borrowed. */
static const GENERAL_NAME *
find_missing(GHashTable *names, GHashTable *others)
{
    GHashTableIter iter;
    gpointer der = NULL;
    gpointer name = NULL;

    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, &der, &name))
        if (!g_hash_table_contains(others, der))
            return name;
    return NULL;
}

static char *
dup_alt_difference(const GENERAL_NAMES *asked, const GENERAL_NAMES *found, guint rule)
{
    g_autoptr(GHashTable) asked_set = alt_to_set(asked);
    g_autoptr(GHashTable) found_set = alt_to_set(found);
    const GENERAL_NAME *extra =
        rule & SIGNET_NAMES_MAY_ADD ? NULL : find_missing(found_set, asked_set);
    const GENERAL_NAME *lacking =
        rule & SIGNET_NAMES_MAY_LACK ? NULL : find_missing(asked_set, found_set);
    const GENERAL_NAME *name = extra ? extra : lacking;

    if (!name)
        return NULL;
    g_autofree char *text = signet_names_dup_text(name);
    return extra ? g_strdup_printf("it names '%s', which was not asked for", text)
                 : g_strdup_printf("it lacks the name '%s' that was asked for", text);
}

char *
signet_names_dup_difference(const SignetJobRequest *request, const X509_NAME *subject,
                            const GENERAL_NAMES *alt, guint rule)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(X509_NAME) asked_subject = signet_names_parse_subject(request->subject, &error);
    g_autoptr(GENERAL_NAMES) asked_alt =
        asked_subject ? signet_names_make_alt(request, &error) : NULL;

    if (!asked_alt)
        return g_strdup_printf("what was asked for cannot be read: %s", error->message);

    gboolean is_free = rule & SIGNET_NAMES_ANY_SUBJECT ||
                       (rule & SIGNET_NAMES_MAY_LACK && X509_NAME_entry_count(subject) == 0);
    if (!is_free && X509_NAME_cmp(asked_subject, subject) != 0) {
        g_autofree char *asked = name_to_text(asked_subject);
        g_autofree char *found = name_to_text(subject);
        return g_strdup_printf("its subject is '%s', asked for was '%s'", found, asked);
    }
    return dup_alt_difference(asked_alt, alt, rule);
}
