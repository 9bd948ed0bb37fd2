/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The objects of ACME. */

#include "agent/enroller/acme-read.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/json.h"
#include "agent/enroll/jwk.h"

#define OBJECT_MAX   (256 * 1024)
#define LIST_MAX     128
#define TEXT_MAX     2048
#define DETAIL_MAX   200
#define PROBLEMS_MAX 5
#define ERROR_PREFIX "urn:ietf:params:acme:error:"

/* --- members --- */

static json_t *
read_object(GBytes *json, const char *what, GError **error)
{
    gsize size = 0;
    const char *data = g_bytes_get_data(json, &size);
    json_t *object = size > 0 && size <= OBJECT_MAX
                         ? json_loadb(data, size, JSON_REJECT_DUPLICATES, NULL)
                         : NULL;

    if (json_is_object(object))
        return object;
    json_decref(object);
    signet_error_set(error, SIGNET_ERROR_CORRUPT, "the server's %s is not a JSON object", what);
    return NULL;
}

static gboolean
fail(GError **error, const char *what, const char *name)
{
    return signet_error_set(error, SIGNET_ERROR_CORRUPT, "the server's %s has no usable '%s'", what,
                            name);
}

/* Printable ASCII of a bounded length, as all texts are that go anywhere; NULL otherwise. */
static char *
dup_text(const json_t *value)
{
    const char *text = json_string_value(value);

    if (!text || !*text || strlen(text) > TEXT_MAX)
        return NULL;
    for (const char *p = text; *p; p++) {
        if (!g_ascii_isgraph(*p))
            return NULL;
    }
    return g_strdup(text);
}

static gboolean
take_text(const json_t *object, const char *what, const char *name, char **ret_text, GError **error)
{
    *ret_text = dup_text(json_object_get(object, name));
    return *ret_text || fail(error, what, name);
}

static gboolean
take_status(const json_t *object, const char *what, SignetAcmeStatus *ret_status, GError **error)
{
    static const struct {
        const char *name;
        SignetAcmeStatus status;
    } names[] = {
        {"pending", SIGNET_ACME_PENDING},       {"ready", SIGNET_ACME_READY},
        {"processing", SIGNET_ACME_PROCESSING}, {"valid", SIGNET_ACME_VALID},
        {"invalid", SIGNET_ACME_INVALID},       {"deactivated", SIGNET_ACME_INVALID},
        {"expired", SIGNET_ACME_INVALID},       {"revoked", SIGNET_ACME_INVALID},
    };
    const char *text = json_string_value(json_object_get(object, "status"));

    for (gsize i = 0; text && i < G_N_ELEMENTS(names); i++) {
        if (strcmp(names[i].name, text) == 0) {
            *ret_status = names[i].status;
            return TRUE;
        }
    }
    return fail(error, what, "status");
}

static gboolean
is_list(const json_t *value)
{
    return json_is_array(value) && json_array_size(value) > 0 && json_array_size(value) <= LIST_MAX;
}

/* --- problems --- */

/* For people: printable, one line, cut. */
static void
append_words(GString *words, const char *text)
{
    gsize begin = words->len;

    for (const char *p = text; *p && words->len - begin < DETAIL_MAX; p++)
        g_string_append_c(words, g_ascii_isprint(*p) ? *p : ' ');
}

static const char *
strip_type(const json_t *problem)
{
    const char *type = json_string_value(json_object_get(problem, "type"));

    if (!type)
        return "";
    return g_str_has_prefix(type, ERROR_PREFIX) ? type + strlen(ERROR_PREFIX) : type;
}

static void
append_problem(GString *words, const json_t *problem)
{
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *type = strip_type(problem);

    append_words(words, type);
    if (detail && *type)
        g_string_append(words, ": ");
    if (detail)
        append_words(words, detail);
}

static char *
dup_words(const json_t *problem)
{
    GString *words = g_string_new(NULL);
    const json_t *parts = json_object_get(problem, "subproblems");

    append_problem(words, problem);
    for (gsize i = 0; i < MIN(json_array_size(parts), PROBLEMS_MAX); i++) {
        const json_t *part = json_array_get(parts, i);
        const char *name =
            json_string_value(json_object_get(json_object_get(part, "identifier"), "value"));

        g_string_append(words, "; ");
        if (name) {
            append_words(words, name);
            g_string_append(words, ": ");
        }
        append_problem(words, part);
    }
    return g_string_free(words, FALSE);
}

