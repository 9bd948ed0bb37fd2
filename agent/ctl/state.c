/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An identity's state in rows of a table. */

#include "agent/ctl/state.h"

#include "agent/ctl/when.h"

static const char *
explain_responsible(const char *word)
{
    static const struct {
        const char *word;
        const char *words;
    } all[] = {
        {"agent", "nobody, the agent goes on by itself"},
        {"ca", "the CA: its operator, if a person decides there"},
        {"person", "somebody at the machine: insert the card, give the PIN, see to the TPM"},
        {"administrator", "the administrator of this machine"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        if (g_strcmp0(all[i].word, word) == 0)
            return all[i].words;
    }
    return word;
}

static void
add_next(SignetTable *table, SignetDbusIdentity1 *identity, gint64 now_s)
{
    gint64 next_s = signet_dbus_identity1_get_next_time(identity);
    gint64 deadline_s = signet_dbus_identity1_get_deadline(identity);
    const char *action = signet_dbus_identity1_get_next_action(identity);
    const char *deadline = signet_dbus_identity1_get_deadline_action(identity);
    g_autofree char *when = next_s ? signet_when_full(next_s, now_s) : g_strdup("");
    g_autofree char *next = g_strstrip(g_strdup_printf("%s %s", action ? action : "", when));
    g_autofree char *limit = deadline_s ? signet_when_full(deadline_s, now_s) : NULL;
    g_autofree char *until =
        limit ? g_strdup_printf("%s: then %s", limit, deadline) : g_strdup(deadline);

    signet_table_add(table, SIGNET_TABLE_ROW("Next", next));
    signet_table_add(table, SIGNET_TABLE_ROW("Until", until));
}

void
signet_ctl_add_state(SignetTable *table, SignetDbusIdentity1 *identity)
{
    gint64 now_s = signet_ctl_now();
    const char *code = signet_dbus_identity1_get_device_code(identity);
    guint attempt = signet_dbus_identity1_get_attempt(identity);
    g_autofree char *since = signet_when_full(signet_dbus_identity1_get_since(identity), now_s);
    g_autofree char *state =
        g_strdup_printf("%s since %s", signet_dbus_identity1_get_state(identity), since);
    g_autofree char *failures = g_strdup_printf("%u in a row", attempt);
    g_autofree char *compare =
        g_strdup_printf("%s (the CA's operator must see the same, all of it)", code);

    signet_table_add(table, SIGNET_TABLE_ROW("State", state));
    signet_table_add(table, SIGNET_TABLE_ROW("Because", signet_dbus_identity1_get_why(identity)));
    if (attempt > 0)
        signet_table_add(table, SIGNET_TABLE_ROW("Failures", failures));
    signet_table_add(
        table, SIGNET_TABLE_ROW("Who acts", explain_responsible(
                                                signet_dbus_identity1_get_responsible(identity))));
    add_next(table, identity, now_s);
    if (code && *code)
        signet_table_add(table, SIGNET_TABLE_ROW("Device code", compare));
}

static void
add_window(SignetTable *table, SignetDbusIdentity1 *identity, gint64 now_s)
{
    GVariant *window = signet_dbus_identity1_get_renewal_window(identity);
    const char *reason = signet_dbus_identity1_get_renewal_reason(identity);
    gint64 start_s = 0, end_s = 0;

    if (window)
        g_variant_get(window, "(xx)", &start_s, &end_s);
    g_autofree char *start = end_s ? signet_when_full(start_s, now_s) : NULL;
    g_autofree char *end = end_s ? signet_when_full(end_s, now_s) : NULL;
    gboolean has_reason = reason && *reason;
    g_autofree char *text =
        end_s ? g_strdup_printf("%s to %s%s%s%s", start, end, has_reason ? " (" : "",
                                has_reason ? reason : "", has_reason ? ")" : "")
              : g_strdup(reason);

    if (text && *text)
        signet_table_add(table, SIGNET_TABLE_ROW("CA renews", text));
}

void
signet_ctl_add_watch(SignetTable *table, SignetDbusIdentity1 *identity)
{
    gint64 now_s = signet_ctl_now();
    gint64 next_s = signet_dbus_identity1_get_next_check(identity);
    const char *issuer = signet_dbus_identity1_get_issuer(identity);
    g_autofree char *next = next_s ? signet_when_full(next_s, now_s) : NULL;

    add_window(table, identity, now_s);
    if (issuer && *issuer)
        signet_table_add(table, SIGNET_TABLE_ROW("Issuer", issuer));
    if (next)
        signet_table_add(table, SIGNET_TABLE_ROW("Next check", next));
}

gboolean
signet_ctl_needs_attention(SignetDbusIdentity1 *identity)
{
    const char *cause = signet_dbus_identity1_get_cause(identity);
    gint64 not_after_s = signet_dbus_identity1_get_not_after(identity);

    return (cause && *cause) || signet_dbus_identity1_get_attempt(identity) > 0 ||
           signet_dbus_identity1_get_revoked(identity) ||
           (not_after_s && not_after_s <= signet_ctl_now());
}
