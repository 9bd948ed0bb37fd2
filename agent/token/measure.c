/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* For each type of key: generate, sign, decrypt or derive, destroy. */

#include "agent/token/measure.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "policy/facts.h"

#define CLIENT     G_MAXUINT64 /* a place of its own in the round robin */
#define TIMEOUT_MS 300000      /* smartcards take minutes for a long RSA key */
#define ENOUGH_US  (5 * G_USEC_PER_SEC)
#define RETRY_MAX  60 /* seconds */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

typedef enum {
    STEP_GENERATE,
    STEP_PSS,
    STEP_SIGN,
    STEP_USE, /* decrypt, or derive */
    STEP_DESTROY,
    STEP_OVER,
} Step;

struct SignetMeasurement {
    SignetToken *token; /* (owned) */
    SignetMeasurementPlan plan;
    SignetMeasured done;
    gpointer data;
    char **keys;     /* (owned) names of types */
    GVariant *facts; /* (owned) */

    guint at; /* in keys */
    Step step;
    guint n;         /* how often the step was done */
    gint64 spent_us; /* on it */
    guint n_generated;
    SignetKey *key;    /* (owned, nullable) on the token */
    GBytes *material;  /* (owned, nullable) of STEP_USE: a ciphertext, or a point */
    guint64 request;   /* 0: none under way */
    GSource *timer;    /* (owned) takes the next step */
    guint retries;     /* of destroying */
    guint64 seen_done; /* of the token's counts */
    gint64 quiet_since_us;
    GError *failure; /* (owned, nullable): it ends with this */

    GStrvBuilder *made;   /* (owned) */
    GStrvBuilder *unmade; /* (owned) */
    char *pss;            /* (owned, nullable) */
    SignetTimings timings;
};

/* --- what is measured --- */

static guint32
type_of(const SignetMeasurement *measurement)
{
    return signet_key_type_from_name(measurement->keys[measurement->at]);
}

static gboolean
is_listed(const SignetMeasurement *measurement, const char *fact)
{
    g_autofree const char **list = NULL;

    return g_variant_lookup(measurement->facts, fact, "^a&s", &list) &&
           g_strv_contains(list, measurement->keys[measurement->at]);
}

static gboolean
can_use(const SignetMeasurement *measurement)
{
    return is_listed(measurement, signet_key_type_is_rsa(type_of(measurement))
                                      ? SIGNET_FACT_DECRYPT
                                      : SIGNET_FACT_DERIVE);
}

/* A TPM takes seconds for an RSA key, some smartcards a minute. */
static guint
wanted(const SignetMeasurement *measurement)
{
    gboolean is_rsa = signet_key_type_is_rsa(type_of(measurement));
    gboolean is_thorough = measurement->plan.is_thorough;

    switch (measurement->step) {
    case STEP_GENERATE:
        return is_thorough ? (is_rsa ? 3 : 8) : (is_rsa ? 1 : 3);
    case STEP_PSS:
        return is_rsa && !measurement->pss ? 1 : 0;
    case STEP_SIGN:
        return is_thorough ? 32 : 8;
    case STEP_USE:
        return !can_use(measurement) ? 0 : is_thorough ? 16 : 4;
    case STEP_DESTROY:
        return 1;
    case STEP_OVER:
        break;
    }
    return 0;
}

static GBytes *
make_digest(void)
{
    g_autoptr(SignetSecret) random = signet_secret_new_random(32);
    gsize size;
    gconstpointer bytes = signet_secret_get(random, &size);

    return g_bytes_new(bytes, size);
}

static EVP_PKEY *
parse_public(const SignetKey *key)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(key->spki, &size);

    return d2i_PUBKEY(NULL, &der, (long)size);
}

static GBytes *
make_ciphertext(EVP_PKEY *public)
{
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(public, NULL);
    guint8 out[1024];
    gsize size = sizeof out;

    if (EVP_PKEY_encrypt_init(ctx) <= 0 ||
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0 ||
        EVP_PKEY_encrypt(ctx, out, &size, (const guint8 *)"measure", 7) <= 0)
        return NULL;
    return g_bytes_new(out, size);
}

static GBytes *
make_point(EVP_PKEY *public)
{
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(public, NULL);
    g_autoptr(EVP_PKEY) peer = NULL;
    unsigned char *point = NULL;
    GBytes *result = NULL;
    gsize size;

    if (EVP_PKEY_keygen_init(ctx) <= 0 || EVP_PKEY_keygen(ctx, &peer) <= 0)
        return NULL;
    size = EVP_PKEY_get1_encoded_public_key(peer, &point);
    if (size > 0)
        result = g_bytes_new(point, size);
    OPENSSL_free(point);
    return result;
}

