/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A rotation engine for the tests of the bus. */

#include "tests/support/fake-engine.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tests/support/fake-token.h"

#define DELAY_MS   10
#define LIFETIME_S 86400

struct SignetEngine {
    SignetEngineContext context;
    FakeEngineControl control;
    SignetPolicy *policy;   /* (owned, nullable) */
    GHashTable *identities; /* (owned) name → Identity */
    SignetEngineListener listener;
    gpointer listener_data;
};

typedef struct {
    SignetEngine *engine;
    char *name; /* (owned) */
    const char *state;
    char *cause; /* (owned, nullable) */
    guint32 current;
    guint32 pending;
    gint64 not_after_s;
    guint source; /* 0: nothing under way */
    SignetEngineDone done;
    gpointer data;
} Identity;

static void
identity_free(gpointer data)
{
    Identity *identity = data;

    if (identity->source)
        g_source_remove(identity->source);
    g_free(identity->name);
    g_free(identity->cause);
    g_free(identity);
}

SignetEngine *
signet_engine_new(const SignetEngineContext *context)
{
    SignetEngine *engine = g_new0(SignetEngine, 1);

    engine->context = *context;
    engine->control.delay_ms = DELAY_MS;
    engine->control.adopted = g_string_new(NULL);
    engine->control.reported = g_string_new(NULL);
    engine->identities = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, identity_free);
    return engine;
}

FakeEngineControl *
fake_engine_control(SignetEngine *engine)
{
    return &engine->control;
}

static Identity *
find(SignetEngine *engine, const char *name)
{
    Identity *identity = g_hash_table_lookup(engine->identities, name);

    if (identity || !engine->policy || !signet_policy_get_identity(engine->policy, name))
        return identity;
    identity = g_new0(Identity, 1);
    identity->engine = engine;
    identity->name = g_strdup(name);
    identity->state = "absent";
    g_hash_table_insert(engine->identities, identity->name, identity);
    return identity;
}

gboolean
signet_engine_start(SignetEngine *engine, SignetPolicy *policy, GPtrArray *ret_problems,
                    GError **error)
{
    signet_engine_set_policy(engine, policy);
    return TRUE;
}

void
signet_engine_set_policy(SignetEngine *engine, SignetPolicy *policy)
{
    signet_policy_ref(policy);
    g_clear_pointer(&engine->policy, signet_policy_unref);
    engine->policy = policy;
}

void
signet_engine_wake(SignetEngine *engine)
{
}

void
signet_engine_set_listener(SignetEngine *engine, SignetEngineListener listener, gpointer data)
{
    engine->listener = listener;
    engine->listener_data = data;
}

static void
tell(Identity *identity, SignetEngineEvent event, guint32 generation)
{
    SignetEngine *engine = identity->engine;

    if (engine->listener)
        engine->listener(identity->name, event, generation, engine->listener_data);
}

static GBytes *
self_sign(const SignetKey *key, const char *name, guint32 number, gint64 now_s)
{
    const unsigned char *blob = g_bytes_get_data(key->blob, NULL);
    EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &blob, (long)g_bytes_get_size(key->blob));
    X509 *certificate = X509_new();
    unsigned char *der = NULL;
    int size = 0;
    GBytes *bytes = NULL;

    g_assert_true(X509_set_version(certificate, X509_VERSION_3));
    g_assert_true(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0x1000 + (long)number));
    g_assert_true(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
                                             MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
                                             0));
    g_assert_true(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)));
    g_assert_nonnull(ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)now_s));
    g_assert_nonnull(ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(now_s + LIFETIME_S)));
    g_assert_true(X509_set_pubkey(certificate, pkey));
    g_assert_cmpint(X509_sign(certificate, pkey, EVP_sha256()), >, 0);
    size = i2d_X509(certificate, &der);
    bytes = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    X509_free(certificate);
    EVP_PKEY_free(pkey);
    return bytes;
}

static void
issue(Identity *identity)
{
    SignetEngine *engine = identity->engine;
    const SignetIdentityPolicy *policy = signet_policy_get_identity(engine->policy, identity->name);
    guint32 number = identity->current + 1;
    gint64 now_s = signet_clock_now(engine->context.clock);
    g_autoptr(SignetKey) key = fake_token_make_key(signet_key_type_from_name(policy->key));
    g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(GPtrArray) anchors = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(SignetGeneration) generation = NULL;

    g_ptr_array_add(chain, self_sign(key, identity->name, number, now_s));
    g_ptr_array_add(anchors, g_bytes_ref(g_ptr_array_index(chain, 0)));
    generation = signet_generation_new(number, policy->token, key, now_s, chain, anchors);
    signet_inventory_put(engine->context.inventory, identity->name, generation);
    signet_inventory_set_current(engine->context.inventory, identity->name, number);
    identity->current = number;
    identity->pending = 0;
    identity->not_after_s = generation->not_after_s;
    identity->state = "active";
    g_clear_pointer(&identity->cause, g_free);
}

void
fake_engine_issue(SignetEngine *engine, const char *name)
{
    issue(find(engine, name));
}

void
fake_engine_expire(SignetEngine *engine, const char *name)
{
    Identity *identity = find(engine, name);

    tell(identity, SIGNET_ENGINE_EXPIRING, identity->current);
}

static void
finish(Identity *identity, const GError *error)
{
    SignetEngineDone done = g_steal_pointer(&identity->done);

    if (done)
        done(identity->name, error ? 0 : identity->current, error,
             g_steal_pointer(&identity->data));
}

