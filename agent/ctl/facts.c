/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Facts as rows of tables. */

#include "agent/ctl/facts.h"

#include "agent/ctl/when.h"
#include "policy/facts.h"

static void
add_text(SignetTable *table, GVariant *facts, const char *fact, const char *label)
{
    const char *text = NULL;

    if (g_variant_lookup(facts, fact, "&s", &text))
        signet_table_add(table, SIGNET_TABLE_ROW(label, text));
}

static void
add_list(SignetTable *table, GVariant *facts, const char *fact, const char *label)
{
    g_auto(GStrv) list = NULL;
    g_autofree char *text = NULL;

    if (!g_variant_lookup(facts, fact, "^as", &list))
        return;
    text = g_strjoinv(", ", list);
    signet_table_add(table, SIGNET_TABLE_ROW(label, *text ? text : "none"));
}

static void
add_limits(SignetTable *table, GVariant *facts)
{
    g_autofree char *sessions = NULL, *objects = NULL;
    guint32 number;

    if (g_variant_lookup(facts, SIGNET_FACT_MAX_SESSIONS, "u", &number)) {
        sessions = number ? g_strdup_printf("%u at once", number) : g_strdup("any number");
        signet_table_add(table, SIGNET_TABLE_ROW("Sessions", sessions));
    }
    if (g_variant_lookup(facts, SIGNET_FACT_MAX_OBJECTS, "u", &number)) {
        objects = g_strdup_printf("%u at once", number);
        signet_table_add(table, SIGNET_TABLE_ROW("Loaded keys", objects));
    }
}

static void
add_lockout(SignetTable *table, GVariant *facts)
{
    guint32 counter = 0, limit = 0, interval_s = 0;
    g_autofree char *interval = NULL, *text = NULL;

    if (!g_variant_lookup(facts, SIGNET_FACT_LOCKOUT_COUNTER, "u", &counter) ||
        !g_variant_lookup(facts, SIGNET_FACT_LOCKOUT_LIMIT, "u", &limit))
        return;
    g_variant_lookup(facts, SIGNET_FACT_LOCKOUT_INTERVAL, "u", &interval_s);
    interval = signet_when_duration(interval_s);
    text = g_strdup_printf("%u of %u wrong passwords; one is forgotten after %s", counter, limit,
                           interval);
    signet_table_add(table, SIGNET_TABLE_ROW("Lockout", text));
}

static const char *
lookup(GVariant *certificate, const char *name)
{
    const char *text = "";

    g_variant_lookup(certificate, name, "&s", &text);
    return text;
}

static void
add_certificates(SignetTable *table, GVariant *facts)
{
    g_autoptr(GVariant) list =
        g_variant_lookup_value(facts, SIGNET_FACT_CERTIFICATES, G_VARIANT_TYPE("aa{ss}"));

    if (list && g_variant_n_children(list) == 0)
        signet_table_add(table, SIGNET_TABLE_ROW("EK certificate", "none"));
    for (gsize i = 0; list && i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) one = g_variant_get_child_value(list, i);
        const char *subject = lookup(one, "subject");
        g_autofree char *text = g_strdup_printf(
            "%s at %s: %s, issued by %s, valid from %s until %s", lookup(one, "key"),
            lookup(one, "nv"), *subject ? subject : "(no subject)", lookup(one, "issuer"),
            lookup(one, "not_before"), lookup(one, "not_after"));

        signet_table_add(table, SIGNET_TABLE_ROW("EK certificate", text));
        signet_table_add(table, SIGNET_TABLE_ROW("  SHA-256", lookup(one, "sha256")));
    }
}

static void
add_time(SignetTable *table, GVariant *facts, const char *fact, const char *label, gint64 now_s)
{
    g_autofree char *text = NULL;
    gint64 when_s;

    if (!g_variant_lookup(facts, fact, "x", &when_s))
        return;
    text = signet_when_full(when_s, now_s);
    signet_table_add(table, SIGNET_TABLE_ROW(label, text));
}

