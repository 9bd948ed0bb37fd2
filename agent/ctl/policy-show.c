/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl policy show: what applies to an identity, and which lines say so. */

#include "agent/ctl/commands.h"
#include "agent/ctl/policy-files.h"
#include "agent/ctl/table.h"
#include "agent/ctl/when.h"
#include "policy/explain.h"
#include "policy/simulate.h"

static char *
describe_purposes(const SignetIdentityPolicy *identity)
{
    GString *text = g_string_new(NULL);

    for (guint bit = 0; bit < 31; bit++) {
        const char *name =
            identity->purposes & 1u << bit ? signet_purpose_name((SignetPurpose)(1u << bit)) : NULL;

        if (name)
            g_string_append_printf(text, "%s%s", text->len ? ", " : "", name);
    }
    return g_string_free(text, FALSE);
}

static char *
describe_access(const SignetIdentityPolicy *identity)
{
    static const char *const kinds[] = {"user", "group", "unit", "label"};
    GString *text = g_string_new("root");

    if (identity->owner)
        g_string_append_printf(text, ", owner %s", identity->owner);
    for (guint i = 0; i < identity->allow->len; i++) {
        const SignetRule *rule = identity->allow->pdata[i];

        g_string_append_printf(text, ", %s %s", kinds[rule->kind], rule->value);
    }
    return g_string_free(text, FALSE);
}

static char *
describe_renewal(const SignetRotationProfile *rotation, gint64 lifetime_s)
{
    gint64 age_s = signet_schedule_renew_age(rotation, lifetime_s);
    g_autofree char *lifetime = signet_when_duration(lifetime_s);
    g_autofree char *age = signet_when_duration(age_s);
    g_autofree char *early =
        signet_when_duration((gint64)((double)lifetime_s * rotation->jitter_percent / 100));
    g_autofree char *overlap =
        signet_when_duration(signet_schedule_overlap(rotation, lifetime_s, age_s));

    if (lifetime_s <= 0)
        return g_strdup("as the CA's certificates live; see: signetctl policy simulate --lifetime");
    return g_strdup_printf("after %s of %s, up to %s earlier; then both for %s", age, lifetime,
                           early, overlap);
}

/* (nullable) A local CA revokes nothing. */
static char *
describe_revocation(const SignetRotationProfile *rotation, const SignetCaProfile *ca)
{
    static const char *const then[] = {
        [SIGNET_ON_REVOKED_ROTATE] = "then a new one at once",
        [SIGNET_ON_REVOKED_NOTIFY] = "then it is told, and nothing else",
        [SIGNET_ON_REVOKED_DISABLE] = "then nobody may use it, and a new one at once",
    };
    g_autofree char *every = rotation->check_s > 0 ? signet_when_duration(rotation->check_s) : NULL;

    if (!ca || ca->kind == SIGNET_CA_LOCAL)
        return NULL;
    if (rotation->check_s == SIGNET_CHECK_NEVER)
        return g_strdup("not looked at");
    if (!every)
        return g_strdup_printf("looked at every hour to day, by the lifetime; %s",
                               then[rotation->on_revoked]);
    return g_strdup_printf("looked at every %s; %s", every, then[rotation->on_revoked]);
}

static void
add_row(SignetTable *table, const char *label, const char *text)
{
    signet_table_add(table, SIGNET_TABLE_ROW(label, text));
}