static char *
dup_error(const json_t *object)
{
    const json_t *problem = json_object_get(object, "error");

    return json_is_object(problem) ? dup_words(problem) : NULL;
}

void
signet_acme_problem_read(SignetAcmeProblem *problem, GBytes *json)
{
    g_autoptr(json_t) object = read_object(json, "problem", NULL);

    problem->type = g_strdup(object ? strip_type(object) : "");
    problem->words = object ? dup_words(object) : g_strdup("");
}

void
signet_acme_problem_clear(SignetAcmeProblem *problem)
{
    g_clear_pointer(&problem->type, g_free);
    g_clear_pointer(&problem->words, g_free);
}

/* --- the directory --- */

static char **
dup_names(const json_t *object)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    const char *name;
    json_t *value;

    if (json_object_size(object) <= LIST_MAX) {
        json_object_foreach((json_t *)object, name, value)
        {
            g_strv_builder_add(builder, name);
        }
    }
    return g_strv_builder_end(builder);
}

gboolean
signet_acme_directory_read(SignetAcmeDirectory *directory, GBytes *json, GError **error)
{
    static const char what[] = "directory";
    g_autoptr(json_t) object = read_object(json, what, error);
    const json_t *meta = json_object_get(object, "meta");

    if (!object || !take_text(object, what, "newNonce", &directory->new_nonce, error) ||
        !take_text(object, what, "newAccount", &directory->new_account, error) ||
        !take_text(object, what, "newOrder", &directory->new_order, error))
        return FALSE;
    directory->revoke_cert = dup_text(json_object_get(object, "revokeCert"));
    directory->renewal = dup_text(json_object_get(object, "renewalInfo"));
    directory->terms = dup_text(json_object_get(meta, "termsOfService"));
    directory->profiles = dup_names(json_object_get(meta, "profiles"));
    directory->needs_external_account =
        json_is_true(json_object_get(meta, "externalAccountRequired"));
    return TRUE;
}

void
signet_acme_directory_clear(SignetAcmeDirectory *directory)
{
    g_free(directory->new_nonce);
    g_free(directory->new_account);
    g_free(directory->new_order);
    g_free(directory->revoke_cert);
    g_free(directory->renewal);
    g_free(directory->terms);
    g_strfreev(directory->profiles);
    *directory = (SignetAcmeDirectory) {0};
}

/* --- orders --- */

static char **
dup_texts(const json_t *list)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (gsize i = 0; i < json_array_size(list); i++) {
        g_autofree char *text = dup_text(json_array_get(list, i));

        if (!text)
            return NULL;
        g_strv_builder_add(builder, text);
    }
    return g_strv_builder_end(builder);
}

static char **
dup_identifiers(const json_t *list)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (gsize i = 0; i < json_array_size(list); i++) {
        g_autofree char *type = dup_text(json_object_get(json_array_get(list, i), "type"));
        g_autofree char *value = dup_text(json_object_get(json_array_get(list, i), "value"));

        if (!type || !value)
            return NULL;
        g_autofree char *text = g_strconcat(type, ":", value, NULL);
        g_strv_builder_add(builder, text);
    }
    return g_strv_builder_end(builder);
}

gboolean
signet_acme_order_read(SignetAcmeOrder *order, GBytes *json, GError **error)
{
    static const char what[] = "order";
    g_autoptr(json_t) object = read_object(json, what, error);
    const json_t *authorizations = json_object_get(object, "authorizations");
    const json_t *identifiers = json_object_get(object, "identifiers");

    if (!object || !take_status(object, what, &order->status, error) ||
        !take_text(object, what, "finalize", &order->finalize, error))
        return FALSE;
    order->authorizations = is_list(authorizations) ? dup_texts(authorizations) : NULL;
    order->identifiers = is_list(identifiers) ? dup_identifiers(identifiers) : NULL;
    if (!order->authorizations || !order->identifiers)
        return fail(error, what, order->identifiers ? "authorizations" : "identifiers");
    order->certificate = dup_text(json_object_get(object, "certificate"));
    order->problem = dup_error(object);
    return order->status != SIGNET_ACME_VALID || order->certificate ||
           fail(error, what, "certificate");
}