/* NULL: the public half is strange. */
static GBytes *
make_material(const SignetMeasurement *measurement)
{
    g_autoptr(EVP_PKEY) public = parse_public(measurement->key);

    if (!public)
        return NULL;
    return signet_key_type_is_rsa(measurement->key->type) ? make_ciphertext(public)
                                                          : make_point(public);
}

/* --- from step to step --- */

static void
enter(SignetMeasurement *measurement, Step step)
{
    measurement->step = step;
    measurement->n = 0;
    measurement->spent_us = 0;
    g_clear_pointer(&measurement->material, g_bytes_unref);
}

static void
next_key(SignetMeasurement *measurement)
{
    measurement->at++;
    measurement->n_generated = 0;
    enter(measurement,
          measurement->failure || !measurement->keys[measurement->at] ? STEP_OVER : STEP_GENERATE);
}

/* Several keys are generated, and the last one is used. */
static void
after_destroy(SignetMeasurement *measurement)
{
    gint64 spent_us = measurement->spent_us;

    if (measurement->failure || measurement->n_generated == 0) {
        next_key(measurement);
        return;
    }
    enter(measurement, STEP_GENERATE);
    measurement->n = measurement->n_generated;
    measurement->spent_us = spent_us;
}

/* Skips what is not to be done, or not again. */
static void
settle(SignetMeasurement *measurement)
{
    while (measurement->step != STEP_OVER && measurement->step != STEP_DESTROY &&
           (measurement->failure || measurement->n >= wanted(measurement) ||
            (measurement->n > 0 && measurement->spent_us > ENOUGH_US))) {
        if (!measurement->key) {
            next_key(measurement);
        } else if (measurement->failure || measurement->step == STEP_USE) {
            measurement->n_generated = 0;
            enter(measurement, STEP_DESTROY);
        } else {
            enter(measurement, measurement->step + 1);
        }
    }
}

static gboolean
is_quiet(SignetMeasurement *measurement)
{
    SignetTokenCounts counts = signet_token_get_counts(measurement->token);
    gint64 now_us = g_get_monotonic_time();

    if (counts.waiting > 0 || counts.done != measurement->seen_done)
        measurement->quiet_since_us = now_us;
    measurement->seen_done = counts.done;
    return now_us - measurement->quiet_since_us >= (gint64)measurement->plan.quiet_ms * 1000;
}

static void
end(SignetMeasurement *measurement)
{
    g_auto(GVariantDict) found = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GVariant) value = NULL;
    g_auto(GStrv) made = g_strv_builder_end(measurement->made);
    g_auto(GStrv) unmade = g_strv_builder_end(measurement->unmade);
    g_autoptr(GError) failure = g_steal_pointer(&measurement->failure); /* done may free us */

    if (failure) {
        measurement->done(NULL, failure, measurement->data);
        return;
    }
    g_variant_dict_insert(&found, SIGNET_FACT_KEYS, "^as", made);
    g_variant_dict_insert(&found, SIGNET_FACT_UNMADE, "^as", unmade);
    g_variant_dict_insert_value(&found, SIGNET_FACT_TIMES,
                                signet_timings_to_variant(&measurement->timings));
    if (measurement->pss)
        g_variant_dict_insert(&found, SIGNET_FACT_PSS, "s", measurement->pss);
    value = g_variant_ref_sink(g_variant_dict_end(&found));
    measurement->done(value, NULL, measurement->data);
}

/* --- one operation --- */

/* What came of it; the next one is due. */
static void
note(SignetMeasurement *measurement, SignetTimed timed, const GError *error)
{
    gint64 duration_us = signet_token_get_duration_us(measurement->token);

    measurement->request = 0;
    measurement->n++;
    measurement->spent_us += duration_us;
    g_source_set_ready_time(measurement->timer, 0);
    if (!error && timed < SIGNET_TIMED_COUNT)
        signet_timings_add(&measurement->timings, timed, type_of(measurement), duration_us);
}