void
signet_facts_add_rows(SignetTable *table, GVariant *facts, gint64 now_s)
{
    gboolean is_fresh = FALSE;

    add_text(table, facts, SIGNET_FACT_HARDWARE, "Hardware");
    add_text(table, facts, SIGNET_FACT_LIBRARY, "Library");
    add_text(table, facts, SIGNET_FACT_SPECIFICATION, "Specification");
    add_list(table, facts, SIGNET_FACT_FLAGS, "Says");
    add_list(table, facts, SIGNET_FACT_KEYS, "Makes keys");
    add_list(table, facts, SIGNET_FACT_USES, "Signs with");
    add_list(table, facts, SIGNET_FACT_DECRYPT, "Decrypts with");
    add_list(table, facts, SIGNET_FACT_DERIVE, "Derives with");
    add_text(table, facts, SIGNET_FACT_PSS, "RSA-PSS");
    add_list(table, facts, SIGNET_FACT_CURVES, "Curves");
    add_list(table, facts, SIGNET_FACT_RSA_SIZES, "RSA bits");
    add_list(table, facts, SIGNET_FACT_HASHES, "Hashes");
    add_list(table, facts, SIGNET_FACT_ALGORITHMS, "Algorithms");
    add_list(table, facts, SIGNET_FACT_MECHANISMS, "Mechanisms");
    add_limits(table, facts);
    add_lockout(table, facts);
    add_certificates(table, facts);
    add_time(table, facts, SIGNET_FACT_LEARNED, "Asked", now_s);
    add_time(table, facts, SIGNET_FACT_MEASURED, "Measured", now_s);
    add_text(table, facts, "progress", "Measuring");
    if (g_variant_lookup(facts, "fresh", "b", &is_fresh) && !is_fresh &&
        g_variant_n_children(facts) > 3)
        signet_table_add(table, SIGNET_TABLE_ROW("Note", "this is what was known of it earlier"));
}

/* --- times --- */

char *
signet_facts_duration(guint64 duration_us)
{
    if (duration_us < 1000)
        return g_strdup_printf("%" G_GUINT64_FORMAT " us", duration_us);
    if (duration_us < 1000000)
        return g_strdup_printf(duration_us < 10000 ? "%.1f ms" : "%.0f ms",
                               (double)duration_us / 1000);
    return g_strdup_printf("%.1f s", (double)duration_us / 1000000);
}

/* cells: p50, p95, n; NULL each where there are none */
static void
fill(GVariant *times, const char *name, char *cells[3])
{
    guint64 p50, p95;
    guint32 n;

    if (!times || !g_variant_lookup(times, name, "(ttu)", &p50, &p95, &n))
        return;
    cells[0] = signet_facts_duration(p50);
    cells[1] = signet_facts_duration(p95);
    cells[2] = g_strdup_printf("%u", n);
}

static void
add_times(SignetTable *table, const char *name, GVariant *measured, GVariant *in_use)
{
    char *cells[6] = {NULL};

    fill(measured, name, cells);
    fill(in_use, name, cells + 3);
    signet_table_add(
        table, SIGNET_TABLE_ROW(name, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]));
    for (guint i = 0; i < G_N_ELEMENTS(cells); i++)
        g_free(cells[i]);
}

static void
add_all(SignetTable *table, GVariant *from, GVariant *measured, GVariant *in_use, gboolean is_rest)
{
    for (gsize i = 0; from && i < g_variant_n_children(from); i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(from, i);
        g_autoptr(GVariant) in_both = NULL;
        const char *name;

        g_variant_get_child(entry, 0, "&s", &name);
        in_both = is_rest && measured ? g_variant_lookup_value(measured, name, NULL) : NULL;
        if (!in_both)
            add_times(table, name, measured, in_use);
    }
}

SignetTable *
signet_facts_times_table(GVariant *facts)
{
    g_autoptr(GVariant) measured =
        g_variant_lookup_value(facts, SIGNET_FACT_TIMES, G_VARIANT_TYPE("a{s(ttu)}"));
    g_autoptr(GVariant) in_use =
        g_variant_lookup_value(facts, "in_use", G_VARIANT_TYPE("a{s(ttu)}"));
    SignetTable *table;

    if ((!measured || g_variant_n_children(measured) == 0) &&
        (!in_use || g_variant_n_children(in_use) == 0))
        return NULL;
    table = signet_table_new(
        SIGNET_TABLE_ROW("OPERATION", "MEASURED p50", "p95", "TIMES", "IN USE p50", "p95", "TIMES"),
        7);
    add_all(table, measured, measured, in_use, FALSE);
    add_all(table, in_use, measured, in_use, TRUE);
    return table;
}