static void
print_summary(const SignetPolicy *policy, const SignetIdentityPolicy *identity)
{
    const SignetCaProfile *ca = signet_policy_get_ca(policy, identity->ca);
    gint64 lifetime_s = ca ? ca->lifetime_s : 0;
    g_autoptr(SignetTable) table = signet_table_new(NULL, 2);
    g_autofree char *purposes = describe_purposes(identity);
    g_autofree char *access = describe_access(identity);
    g_autofree char *renewal =
        identity->rotation ? describe_renewal(identity->rotation, lifetime_s) : NULL;
    g_autofree char *survival =
        identity->rotation && lifetime_s > 0
            ? signet_when_duration(signet_simulate_survival_s(identity->rotation, lifetime_s))
            : NULL;
    g_autofree char *revocation =
        identity->rotation ? describe_revocation(identity->rotation, ca) : NULL;
    g_autofree char *text = NULL;

    add_row(table, "Key", identity->key);
    add_row(table, "Token", identity->token);
    add_row(table, "CA", identity->ca);
    add_row(table, "Subject", identity->subject);
    add_row(table, "Purposes", purposes);
    add_row(table, "Users", access);
    add_row(table, "Renewal", renewal);
    add_row(table, "Without its CA", survival);
    if (revocation)
        add_row(table, "Revocation", revocation);
    text = signet_table_to_text(table, 2);
    signet_ctl_print_text(text);
}

static void
print_lines(const GPtrArray *lines)
{
    g_autoptr(SignetTable) table =
        signet_table_new(SIGNET_TABLE_ROW("FROM", "GROUP", "KEY", "VALUE"), 4);
    g_autofree char *text = NULL;

    for (guint i = 0; i < lines->len; i++) {
        const SignetPolicyLine *line = lines->pdata[i];
        g_autofree char *place = g_strdup_printf("%s:%u", line->path, line->line);
        g_autofree char *group = g_strdup_printf("[%s]", line->group);
        g_autofree char *value =
            g_strconcat(line->value, line->is_overridden ? "   (a later line counts)" : "", NULL);

        signet_table_add(table, SIGNET_TABLE_ROW(place, group, line->key, value));
    }
    text = signet_table_to_text(table, 2);
    signet_ctl_print_text(lines->len ? text : "  no line of any file; all is default\n");
    signet_ctl_print_text("What no line says has the default of signet.conf(5).\n");
}

static void
print_json(const SignetIdentityPolicy *identity, const GPtrArray *lines)
{
    GVariantBuilder rows;
    GVariantDict dict;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < lines->len; i++) {
        const SignetPolicyLine *line = lines->pdata[i];
        GVariantDict row;

        g_variant_dict_init(&row, NULL);
        g_variant_dict_insert(&row, "path", "s", line->path);
        g_variant_dict_insert(&row, "line", "u", line->line);
        g_variant_dict_insert(&row, "group", "s", line->group);
        g_variant_dict_insert(&row, "key", "s", line->key);
        g_variant_dict_insert(&row, "value", "s", line->value);
        g_variant_dict_insert(&row, "overridden", "b", line->is_overridden);
        g_variant_builder_add_value(&rows, g_variant_dict_end(&row));
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "identity", "s", identity->name);
    g_variant_dict_insert(&dict, "key", "s", identity->key);
    g_variant_dict_insert(&dict, "token", "s", identity->token);
    g_variant_dict_insert(&dict, "ca", "s", identity->ca);
    g_variant_dict_insert(&dict, "subject", "s", identity->subject);
    g_variant_dict_insert_value(&dict, "lines", g_variant_builder_end(&rows));
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

SignetCtlExit
signet_ctl_policy_show(const SignetCtl *ctl, const char *name)
{
    g_auto(SignetPolicyReading) reading = {0};
    const SignetIdentityPolicy *identity = NULL;
    g_autoptr(GPtrArray) lines = NULL;

    signet_policy_reading_init(&reading, ctl);
    if (!signet_policy_reading_is_good(&reading))
        return SIGNET_CTL_FAILED;
    identity = signet_policy_get_identity(reading.policy, name);
    if (!identity)
        return signet_ctl_refuse("the policy files have no identity '%s'; see: signetctl policy "
                                 "check",
                                 name);
    lines = signet_policy_explain((const SignetPolicyFile *)reading.files->data, reading.files->len,
                                  reading.policy, name);
    if (ctl->is_json) {
        print_json(identity, lines);
        return SIGNET_CTL_OK;
    }
    g_print("'%s'\n", identity->name);
    print_summary(reading.policy, identity);
    print_lines(lines);
    return SIGNET_CTL_OK;
}
