/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The files as JSON. Each is a table of members. */

#include "agent/evidence/bundle.h"

#include <jansson.h>
#include <string.h>

#include "agent/base/error.h"

#define VERSION         1
#define TEXT_LENGTH_MAX 64
#define BYTES_MAX       4096
#define CERTIFICATE_MAX 16384
#define LIST_MAX        16

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

typedef enum {
    MEMBER_TEXT,   /* char * */
    MEMBER_NUMBER, /* guint32 */
    MEMBER_BYTES,  /* GBytes * */
    MEMBER_LIST,   /* GPtrArray * of GBytes */
} MemberKind;

typedef struct {
    const char *name;
    MemberKind kind;
    gsize offset;
} Member;

typedef struct {
    const char *format;
    const Member *members;
    gsize n_members;
} Format;

#define FORMAT(name, table)              \
    {                                    \
        name, table, G_N_ELEMENTS(table) \
    }
#define EVIDENCE(field)    G_STRUCT_OFFSET(SignetEvidence, field)
#define CHALLENGE(field)   G_STRUCT_OFFSET(SignetChallenge, field)
#define EXPECTATION(field) G_STRUCT_OFFSET(SignetExpectation, field)

static const Member evidence_members[] = {
    {"identity", MEMBER_TEXT, EVIDENCE(identity)},
    {"token", MEMBER_TEXT, EVIDENCE(token)},
    {"generation", MEMBER_NUMBER, EVIDENCE(generation)},
    {"nonce", MEMBER_BYTES, EVIDENCE(nonce)},
    {"attestation", MEMBER_BYTES, EVIDENCE(attestation)},
    {"signature", MEMBER_BYTES, EVIDENCE(signature)},
    {"key", MEMBER_BYTES, EVIDENCE(key)},
    {"attester", MEMBER_BYTES, EVIDENCE(attester)},
    {"attester_certificates", MEMBER_LIST, EVIDENCE(attesters)},
    {"endorsement_certificates", MEMBER_LIST, EVIDENCE(endorsement)},
    {"endorsement_issuers", MEMBER_LIST, EVIDENCE(issuers)},
    {"certificates", MEMBER_LIST, EVIDENCE(certificate)},
};
static const Format evidence_format = FORMAT("signet-evidence", evidence_members);

static const Member challenge_members[] = {
    {"token", MEMBER_TEXT, CHALLENGE(token)},
    {"endorsement", MEMBER_BYTES, CHALLENGE(endorsement)},
    {"credential", MEMBER_BYTES, CHALLENGE(credential)},
    {"secret", MEMBER_BYTES, CHALLENGE(secret)},
};
static const Format challenge_format = FORMAT("signet-challenge", challenge_members);

static const Member expectation_members[] = {
    {"endorsement", MEMBER_BYTES, EXPECTATION(endorsement)},
    {"attester", MEMBER_BYTES, EXPECTATION(attester)},
    {"answer", MEMBER_BYTES, EXPECTATION(answer)},
};
static const Format expectation_format = FORMAT("signet-challenge-secret", expectation_members);

static const Member answer_members[] = {{"answer", MEMBER_BYTES, 0}};
static const Format answer_format = FORMAT("signet-answer", answer_members);

/* --- writing --- */

static json_t *
encode(GBytes *bytes)
{
    gsize size = 0;
    const guchar *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
    g_autofree char *text = g_base64_encode(data, size);

    return json_string(text);
}

static json_t *
encode_list(const GPtrArray *list)
{
    json_t *array = json_array();

    for (guint i = 0; list && i < list->len; i++)
        json_array_append_new(array, encode(list->pdata[i]));
    return array;
}

static json_t *
encode_member(const Member *member, const void *base)
{
    const void *field = (const char *)base + member->offset;

    switch (member->kind) {
    case MEMBER_TEXT:
        return json_string(*(char *const *)field);
    case MEMBER_NUMBER:
        return json_integer(*(const guint32 *)field);
    case MEMBER_BYTES:
        return encode(*(GBytes *const *)field);
    case MEMBER_LIST:
        return encode_list(*(GPtrArray *const *)field);
    }
    return NULL;
}

static char *
to_text(const Format *format, const void *base)
{
    g_autoptr(json_t) object = json_object();

    json_object_set_new(object, "format", json_string(format->format));
    json_object_set_new(object, "version", json_integer(VERSION));
    for (gsize i = 0; i < format->n_members; i++)
        json_object_set_new(object, format->members[i].name,
                            encode_member(&format->members[i], base));
    char *text = json_dumps(object, JSON_INDENT(2));
    char *line = g_strconcat(text, "\n", NULL);
    free(text);
    return line;
}

/* --- reading --- */

/* One way to write it: what g_base64_decode() passes over is not accepted. */
static GBytes *
decode(const json_t *value, gsize max)
{
    const char *text = json_string_value(value);
    gsize size = 0;

    if (!text || strlen(text) > (max + 2) / 3 * 4)
        return NULL;
    guchar *data = g_base64_decode(text, &size);
    g_autofree char *again = g_base64_encode(data, size);
    if (g_str_equal(again, text))
        return g_bytes_new_take(data, size);
    g_free(data);
    return NULL;
}

