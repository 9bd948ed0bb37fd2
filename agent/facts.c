/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Lessons, measurements and the files that keep their results. */

#include "agent/facts.h"

#include <string.h>

#include "agent/base/log.h"
#include "agent/token/measure.h"

#define QUIET_MS        10000
#define LEARN_TIMEOUT_S 120

/* What is known of one token, and what is under way to know more. */
typedef struct {
    SignetFactsKeeper *keeper;      /* (unowned): owns us */
    SignetToken *token;             /* (owned) */
    char *place;                    /* (owned) */
    gboolean may_measure;           /* by itself: Measure= */
    gboolean is_wanted;             /* an administrator waits for a measurement */
    GVariant *learned;              /* (owned, nullable) of the lessons so far */
    guint64 request;                /* a lesson under way; 0: none */
    GSource *opening;               /* (owned) learns, when its time has come */
    SignetMeasurement *measurement; /* (owned, nullable) */
    char *failure;                  /* (owned, nullable) of the last measurement */
} Study;

struct SignetFactsKeeper {
    SignetFactsContext context;
    GHashTable *studies;       /* (owned) of Study by name */
    SignetDiskThread *disk;    /* (owned) */
    void (*is_over)(gpointer); /* (nullable): being stopped */
    gpointer over_data;
};

/* --- on the disk --- */

typedef struct {
    SignetStore *store; /* (unowned): outlives the keeper, which waits for its thread */
    char *token;        /* (owned) */
    GBytes *content;    /* (owned) */
    GError *error;      /* (owned, nullable) */
} Writing;

static void
run_writing(gpointer task)
{
    Writing *writing = task;

    signet_store_put_facts(writing->store, writing->token, writing->content, &writing->error);
}

static void
done_writing(gpointer task)
{
    const Writing *writing = task;

    if (writing->error)
        signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_TOKEN", writing->token),
                   "%s; they are learned again at the next start", writing->error->message);
}

static void
free_writing(gpointer task)
{
    Writing *writing = task;

    g_free(writing->token);
    g_bytes_unref(writing->content);
    g_clear_error(&writing->error);
    g_free(writing);
}

static void
write_down(Study *study, GVariant *facts)
{
    static const SignetDiskWork work = {
        .run = run_writing, .done = done_writing, .free = free_writing};
    Writing *writing = g_new0(Writing, 1);
    char *text = signet_facts_encode(facts);

    writing->store = study->keeper->context.store;
    writing->token = g_strdup(signet_token_get_name(study->token));
    writing->content = g_bytes_new_take(text, strlen(text));
    signet_disk_thread_give(study->keeper->disk, &work, writing);
}

/* NULL: nothing, or nothing of use. */
static GVariant *
read_down(SignetFactsKeeper *keeper, const char *token)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) content = signet_store_get_facts(keeper->context.store, token, &error);
    GVariant *facts = NULL;
    gsize size;
    const char *text;

    if (content) {
        text = g_bytes_get_data(content, &size);
        facts = signet_facts_decode(text, size);
    }
    if (error || (content && !facts))
        signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_TOKEN", token),
                   "what was written down about token '%s' cannot be read%s%s; it is learned again",
                   token, error ? ": " : "", error ? error->message : "");
    return facts;
}

/* --- what is known --- */

static gboolean
is_same_text(GVariant *a, GVariant *b, const char *name)
{
    const char *x = NULL, *y = NULL;

    return a && b && g_variant_lookup(a, name, "&s", &x) && g_variant_lookup(b, name, "&s", &y) &&
           g_str_equal(x, y);
}

static void
set_facts(Study *study, GVariant *facts, gboolean is_fresh)
{
    signet_token_set_facts(study->token, facts, is_fresh);
    study->keeper->context.changed(study->token, study->keeper->context.data);
}

static void
copy(GVariantDict *to, GVariant *from, const char *name)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(from, name, NULL);

    if (value)
        g_variant_dict_insert_value(to, name, value);
}

/* What the token says it makes, without what it was seen not to make. */
static void
correct_keys(GVariantDict *facts)
{
    g_autofree const char **keys = NULL;
    g_autofree const char **unmade = NULL;
    g_autoptr(GStrvBuilder) rest = g_strv_builder_new();
    g_auto(GStrv) made = NULL;

    if (!g_variant_dict_lookup(facts, SIGNET_FACT_UNMADE, "^a&s", &unmade) ||
        !g_variant_dict_lookup(facts, SIGNET_FACT_KEYS, "^a&s", &keys))
        return;
    for (guint i = 0; keys[i]; i++) {
        if (!g_strv_contains(unmade, keys[i]))
            g_strv_builder_add(rest, keys[i]);
    }
    made = g_strv_builder_end(rest);
    g_variant_dict_insert(facts, SIGNET_FACT_KEYS, "^as", made);
}

