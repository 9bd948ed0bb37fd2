/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Facts as text: a GKeyFile of one group, each value as GVariant writes it. */

#include "policy/facts.h"

#define GROUP   "Facts"
#define VERSION "1"

#define F(symbol, name, type) const char SIGNET_FACT_##symbol[] = name;
SIGNET_FACTS(F)
#undef F

static const struct {
    const char *name;
    const char *type;
} WORDS[] = {
#define F(symbol, name, type) {name, type},
    SIGNET_FACTS(F)
#undef F
};

char *
signet_facts_encode(GVariant *facts)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    g_key_file_set_value(file, GROUP, "Version", VERSION);
    for (guint i = 0; i < G_N_ELEMENTS(WORDS); i++) {
        g_autoptr(GVariant) value =
            g_variant_lookup_value(facts, WORDS[i].name, G_VARIANT_TYPE(WORDS[i].type));
        g_autofree char *text = value ? g_variant_print(value, FALSE) : NULL;

        if (text)
            g_key_file_set_value(file, GROUP, WORDS[i].name, text);
    }
    return g_key_file_to_data(file, NULL, NULL);
}

/* FALSE: it is there, and not what it should be. */
static gboolean
decode_one(GKeyFile *file, guint word, GVariantDict *facts)
{
    g_autofree char *text = g_key_file_get_value(file, GROUP, WORDS[word].name, NULL);
    GVariant *value;

    if (!text)
        return TRUE;
    value = g_variant_parse(G_VARIANT_TYPE(WORDS[word].type), text, NULL, NULL, NULL);
    if (!value)
        return FALSE;
    g_variant_dict_insert_value(facts, WORDS[word].name, value);
    g_variant_unref(value);
    return TRUE;
}

GVariant *
signet_facts_decode(const char *text, gsize size)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_auto(GVariantDict) facts = G_VARIANT_DICT_INIT(NULL);
    g_autofree char *version = NULL;

    if (size > SIGNET_FACTS_SIZE_MAX || !g_utf8_validate_len(text, size, NULL) ||
        !g_key_file_load_from_data(file, text, size, G_KEY_FILE_NONE, NULL))
        return NULL;
    version = g_key_file_get_value(file, GROUP, "Version", NULL);
    if (g_strcmp0(version, VERSION) != 0)
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(WORDS); i++) {
        if (!decode_one(file, i, &facts))
            return NULL;
    }
    return g_variant_ref_sink(g_variant_dict_end(&facts));
}

GVariant *
signet_facts_merge(GVariant *facts, GVariant *newer)
{
    g_auto(GVariantDict) merged = G_VARIANT_DICT_INIT(facts);
    GVariantIter iter;
    const char *name;
    GVariant *value;

    if (newer) {
        g_variant_iter_init(&iter, newer);
        while (g_variant_iter_loop(&iter, "{&sv}", &name, &value))
            g_variant_dict_insert_value(&merged, name, value);
    }
    return g_variant_ref_sink(g_variant_dict_end(&merged));
}