/* What the token says it cannot is no failure, and is not tried again. */
static void
note_error(SignetMeasurement *measurement, const GError *error)
{
    if (!error || measurement->failure)
        return;
    if (signet_error_is(error, SIGNET_ERROR_UNSUPPORTED) ||
        signet_error_is(error, SIGNET_ERROR_BAD_REQUEST))
        measurement->n = G_MAXUINT / 2;
    else
        measurement->failure = g_error_copy(error);
}

static void
on_generated(SignetKey *key, const GError *error, gpointer data)
{
    SignetMeasurement *measurement = data;

    note(measurement, SIGNET_TIMED_GENERATE, error);
    note_error(measurement, error);
    if (signet_error_is(error, SIGNET_ERROR_UNSUPPORTED) && measurement->n_generated == 0)
        g_strv_builder_add(measurement->unmade, measurement->keys[measurement->at]);
    if (!key)
        return;
    measurement->key = signet_key_ref(key);
    if (measurement->n_generated++ == 0)
        g_strv_builder_add(measurement->made, measurement->keys[measurement->at]);
    if (measurement->n < wanted(measurement) && measurement->spent_us <= ENOUGH_US)
        measurement->step = STEP_DESTROY;
}

static void
on_signed(GBytes *result, const GError *error, gpointer data)
{
    note(data, SIGNET_TIMED_SIGN, error);
    note_error(data, error);
}

static void
on_used(GBytes *result, const GError *error, gpointer data)
{
    SignetMeasurement *measurement = data;
    gboolean is_rsa = signet_key_type_is_rsa(measurement->key->type);

    note(measurement, is_rsa ? SIGNET_TIMED_DECRYPT : SIGNET_TIMED_DERIVE, error);
    note_error(measurement, error);
}

static void
on_pss(GBytes *result, const GError *error, gpointer data)
{
    SignetMeasurement *measurement = data;

    note(measurement, SIGNET_TIMED_COUNT, error);
    note_error(measurement, error);
    if (result) {
        g_autoptr(GVariant) facts = signet_token_facts_from_bytes(result);

        g_variant_lookup(facts, SIGNET_FACT_PSS, "s", &measurement->pss);
    }
}

/* What cannot be destroyed now must be later. */
static void
on_destroyed(GBytes *result, const GError *error, gpointer data)
{
    SignetMeasurement *measurement = data;
    gint64 pause_s = MIN(1 << MIN(measurement->retries, 10), RETRY_MAX);

    measurement->request = 0;
    g_source_set_ready_time(measurement->timer, 0);
    if (error) {
        measurement->retries++;
        g_source_set_ready_time(measurement->timer,
                                g_get_monotonic_time() + pause_s * G_USEC_PER_SEC);
        return;
    }
    measurement->retries = 0;
    g_clear_pointer(&measurement->key, signet_key_unref);
    after_destroy(measurement);
}

static void
use(SignetMeasurement *measurement, const SignetTokenWait *wait)
{
    const SignetKeyScheme pkcs1 = {.scheme = SIGNET_SCHEME_RSA_PKCS1};

    if (!measurement->material)
        measurement->material = make_material(measurement);
    if (!measurement->material)
        measurement->material = g_bytes_new_static("", 0); /* the token will say what it is */
    if (signet_key_type_is_rsa(measurement->key->type))
        measurement->request =
            signet_token_decrypt(measurement->token, wait, measurement->key, &pkcs1,
                                 measurement->material, on_used, measurement);
    else
        measurement->request = signet_token_derive(measurement->token, wait, measurement->key,
                                                   measurement->material, on_used, measurement);
}

static SignetKeyScheme
scheme_of(const SignetKey *key)
{
    switch ((enum signet_family)signet_key_type_family(key->type)) {
    case SIGNET_FAMILY_ED25519:
        return (SignetKeyScheme) {.scheme = SIGNET_SCHEME_EDDSA};
    case SIGNET_FAMILY_RSA:
        return (SignetKeyScheme) {.scheme = SIGNET_SCHEME_RSA_PKCS1, .hash = SIGNET_HASH_SHA256};
    case SIGNET_FAMILY_EC:
        break;
    }
    return (SignetKeyScheme) {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};
}

static void
sign(SignetMeasurement *measurement, const SignetTokenWait *wait)
{
    const SignetKeyScheme scheme = scheme_of(measurement->key);
    g_autoptr(GBytes) digest = make_digest();

    measurement->request = signet_token_sign(measurement->token, wait, measurement->key, &scheme,
                                             digest, on_signed, measurement);
}