/* The lessons, and what was measured when it was the same device. */
static GVariant *
conclude(Study *study)
{
    g_auto(GVariantDict) facts = G_VARIANT_DICT_INIT(study->learned);
    GVariant *old = signet_token_get_facts(study->token);
    gint64 now_s = signet_clock_now(study->keeper->context.clock);

    g_variant_dict_insert(&facts, SIGNET_FACT_PLACE, "s", study->place);
    g_variant_dict_insert(&facts, SIGNET_FACT_LEARNED, "x", now_s);
    if (is_same_text(old, study->learned, SIGNET_FACT_DEVICE)) {
        copy(&facts, old, SIGNET_FACT_MEASURED);
        copy(&facts, old, SIGNET_FACT_TIMES);
        copy(&facts, old, SIGNET_FACT_PSS);
        copy(&facts, old, SIGNET_FACT_UNMADE);
        correct_keys(&facts);
    }
    return g_variant_ref_sink(g_variant_dict_end(&facts));
}

static void
report(Study *study, GVariant *facts)
{
    const char *name = signet_token_get_name(study->token);
    GVariant *old = signet_token_get_facts(study->token);
    g_auto(GStrv) keys = NULL;
    g_autofree char *offer = NULL;

    if (old && !is_same_text(old, facts, SIGNET_FACT_DEVICE))
        signet_log(LOG_NOTICE, SIGNET_LOG_FIELDS("SIGNET_TOKEN", name),
                   "another device than before is behind token '%s'", name);
    if (g_variant_lookup(facts, SIGNET_FACT_KEYS, "^as", &keys))
        offer = g_strjoinv(", ", keys);
    signet_log(LOG_INFO, SIGNET_LOG_FIELDS("SIGNET_TOKEN", name), "token '%s' offers %s", name,
               offer && *offer ? offer : "no keys of its own making");
}

/* --- measuring --- */

static void
on_measured(GVariant *found, const GError *error, gpointer data)
{
    Study *study = data;
    SignetFactsKeeper *keeper = study->keeper;
    const char *name = signet_token_get_name(study->token);
    g_autoptr(GVariant) merged = NULL;

    g_clear_pointer(&study->measurement, signet_measurement_free);
    g_clear_pointer(&study->failure, g_free);
    study->is_wanted = FALSE;
    if (error) {
        study->failure = g_strdup(error->message);
        signet_log(keeper->is_over ? LOG_DEBUG : LOG_WARNING,
                   SIGNET_LOG_FIELDS("SIGNET_TOKEN", name), "could not measure token '%s': %s",
                   name, error->message);
    } else if (signet_token_has_fresh_facts(study->token)) {
        g_auto(GVariantDict) facts = G_VARIANT_DICT_INIT(found);

        g_variant_dict_insert(&facts, SIGNET_FACT_MEASURED, "x",
                              signet_clock_now(keeper->context.clock));
        found = g_variant_ref_sink(g_variant_dict_end(&facts));
        merged = signet_facts_merge(signet_token_get_facts(study->token), found);
        g_variant_unref(found);
        signet_log(LOG_INFO, SIGNET_LOG_FIELDS("SIGNET_TOKEN", name), "token '%s' is measured",
                   name);
        write_down(study, merged);
        set_facts(study, merged, TRUE);
    }
    /* it came back while we could not ask it */
    if (!signet_token_has_fresh_facts(study->token) &&
        signet_token_get_state(study->token) == SIGNET_TOKEN_STATE_READY)
        g_source_set_ready_time(study->opening, 0);
    if (keeper->is_over)
        signet_facts_keeper_stop(keeper, keeper->is_over, keeper->over_data);
}

/* By itself only where a key that is thrown away leaves nothing: a card or an HSM may count its
 * keys, wear out, and take minutes. */
static gboolean
is_measured_by_itself(const Study *study, GVariant *facts)
{
    const char *protection = "", *device = NULL;

    g_variant_lookup(facts, SIGNET_FACT_PROTECTION, "&s", &protection);
    return study->may_measure && g_variant_lookup(facts, SIGNET_FACT_DEVICE, "&s", &device) &&
           (g_str_equal(protection, "tpm") || g_str_equal(protection, "software"));
}

