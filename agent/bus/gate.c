/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The authorisation gate: one row per method says who decides, polkit is asked without blocking. */

#include "agent/bus/gate.h"

#define POLKIT_NAME      "org.freedesktop.PolicyKit1"
#define POLKIT_PATH      "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define TIMEOUT_MS             10000
#define INTERACTIVE_TIMEOUT_MS 120000
#define PENDING_MAX            256
#define PENDING_USER_MAX       32
#define ALLOW_INTERACTION      1u /* AllowUserInteraction of CheckAuthorization */

#define IDENTITY "org.signet.Identity1"

static const SignetGateRow rows[] = {
    {"org.signet.Agent1", "Reload", "org.signet.reload"},
    {IDENTITY, "GetCredentials", NULL},
    {IDENTITY, "Sign", NULL},
    {IDENTITY, "GetUsage", "org.signet.status"},
    {IDENTITY, "Enroll", "org.signet.enroll"},
    {IDENTITY, "Rotate", "org.signet.rotate"},
    {IDENTITY, "Rollback", "org.signet.rotate"},
    {IDENTITY, "Check", "org.signet.rotate"},
    {IDENTITY, "Revoke", "org.signet.revoke"},
    {IDENTITY, "ReportFailure", NULL},
    {IDENTITY, "Adopt", "org.signet.adopt"},
    {IDENTITY, "GetRequest", "org.signet.status"},
    {IDENTITY, "Import", "org.signet.enroll"},
    {IDENTITY, "Attest", "org.signet.attest"},
    {"org.signet.Token1", "GetCounts", "org.signet.status"},
    {"org.signet.Token1", "Unlock", "org.signet.unlock"},
    {"org.signet.Token1", "Lock", "org.signet.unlock"},
    {"org.signet.Token1", "GetFacts", "org.signet.status"},
    {"org.signet.Token1", "Measure", "org.signet.measure"},
    {"org.signet.Token1", "AnswerChallenge", "org.signet.attest"},
    {"org.signet.Token1", "ImportAttesterCertificate", "org.signet.attest"},
};

struct SignetGate {
    GDBusConnection *connection; /* (owned) */
    GCancellable *stop;          /* (owned) cancelled when the gate is freed */
    guint timeout_ms;
    SignetGateDone done;
    gpointer data;
    GHashTable *pending; /* (owned) set of Check (unowned): each is owned by its D-Bus call */
    guint64 n_checks;
};

typedef struct {
    SignetGate *gate;            /* (unowned): not touched once its stop is cancelled */
    GDBusConnection *connection; /* (owned) */
    GCancellable *stop;          /* (owned) */
    char *action;                /* (owned) */
    char *sender;                /* (owned) */
    char *identity;              /* (owned, nullable) */
    char *token;                 /* (owned, nullable) */
    char *cancellation_id;       /* (owned) */
    uid_t uid;
    gboolean may_ask_person;
    gboolean is_person_asked;
    gint64 id;
} Check;

const SignetGateRow *
signet_gate_list(gsize *ret_n_rows)
{
    *ret_n_rows = G_N_ELEMENTS(rows);
    return rows;
}

const SignetGateRow *
signet_gate_find(const char *interface, const char *method)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_str_equal(rows[i].interface, interface) && g_str_equal(rows[i].method, method))
            return &rows[i];
    }
    return NULL;
}

SignetGate *
signet_gate_new(GDBusConnection *connection, guint timeout_ms, SignetGateDone done, gpointer data)
{
    SignetGate *gate = g_new0(SignetGate, 1);

    gate->connection = g_object_ref(connection);
    gate->stop = g_cancellable_new();
    gate->timeout_ms = timeout_ms ? timeout_ms : TIMEOUT_MS;
    gate->done = done;
    gate->data = data;
    gate->pending = g_hash_table_new(NULL, NULL);
    return gate;
}

void
signet_gate_free(SignetGate *gate)
{
    if (!gate)
        return;
    g_cancellable_cancel(gate->stop);
    g_object_unref(gate->stop);
    g_object_unref(gate->connection);
    g_hash_table_unref(gate->pending);
    g_free(gate);
}

static void
check_free(Check *check)
{
    g_object_unref(check->connection);
    g_object_unref(check->stop);
    g_free(check->action);
    g_free(check->sender);
    g_free(check->identity);
    g_free(check->token);
    g_free(check->cancellation_id);
    g_free(check);
}

static gboolean
is_polkit_absent(const GError *error)
{
    return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND);
}