void
signet_acme_order_clear(SignetAcmeOrder *order)
{
    g_strfreev(order->identifiers);
    g_strfreev(order->authorizations);
    g_free(order->finalize);
    g_free(order->certificate);
    g_free(order->problem);
    *order = (SignetAcmeOrder) {0};
}

/* --- authorisations --- */

static void
challenge_free(gpointer data)
{
    SignetAcmeChallenge *challenge = data;

    g_free(challenge->type);
    g_free(challenge->url);
    g_free(challenge->token);
    g_free(challenge->problem);
    g_free(challenge);
}

static gboolean
add_challenge(SignetAcmeAuthorization *authorization, const json_t *object, GError **error)
{
    static const char what[] = "challenge";
    SignetAcmeChallenge *challenge = g_new0(SignetAcmeChallenge, 1);
    const char *token = json_string_value(json_object_get(object, "token"));

    g_ptr_array_add(authorization->challenges, challenge);
    if (!take_text(object, what, "type", &challenge->type, error) ||
        !take_text(object, what, "url", &challenge->url, error) ||
        !take_status(object, what, &challenge->status, error))
        return FALSE;
    if (token && !signet_jwk_is_token(token))
        return fail(error, what, "token");
    challenge->token = g_strdup(token ? token : "");
    challenge->problem = dup_error(object);
    return TRUE;
}

gboolean
signet_acme_authorization_read(SignetAcmeAuthorization *authorization, GBytes *json, GError **error)
{
    static const char what[] = "authorization";
    g_autoptr(json_t) object = read_object(json, what, error);
    const json_t *identifier = json_object_get(object, "identifier");
    const json_t *challenges = json_object_get(object, "challenges");

    authorization->challenges = g_ptr_array_new_with_free_func(challenge_free);
    if (!object || !take_status(object, what, &authorization->status, error) ||
        !take_text(identifier, what, "type", &authorization->type, error) ||
        !take_text(identifier, what, "value", &authorization->value, error))
        return FALSE;
    if (!is_list(challenges))
        return fail(error, what, "challenges");
    for (gsize i = 0; i < json_array_size(challenges); i++) {
        if (!add_challenge(authorization, json_array_get(challenges, i), error))
            return FALSE;
    }
    authorization->is_wildcard = json_is_true(json_object_get(object, "wildcard"));
    return TRUE;
}

void
signet_acme_authorization_clear(SignetAcmeAuthorization *authorization)
{
    g_free(authorization->type);
    g_free(authorization->value);
    g_clear_pointer(&authorization->challenges, g_ptr_array_unref);
    *authorization = (SignetAcmeAuthorization) {0};
}

const SignetAcmeChallenge *
signet_acme_authorization_find(const SignetAcmeAuthorization *authorization, const char *type)
{
    for (guint i = 0; i < authorization->challenges->len; i++) {
        const SignetAcmeChallenge *challenge = authorization->challenges->pdata[i];

        if (strcmp(challenge->type, type) == 0)
            return challenge;
    }
    return NULL;
}

/* --- when to renew --- */

/* RFC 3339; FALSE when it is no time, or lies outside of the years 1970 to 9999. */
static gboolean
take_time(const json_t *object, const char *name, gint64 *ret_s)
{
    const char *text = json_string_value(json_object_get(object, name));
    g_autoptr(GDateTime) time =
        text && strlen(text) <= 64 ? g_date_time_new_from_iso8601(text, NULL) : NULL;

    if (!time || g_date_time_to_unix(time) < 0)
        return FALSE;
    *ret_s = g_date_time_to_unix(time);
    return TRUE;
}

gboolean
signet_acme_window_read(GBytes *json, gint64 *ret_start_s, gint64 *ret_end_s,
                        char **ret_explanation, GError **error)
{
    static const char what[] = "renewalInfo";
    g_autoptr(json_t) object = read_object(json, what, error);
    const json_t *window = json_object_get(object, "suggestedWindow");
    gint64 start_s;
    gint64 end_s;

    if (!object)
        return FALSE;
    if (!take_time(window, "start", &start_s) || !take_time(window, "end", &end_s) ||
        start_s >= end_s)
        return fail(error, what, "suggestedWindow");
    *ret_start_s = start_s;
    *ret_end_s = end_s;
    if (ret_explanation)
        *ret_explanation = dup_text(json_object_get(object, "explanationURL"));
    return TRUE;
}