static void
measure_if_due(Study *study)
{
    SignetFactsKeeper *keeper = study->keeper;
    GVariant *facts = signet_token_get_facts(study->token);
    gint64 measured_s;
    SignetMeasurementPlan plan = {.is_thorough = study->is_wanted,
                                  .quiet_ms = study->is_wanted ? 0 : keeper->context.quiet_ms};

    if (keeper->is_over || study->measurement)
        return;
    if (!study->is_wanted && (g_variant_lookup(facts, SIGNET_FACT_MEASURED, "x", &measured_s) ||
                              !is_measured_by_itself(study, facts)))
        return;
    study->measurement = signet_measurement_new(study->token, facts, &plan, on_measured, study);
}

/* --- lessons --- */

static void
give_up(Study *study, const GError *error)
{
    const char *name = signet_token_get_name(study->token);

    g_clear_pointer(&study->learned, g_variant_unref);
    signet_log(LOG_INFO, SIGNET_LOG_FIELDS("SIGNET_TOKEN", name),
               "could not learn what token '%s' can do: %s; trying again when it is opened again",
               name, error->message);
    if (!study->is_wanted)
        return;
    study->is_wanted = FALSE;
    g_free(study->failure);
    study->failure = g_strdup(error->message);
}

static void
on_identity(GBytes *result, const GError *error, gpointer data)
{
    Study *study = data;
    g_autoptr(GVariant) facts = NULL;
    g_autoptr(GVariant) lesson = NULL;
    g_autoptr(GVariant) all = NULL;

    study->request = 0;
    if (!result) {
        give_up(study, error);
        return;
    }
    lesson = signet_token_facts_from_bytes(result);
    all = signet_facts_merge(study->learned, lesson);
    g_variant_unref(study->learned);
    study->learned = g_steal_pointer(&all);
    facts = conclude(study);
    g_clear_pointer(&study->learned, g_variant_unref);
    report(study, facts);
    write_down(study, facts);
    set_facts(study, facts, TRUE);
    measure_if_due(study);
}

static guint64
ask(Study *study, SignetLesson lesson, SignetTokenDone done)
{
    const SignetTokenWait wait = {
        .client = G_MAXUINT64, .timeout_ms = LEARN_TIMEOUT_S * 1000, .is_trial = TRUE};

    return signet_token_learn(study->token, &wait, lesson, NULL, done, study);
}

static void
on_capabilities(GBytes *result, const GError *error, gpointer data)
{
    Study *study = data;

    study->request = 0;
    if (!result) {
        give_up(study, error);
        return;
    }
    study->learned = signet_token_facts_from_bytes(result);
    study->request = ask(study, SIGNET_LESSON_IDENTITY, on_identity);
}

static void
learn(Study *study)
{
    if (study->request || study->measurement || study->keeper->is_over)
        return;
    g_source_set_ready_time(study->opening, -1);
    g_clear_pointer(&study->learned, g_variant_unref);
    study->request = ask(study, SIGNET_LESSON_CAPABILITIES, on_capabilities);
}

/* --- studies --- */

static gboolean
on_opening(gpointer data)
{
    Study *study = data;

    g_source_set_ready_time(study->opening, -1);
    learn(study);
    return G_SOURCE_CONTINUE;
}

static gboolean
dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    return callback(data);
}

static GSource *
opening_new(Study *study)
{
    static GSourceFuncs functions = {.dispatch = dispatch};
    GSource *opening = g_source_new(&functions, sizeof(GSource));

    g_source_set_callback(opening, on_opening, study, NULL);
    g_source_attach(opening, g_main_context_get_thread_default());
    return opening;
}

static void
study_free(gpointer data)
{
    Study *study = data;

    g_source_destroy(study->opening);
    g_source_unref(study->opening);
    if (study->request)
        signet_token_cancel(study->token, study->request);
    g_clear_pointer(&study->measurement, signet_measurement_free);
    g_clear_pointer(&study->learned, g_variant_unref);
    signet_token_unref(study->token);
    g_free(study->failure);
    g_free(study->place);
    g_free(study);
}

static void
study_add(SignetFactsKeeper *keeper, SignetToken *token, const SignetTokenConfig *config)
{
    Study *study = g_new0(Study, 1);
    g_autoptr(GVariant) known = read_down(keeper, config->name);

    study->keeper = keeper;
    study->token = signet_token_ref(token);
    study->place = g_strdup(signet_fit_place(config));
    study->opening = opening_new(study);
    g_hash_table_replace(keeper->studies, g_strdup(config->name), study);
    if (known)
        set_facts(study, known, FALSE);
    if (signet_token_get_state(token) == SIGNET_TOKEN_STATE_READY)
        learn(study);
    else if (!known && config->measure)
        g_source_set_ready_time(study->opening,
                                g_get_monotonic_time() + (gint64)keeper->context.quiet_ms * 1000);
}

static gboolean
is_gone(gpointer name, gpointer value, gpointer data)
{
    const Study *study = value;
    const SignetFactsKeeper *keeper = data;

    return signet_tokens_get(keeper->context.tokens, name) != study->token;
}