/* Nobody is there any more to hear the answer, so that the dialogue need not stay on the screen. */
static void
take_dialogue_back(const Check *check)
{
    g_dbus_connection_call(check->connection, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                           "CancelCheckAuthorization", g_variant_new("(s)", check->cancellation_id),
                           NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}

static GError *
judge_failure(const Check *check, GError *failure)
{
    if (is_polkit_absent(failure))
        return check->uid == 0
                   ? NULL
                   : signet_error_new(SIGNET_ERROR_DENIED,
                                      "polkit is not running, so nobody can allow '%s' to uid %u; "
                                      "start polkit, or ask as root",
                                      check->action, (guint)check->uid);
    if (g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
        g_error_matches(failure, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY)) {
        if (check->is_person_asked)
            take_dialogue_back(check);
        return signet_error_new(SIGNET_ERROR_DENIED,
                                "polkit did not answer whether '%s' is allowed; try again, and see "
                                "whether polkit is well",
                                check->action);
    }
    g_dbus_error_strip_remote_error(failure);
    return signet_error_new(SIGNET_ERROR_DENIED,
                            "polkit could not decide about '%s': %s; see whether org.signet.policy "
                            "is among polkit's actions",
                            check->action, failure->message);
}

static GError *
judge_answer(const Check *check, gboolean is_authorized, gboolean is_challenge)
{
    if (is_authorized)
        return NULL;
    if (is_challenge)
        return signet_error_new(SIGNET_ERROR_DENIED,
                                "'%s' needs an administrator, and nobody could be asked for a "
                                "password; ask as root, or allow it with a polkit rule",
                                check->action);
    return signet_error_new(SIGNET_ERROR_DENIED,
                            "polkit does not allow '%s' to uid %u; ask as root, or allow it with a "
                            "polkit rule",
                            check->action, (guint)check->uid);
}

static GVariant *
question_to_variant(const Check *check)
{
    GVariantBuilder subject, details;

    g_variant_builder_init(&subject, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&subject, "{sv}", "name", g_variant_new_string(check->sender));
    g_variant_builder_init(&details, G_VARIANT_TYPE("a{ss}"));
    if (check->identity)
        g_variant_builder_add(&details, "{ss}", "identity", check->identity);
    if (check->token)
        g_variant_builder_add(&details, "{ss}", "token", check->token);
    return g_variant_new("((sa{sv})sa{ss}us)", "system-bus-name", &subject, check->action, &details,
                         check->is_person_asked ? ALLOW_INTERACTION : 0u, check->cancellation_id);
}

static void
send_question(Check *check, GAsyncReadyCallback on_answer)
{
    gint timeout_ms =
        check->is_person_asked ? INTERACTIVE_TIMEOUT_MS : (gint)check->gate->timeout_ms;

    g_dbus_connection_call(check->connection, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                           "CheckAuthorization", question_to_variant(check),
                           G_VARIANT_TYPE("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, timeout_ms,
                           check->stop, on_answer, check);
}

/* A person is asked only after polkit has said that one is needed: so a polkit that hangs is
 * noticed soon, and a person has the time a person takes. */
static void
on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    Check *check = data;
    gboolean is_authorized = FALSE, is_challenge = FALSE;
    g_autoptr(GError) failure = NULL, denied = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &failure);

    if (g_cancellable_is_cancelled(check->stop)) {
        if (check->is_person_asked)
            take_dialogue_back(check);
        check_free(check);
        return;
    }
    if (answer)
        g_variant_get(answer, "((bb@a{ss}))", &is_authorized, &is_challenge, NULL);
    if (!is_authorized && is_challenge && check->may_ask_person && !check->is_person_asked) {
        check->is_person_asked = TRUE;
        send_question(check, on_answer);
        return;
    }
    g_hash_table_remove(check->gate->pending, check);
    denied =
        answer ? judge_answer(check, is_authorized, is_challenge) : judge_failure(check, failure);
    check->gate->done(denied, check->id, check->gate->data);
    check_free(check);
}

static gboolean
refuse_busy(gpointer data)
{
    Check *check = data;

    if (!g_cancellable_is_cancelled(check->stop)) {
        g_autoptr(GError) busy = signet_error_new(
            SIGNET_ERROR_BUSY, "too many requests wait for polkit's answer; try again later");

        check->gate->done(busy, check->id, check->gate->data);
    }
    check_free(check);
    return G_SOURCE_REMOVE;
}

/* A user who lets dialogues stand open must not keep the others out. */
static gboolean
is_full(SignetGate *gate, uid_t uid)
{
    GHashTableIter iter;
    gpointer check = NULL;
    guint count = 0;

    g_hash_table_iter_init(&iter, gate->pending);
    while (uid != 0 && g_hash_table_iter_next(&iter, &check, NULL))
        count += ((const Check *)check)->uid == uid;
    return count >= PENDING_USER_MAX || g_hash_table_size(gate->pending) >= PENDING_MAX;
}

void
signet_gate_check(SignetGate *gate, const SignetGateQuestion *question, gint64 id)
{
    Check *check = g_new0(Check, 1);

    check->gate = gate;
    check->connection = g_object_ref(gate->connection);
    check->stop = g_object_ref(gate->stop);
    check->action = g_strdup(question->action);
    check->sender = g_strdup(question->sender);
    check->identity = g_strdup(question->identity);
    check->token = g_strdup(question->token);
    check->cancellation_id = g_strdup_printf("signet-%" G_GUINT64_FORMAT, ++gate->n_checks);
    check->uid = question->uid;
    check->may_ask_person = question->is_interactive;
    check->id = id;
    if (is_full(gate, question->uid)) {
        g_idle_add(refuse_busy, check);
        return;
    }
    g_hash_table_add(gate->pending, check);
    send_question(check, on_answer);
}