static GPtrArray *
decode_list(const json_t *value)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    if (!json_is_array(value) || json_array_size(value) > LIST_MAX)
        return NULL;
    for (gsize i = 0; i < json_array_size(value); i++) {
        GBytes *bytes = decode(json_array_get(value, i), CERTIFICATE_MAX);

        if (!bytes)
            return NULL;
        g_ptr_array_add(list, bytes);
    }
    return g_steal_pointer(&list);
}

/* It is shown to people. */
static char *
dup_text(const json_t *value)
{
    const char *text = json_string_value(value);

    if (!text || strlen(text) > TEXT_LENGTH_MAX)
        return NULL;
    for (const char *p = text; *p; p++) {
        if (!g_ascii_isgraph(*p))
            return NULL;
    }
    return g_strdup(text);
}

static gboolean
take_number(const json_t *value, guint32 *ret_number)
{
    json_int_t number = json_integer_value(value);

    *ret_number = (guint32)number;
    return json_is_integer(value) && number >= 0 && number <= G_MAXUINT32;
}

static gboolean
decode_member(const Member *member, const json_t *value, void *base)
{
    void *field = (char *)base + member->offset;

    switch (member->kind) {
    case MEMBER_TEXT:
        return (*(char **)field = dup_text(value)) != NULL;
    case MEMBER_NUMBER:
        return take_number(value, field);
    case MEMBER_BYTES:
        return (*(GBytes **)field = decode(value, BYTES_MAX)) != NULL;
    case MEMBER_LIST:
        return (*(GPtrArray **)field = decode_list(value)) != NULL;
    }
    return FALSE;
}

static gboolean
from_text(const Format *format, GBytes *text, void *base, GError **error)
{
    gsize size = 0;
    const char *data = g_bytes_get_data(text, &size);
    g_autoptr(json_t) object = size > 0 && size <= SIGNET_EVIDENCE_FILE_MAX
                                   ? json_loadb(data, size, JSON_REJECT_DUPLICATES, NULL)
                                   : NULL;
    const char *name = json_string_value(json_object_get(object, "format"));

    if (!name || strcmp(name, format->format) != 0)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT, "it is no '%s' file", format->format);
    if (json_integer_value(json_object_get(object, "version")) != VERSION)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "it is of another version of '%s' than %d", format->format,
                                VERSION);
    for (gsize i = 0; i < format->n_members; i++) {
        const Member *member = &format->members[i];

        if (!decode_member(member, json_object_get(object, member->name), base))
            return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                    "its member '%s' is missing or malformed", member->name);
    }
    return TRUE;
}

static void
clear(const Format *format, void *base)
{
    for (gsize i = 0; i < format->n_members; i++) {
        void *field = (char *)base + format->members[i].offset;

        switch (format->members[i].kind) {
        case MEMBER_TEXT:
            g_clear_pointer((char **)field, g_free);
            break;
        case MEMBER_NUMBER:
            break;
        case MEMBER_BYTES:
            g_clear_pointer((GBytes **)field, g_bytes_unref);
            break;
        case MEMBER_LIST:
            g_clear_pointer((GPtrArray **)field, g_ptr_array_unref);
            break;
        }
    }
}

/* --- the files --- */

char *
signet_evidence_to_text(const SignetEvidence *evidence)
{
    return to_text(&evidence_format, evidence);
}

gboolean
signet_evidence_from_text(SignetEvidence *evidence, GBytes *text, GError **error)
{
    return from_text(&evidence_format, text, evidence, error);
}

void
signet_evidence_clear(SignetEvidence *evidence)
{
    clear(&evidence_format, evidence);
}

char *
signet_challenge_to_text(const SignetChallenge *challenge)
{
    return to_text(&challenge_format, challenge);
}

gboolean
signet_challenge_from_text(SignetChallenge *challenge, GBytes *text, GError **error)
{
    return from_text(&challenge_format, text, challenge, error);
}

void
signet_challenge_clear(SignetChallenge *challenge)
{
    clear(&challenge_format, challenge);
}

char *
signet_expectation_to_text(const SignetExpectation *expectation)
{
    return to_text(&expectation_format, expectation);
}

gboolean
signet_expectation_from_text(SignetExpectation *expectation, GBytes *text, GError **error)
{
    return from_text(&expectation_format, text, expectation, error);
}

void
signet_expectation_clear(SignetExpectation *expectation)
{
    clear(&expectation_format, expectation);
}

char *
signet_answer_to_text(GBytes *answer)
{
    return to_text(&answer_format, &answer);
}

GBytes *
signet_answer_from_text(GBytes *text, GError **error)
{
    GBytes *answer = NULL;

    return from_text(&answer_format, text, &answer, error) ? answer : NULL;
}