void
signet_facts_keeper_set_policy(SignetFactsKeeper *keeper, SignetPolicy *policy)
{
    const GPtrArray *configs = signet_policy_get_tokens(policy);

    g_hash_table_foreach_remove(keeper->studies, is_gone, keeper);
    for (guint i = 0; i < configs->len; i++) {
        const SignetTokenConfig *config = g_ptr_array_index(configs, i);
        SignetToken *token = signet_tokens_get(keeper->context.tokens, config->name);
        Study *study = g_hash_table_lookup(keeper->studies, config->name);

        if (token && !study)
            study_add(keeper, token, config);
        study = g_hash_table_lookup(keeper->studies, config->name);
        if (study)
            study->may_measure = config->measure;
    }
}

static gint64
settle_us(const SignetFactsKeeper *keeper)
{
    return (gint64)keeper->context.settle_ms * 1000;
}

/* Another device may come back: until it has been asked, what is known is old. */
void
signet_facts_keeper_on_token(SignetFactsKeeper *keeper, SignetToken *token)
{
    Study *study = g_hash_table_lookup(keeper->studies, signet_token_get_name(token));

    if (!study || study->token != token)
        return;
    if (signet_token_has_fresh_facts(token)) {
        g_autoptr(GVariant) facts = g_variant_ref(signet_token_get_facts(token));

        set_facts(study, facts, FALSE);
    }
    if (signet_token_get_state(token) == SIGNET_TOKEN_STATE_READY)
        g_source_set_ready_time(study->opening, signet_token_get_facts(token)
                                                    ? g_get_monotonic_time() + settle_us(keeper)
                                                    : 0);
}

gboolean
signet_facts_keeper_measure(SignetFactsKeeper *keeper, const char *token, GError **error)
{
    Study *study = g_hash_table_lookup(keeper->studies, token);

    if (!study)
        return signet_error_set(error, SIGNET_ERROR_NOT_FOUND, "there is no token '%s'", token);
    if (study->is_wanted)
        return signet_error_set(error, SIGNET_ERROR_BUSY,
                                "token '%s' is being measured already; wait for it", token);
    g_clear_pointer(&study->failure, g_free);
    study->is_wanted = TRUE;
    if (study->measurement)
        signet_measurement_hurry(study->measurement);
    else
        learn(study);
    return TRUE;
}

const char *
signet_facts_keeper_get_progress(SignetFactsKeeper *keeper, const char *token)
{
    const Study *study = g_hash_table_lookup(keeper->studies, token);

    if (!study)
        return NULL;
    if (study->is_wanted)
        return "being measured";
    if (study->measurement)
        return "to be measured while nobody uses it";
    return study->failure;
}

GArray *
signet_facts_keeper_list(const SignetFactsKeeper *keeper)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(SignetTokenFacts));
    GHashTableIter iter;
    gpointer name, value;

    g_hash_table_iter_init(&iter, keeper->studies);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        const Study *study = value;
        SignetTokenFacts known = {name, signet_token_get_facts(study->token)};

        if (signet_token_has_fresh_facts(study->token))
            g_array_append_val(list, known);
    }
    return list;
}

/* --- life --- */

static gboolean
tell_over(gpointer data)
{
    SignetFactsKeeper *keeper = data;

    keeper->is_over(keeper->over_data);
    return G_SOURCE_REMOVE;
}

void
signet_facts_keeper_stop(SignetFactsKeeper *keeper, void (*is_over)(gpointer), gpointer data)
{
    GHashTableIter iter;
    gpointer value;
    guint n_measuring = 0;

    keeper->is_over = is_over;
    keeper->over_data = data;
    g_hash_table_iter_init(&iter, keeper->studies);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Study *study = value;

        if (!study->measurement)
            continue;
        n_measuring++;
        signet_measurement_stop(study->measurement);
    }
    if (n_measuring == 0)
        g_idle_add(tell_over, keeper);
}

SignetFactsKeeper *
signet_facts_keeper_new(const SignetFactsContext *context)
{
    SignetFactsKeeper *keeper = g_new0(SignetFactsKeeper, 1);

    keeper->context = *context;
    if (keeper->context.quiet_ms == 0)
        keeper->context.quiet_ms = QUIET_MS;
    keeper->studies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, study_free);
    keeper->disk = signet_disk_thread_new();
    return keeper;
}

void
signet_facts_keeper_free(SignetFactsKeeper *keeper)
{
    if (!keeper)
        return;
    g_hash_table_unref(keeper->studies);
    signet_disk_thread_free(keeper->disk);
    g_free(keeper);
}