void
signet_engine_free(SignetEngine *engine)
{
    g_autoptr(GError) stopping = signet_error_new(SIGNET_ERROR_FAILED, "the engine is stopping");
    GHashTableIter iter;
    gpointer identity = NULL;

    if (!engine)
        return;
    g_hash_table_iter_init(&iter, engine->identities);
    while (g_hash_table_iter_next(&iter, NULL, &identity))
        finish(identity, stopping);
    g_hash_table_unref(engine->identities);
    g_clear_pointer(&engine->policy, signet_policy_unref);
    g_string_free(engine->control.adopted, TRUE);
    g_string_free(engine->control.reported, TRUE);
    g_free(engine);
}

static gboolean
on_over(gpointer data)
{
    Identity *identity = data;
    const char *refuse = identity->engine->control.refuse;
    g_autoptr(GError) error = NULL;

    identity->source = 0;
    if (!refuse) {
        issue(identity);
        tell(identity, SIGNET_ENGINE_CHANGED, identity->current);
        tell(identity, SIGNET_ENGINE_ROTATED, identity->current);
    } else {
        identity->state = "failed";
        identity->pending = 0;
        g_free(identity->cause);
        identity->cause = g_strdup(refuse);
        error = signet_error_new(SIGNET_ERROR_CA_REFUSED, "cannot rotate '%s': %s", identity->name,
                                 refuse);
        tell(identity, SIGNET_ENGINE_FAILED, 0);
    }
    finish(identity, error);
    return G_SOURCE_REMOVE;
}

static void
begin(Identity *identity)
{
    FakeEngineControl *control = &identity->engine->control;

    identity->pending = identity->current + 1;
    identity->state = "enrolling";
    identity->source =
        g_timeout_add(control->is_stuck ? G_MAXINT : control->delay_ms, on_over, identity);
    tell(identity, SIGNET_ENGINE_CHANGED, 0);
}

void
fake_engine_begin(SignetEngine *engine, const char *name)
{
    begin(find(engine, name));
}

void
signet_engine_rotate(SignetEngine *engine, const char *name, SignetEngineDone done, gpointer data)
{
    Identity *identity = find(engine, name);
    g_autoptr(GError) error = NULL;

    if (!identity) {
        error = signet_error_new(SIGNET_ERROR_NOT_FOUND, "there is no identity '%s'", name);
        done(name, 0, error, data);
    } else if (identity->source) {
        error = signet_error_new(SIGNET_ERROR_BUSY, "'%s' is being rotated already", name);
        done(name, 0, error, data);
    } else {
        identity->done = done;
        identity->data = data;
        begin(identity);
    }
}

void
signet_engine_import(SignetEngine *engine, const char *name, GBytes *answer, SignetEngineDone done,
                     gpointer data)
{
    g_string_printf(engine->control.reported, "%s: %zu bytes", name, g_bytes_get_size(answer));
    done(name, 1, NULL, data);
}

void
signet_engine_get_request(SignetEngine *engine, const char *name, SignetEngineRequestDone done,
                          gpointer data)
{
    g_autoptr(GBytes) csr = g_bytes_new("0\x03\x02\x01\x01", 5);

    done(csr, NULL, data);
}

void
signet_engine_rollback(SignetEngine *engine, const char *name, const char *reason,
                       SignetEngineDone done, gpointer data)
{
    g_string_printf(engine->control.reported, "%s: %s", name, reason);
    done(name, 1, NULL, data);
}

void
signet_engine_check(SignetEngine *engine, const char *name, SignetEngineDone done, gpointer data)
{
    g_string_printf(engine->control.reported, "%s: checked", name);
    done(name, 1, NULL, data);
}

void
signet_engine_report(SignetEngine *engine, const char *name, guint32 generation,
                     const char *program, const char *reason)
{
    g_string_printf(engine->control.reported, "%s %u: %s", name, generation, reason);
}

void
signet_engine_adopt(SignetEngine *engine, const char *name, const SignetAdoption *adoption,
                    SignetEngineDone done, gpointer data)
{
    FakeEngineControl *control = &engine->control;
    gsize size;
    const char *text = g_bytes_get_data(adoption->name, &size);

    g_string_printf(control->adopted, "%.*s auth=%s certificates=%u%s%s", (int)size, text,
                    adoption->auth ? (const char *)signet_secret_get(adoption->auth, &size) : "",
                    adoption->certificates ? adoption->certificates->len : 0,
                    adoption->is_enrolled ? " enrolled" : "", adoption->is_ours ? " ours" : "");
    signet_engine_rotate(engine, name, done, data);
}

void
signet_engine_revoke(SignetEngine *engine, const char *name, guint32 generation, guint reason,
                     SignetEngineDone done, gpointer data)
{
    g_string_printf(engine->control.adopted, "revoke %u reason=%u", generation, reason);
    signet_engine_rotate(engine, name, done, data);
}

gboolean
signet_engine_get_status(SignetEngine *engine, const char *name, SignetIdentityStatus *ret_status)
{
    const Identity *identity = find(engine, name);
    gint64 now_s = signet_clock_now(engine->context.clock);

    if (!identity)
        return FALSE;
    *ret_status = (SignetIdentityStatus) {
        .state = identity->state,
        .cause = identity->cause,
        .why = identity->cause ? identity->cause : "all is well",
        .responsible = "agent",
        .next = identity->cause ? "retry" : "renew",
        .deadline = "the certificate in use expires",
        .deadline_s = identity->not_after_s,
        .next_s = identity->cause ? now_s + 60 : identity->not_after_s - LIFETIME_S / 3,
        .since_s = now_s,
        .attempt = identity->cause ? 1 : 0,
        .current = identity->current,
        .pending = identity->pending,
        .not_after_s = identity->not_after_s,
    };
    return TRUE;
}