static void
begin(SignetMeasurement *measurement)
{
    const SignetTokenWait wait = {.client = CLIENT, .timeout_ms = TIMEOUT_MS, .is_trial = TRUE};
    const SignetKeyTemplate template = {.type = type_of(measurement),
                                        .can_decrypt = can_use(measurement)};

    switch (measurement->step) {
    case STEP_GENERATE:
        measurement->request =
            signet_token_generate(measurement->token, &wait, &template, on_generated, measurement);
        return;
    case STEP_PSS:
        measurement->request = signet_token_learn(measurement->token, &wait, SIGNET_LESSON_PSS,
                                                  measurement->key, on_pss, measurement);
        return;
    case STEP_SIGN:
        sign(measurement, &wait);
        return;
    case STEP_USE:
        use(measurement, &wait);
        return;
    case STEP_DESTROY:
        measurement->request = signet_token_destroy(measurement->token, &wait, measurement->key,
                                                    on_destroyed, measurement);
        return;
    case STEP_OVER:
        return;
    }
}

/* Destroying waits for nobody's rest. */
static gboolean
on_timer(gpointer data)
{
    SignetMeasurement *measurement = data;
    GSource *timer = measurement->timer;

    g_source_set_ready_time(timer, -1);
    if (measurement->request)
        return G_SOURCE_CONTINUE;
    settle(measurement);
    if (measurement->step == STEP_OVER) {
        end(measurement);
        return G_SOURCE_CONTINUE;
    }
    if (measurement->step != STEP_DESTROY && !is_quiet(measurement))
        g_source_set_ready_time(timer, g_get_monotonic_time() +
                                           (gint64)MAX(measurement->plan.quiet_ms / 4, 1) * 1000);
    else
        begin(measurement);
    return G_SOURCE_CONTINUE;
}

/* --- life --- */

static gboolean
dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    return callback(data);
}

SignetMeasurement *
signet_measurement_new(SignetToken *token, GVariant *facts, const SignetMeasurementPlan *plan,
                       SignetMeasured done, gpointer data)
{
    static GSourceFuncs functions = {.dispatch = dispatch};
    SignetMeasurement *measurement = g_new0(SignetMeasurement, 1);

    measurement->token = signet_token_ref(token);
    measurement->plan = *plan;
    measurement->done = done;
    measurement->data = data;
    measurement->facts = g_variant_ref(facts);
    if (!g_variant_lookup(facts, SIGNET_FACT_KEYS, "^as", &measurement->keys))
        measurement->keys = g_new0(char *, 1);
    measurement->made = g_strv_builder_new();
    measurement->unmade = g_strv_builder_new();
    measurement->seen_done = signet_token_get_counts(token).done;
    measurement->quiet_since_us = g_get_monotonic_time();
    enter(measurement, measurement->keys[0] ? STEP_GENERATE : STEP_OVER);
    measurement->timer = g_source_new(&functions, sizeof(GSource));
    g_source_set_callback(measurement->timer, on_timer, measurement, NULL);
    g_source_set_ready_time(measurement->timer, 0);
    g_source_attach(measurement->timer, g_main_context_get_thread_default());
    return measurement;
}

void
signet_measurement_hurry(SignetMeasurement *measurement)
{
    measurement->plan = (SignetMeasurementPlan) {.is_thorough = TRUE};
    if (measurement->step != STEP_DESTROY)
        g_source_set_ready_time(measurement->timer, 0);
}

void
signet_measurement_stop(SignetMeasurement *measurement)
{
    if (!measurement->failure)
        measurement->failure = signet_error_new(SIGNET_ERROR_FAILED, "the measurement was stopped");
    g_source_set_ready_time(measurement->timer, 0);
}

void
signet_measurement_free(SignetMeasurement *measurement)
{
    if (!measurement)
        return;
    g_source_destroy(measurement->timer);
    g_source_unref(measurement->timer);
    if (measurement->request)
        signet_token_cancel(measurement->token, measurement->request);
    if (measurement->key)
        signet_token_destroy(measurement->token, NULL, measurement->key, NULL, NULL);
    g_clear_pointer(&measurement->key, signet_key_unref);
    g_clear_pointer(&measurement->material, g_bytes_unref);
    g_strv_builder_unref(measurement->made);
    g_strv_builder_unref(measurement->unmade);
    g_variant_unref(measurement->facts);
    g_strfreev(measurement->keys);
    g_clear_error(&measurement->failure);
    g_free(measurement->pss);
    signet_token_unref(measurement->token);
    g_free(measurement);
}
