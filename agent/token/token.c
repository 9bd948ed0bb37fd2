/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The main context's side of a token: requests in, answers and state changes out, deadlines. */

#include "agent/token/token.h"

#include "agent/token/crew.h"
#include "agent/token/worker.h"

#define DEFAULT_QUEUE_LIMIT 1024
#define DEFAULT_TIMEOUT_MS  30000
#define GENERATE_TIMEOUT_MS 300000
#define DEFAULT_PATIENCE_MS 30000
#define DELIVER_AT_ONCE     64

typedef struct {
    SignetRequest request; /* first; the worker's while it has it, but for what follows */
    GList link;            /* place in SignetToken.pending */
    guint64 id;
    gboolean is_trial;
    SignetTokenDone done;            /* (nullable) */
    SignetTokenKeyDone key_done;     /* (nullable) */
    SignetTokenAdoptDone adopt_done; /* (nullable) */
    gpointer done_data;
} Pending;

typedef struct {
    GSource source;     /* first */
    SignetToken *token; /* (unowned): destroys the source before it goes */
} TokenSource;

struct SignetToken {
    guint ref_count;      /* a pending request holds one */
    char *name;           /* (owned) */
    SignetWorker *worker; /* (owned) */
    SignetTokenState state;
    SignetTokenInfo info;
    char *problem; /* (owned, nullable) */
    SignetTokenChanged changed;
    gpointer changed_data;
    GQueue pending; /* of Pending: those whose done has not been called */
    guint64 last_id;
    gint64 next_deadline_us; /* no pending request expires, no operation hangs earlier; may be too
                                early itself */
    SignetTokenCounts counts;
    SignetTimings timings;
    gint64 duration_us; /* of what is being delivered */
    GVariant *facts;    /* (owned, nullable) */
    gboolean has_fresh_facts;
    GSource *source; /* (owned) */
};

const char *
signet_token_state_name(SignetTokenState state)
{
    switch (state) {
    case SIGNET_TOKEN_STATE_UNKNOWN:
        return "unknown";
    case SIGNET_TOKEN_STATE_READY:
        return "ready";
    case SIGNET_TOKEN_STATE_ABSENT:
        return "absent";
    case SIGNET_TOKEN_STATE_FAILED:
        return "failed";
    case SIGNET_TOKEN_STATE_LOCKED:
        return "locked";
    }
    return "unknown";
}

/* --- answers out --- */

static void
answer(const Pending *pending, const GError *error)
{
    const SignetRequest *request = &pending->request;

    if (pending->key_done)
        pending->key_done(request->result_key, error, pending->done_data);
    else if (pending->adopt_done)
        pending->adopt_done(request->result_key, request->result, error, pending->done_data);
    else if (pending->done)
        pending->done(request->result, error, pending->done_data);
}

static void
count(SignetToken *token, const SignetRequest *request)
{
    if (request->op == SIGNET_OP_PROBE)
        return;
    if (signet_error_is(request->error, SIGNET_ERROR_TIMED_OUT))
        token->counts.timed_out++;
    else if (!signet_error_is(request->error, SIGNET_ERROR_BUSY))
        token->counts.done++;
    if (request->error)
        return;
    switch (request->op) {
    case SIGNET_OP_SIGN:
        signet_timings_add(&token->timings, SIGNET_TIMED_SIGN, request->key->type,
                           request->duration_us);
        break;
    case SIGNET_OP_DECRYPT:
        signet_timings_add(&token->timings, SIGNET_TIMED_DECRYPT, request->key->type,
                           request->duration_us);
        break;
    case SIGNET_OP_DERIVE:
        signet_timings_add(&token->timings, SIGNET_TIMED_DERIVE, request->key->type,
                           request->duration_us);
        break;
    case SIGNET_OP_GENERATE:
        signet_timings_add(&token->timings, SIGNET_TIMED_GENERATE, request->template.type,
                           request->duration_us);
        break;
    case SIGNET_OP_ADOPT:
    case SIGNET_OP_DESTROY:
    case SIGNET_OP_PROBE:
    case SIGNET_OP_LEARN:
    case SIGNET_OP_CERTIFY:
    case SIGNET_OP_ACTIVATE:
    case SIGNET_OP_UNLOCK:
    case SIGNET_OP_LOCK:
        break;
    }
}

/* Takes the request and its reference to the token. */
static void
deliver(SignetToken *token, Pending *pending)
{
    g_queue_unlink(&token->pending, &pending->link);
    if (!pending->is_trial)
        count(token, &pending->request);
    token->duration_us = pending->request.duration_us;
    answer(pending, pending->request.error);
    signet_request_free(&pending->request);
    signet_token_unref(token);
}

static void
apply_state(SignetToken *token, SignetStateEvent *event)
{
    gboolean is_new =
        event->state != token->state || g_strcmp0(event->problem, token->problem) != 0 ||
        (event->info.kind && (g_strcmp0(event->info.description, token->info.description) != 0 ||
                              g_strcmp0(event->info.lock.tries, token->info.lock.tries) != 0));

    token->state = event->state;
    if (event->info.kind)
        token->info = event->info;
    g_free(token->problem);
    token->problem = g_steal_pointer(&event->problem);
    signet_state_event_free(event);
    if (is_new && token->changed)
        token->changed(token, token->changed_data);
}

/* One at a time, since a callback may cancel the next one; not for ever, since others use the main
 * context too. */
static void
deliver_events(SignetToken *token)
{
    SignetEvent *event;

    for (guint i = 0; i < DELIVER_AT_ONCE && (event = signet_worker_next_event(token->worker));
         i++) {
        if (event->kind == SIGNET_EVENT_STATE)
            apply_state(token, (SignetStateEvent *)event);
        else
            deliver(token, (Pending *)event);
    }
}

/* The worker has it, and has to be watched. */
static gboolean
abandon(SignetToken *token, Pending *pending)
{
    gboolean was_waiting = signet_worker_abandon(token->worker, &pending->request);
    gint64 watch_us =
        was_waiting ? G_MAXINT64 : signet_worker_watch(token->worker, g_get_monotonic_time());

    token->next_deadline_us = MIN(token->next_deadline_us, watch_us);
    return was_waiting;
}

static void
time_out(SignetToken *token, Pending *pending)
{
    /* The worker may free the request as soon as it is abandoned. */
    const Pending copy = {.done = pending->done,
                          .key_done = pending->key_done,
                          .adopt_done = pending->adopt_done,
                          .done_data = pending->done_data,
                          .is_trial = pending->is_trial,
                          .request.timeout_ms = pending->request.timeout_ms};
    g_autoptr(GError) error = NULL;

    g_queue_unlink(&token->pending, &pending->link);
    if (abandon(token, pending))
        signet_error_set(&error, SIGNET_ERROR_TIMED_OUT,
                         "token '%s' had no time for the request within %u ms; try again later",
                         token->name, copy.request.timeout_ms);
    else
        signet_error_set(&error, SIGNET_ERROR_TIMED_OUT,
                         "token '%s' did not finish the operation within %u ms", token->name,
                         copy.request.timeout_ms);
    if (!copy.is_trial)
        token->counts.timed_out++;
    token->duration_us = 0;
    answer(&copy, error);
    signet_token_unref(token);
}

static Pending *
next_expired(SignetToken *token, gint64 now_us)
{
    token->next_deadline_us = signet_worker_watch(token->worker, now_us);
    for (GList *l = token->pending.head; l; l = l->next) {
        Pending *pending = l->data;
        gint64 deadline_us = pending->request.item.deadline_us;

        if (deadline_us > now_us)
            token->next_deadline_us = MIN(token->next_deadline_us, deadline_us);
        else if (!signet_worker_has_answered(token->worker, &pending->request))
            return pending;
    }
    return NULL;
}

/* Starts over after each callback, which may have changed the list. */
static void
expire(SignetToken *token)
{
    gint64 now_us = g_get_monotonic_time();
    Pending *pending;

    if (now_us < token->next_deadline_us)
        return;
    while ((pending = next_expired(token, now_us)))
        time_out(token, pending);
}

/* --- event source --- */

static gboolean
source_prepare(GSource *source, int *ret_timeout_ms)
{
    SignetToken *token = ((TokenSource *)source)->token;
    gboolean ready = signet_worker_before_sleep(token->worker);

    *ret_timeout_ms = -1;
    if (!ready && token->next_deadline_us != G_MAXINT64) {
        gint64 left_us = token->next_deadline_us - g_get_monotonic_time();

        *ret_timeout_ms = left_us <= 0 ? 0 : (int)MIN(left_us / 1000 + 1, G_MAXINT);
    }
    return ready;
}

static gboolean
source_check(GSource *source)
{
    SignetToken *token = ((TokenSource *)source)->token;

    return signet_worker_after_sleep(token->worker) ||
           g_get_monotonic_time() >= token->next_deadline_us;
}

static gboolean
source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    SignetToken *token = signet_token_ref(((TokenSource *)source)->token);

    deliver_events(token);
    expire(token);
    signet_token_unref(token);
    return G_SOURCE_CONTINUE;
}

static GSource *
token_source_new(SignetToken *token)
{
    static GSourceFuncs funcs = {
        .prepare = source_prepare, .check = source_check, .dispatch = source_dispatch};
    GSource *source = g_source_new(&funcs, sizeof(TokenSource));

    ((TokenSource *)source)->token = token;
    g_source_set_static_name(source, "signet-token");
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}

/* --- requests in --- */

/* Takes pending, whose request is initialised. */
static guint64
submit(SignetToken *token, const SignetTokenWait *wait, Pending *pending)
{
    SignetRequest *request = &pending->request;
    guint64 id = ++token->last_id;

    pending->id = id;
    pending->is_trial = wait && wait->is_trial;
    pending->link.data = pending;
    request->timeout_ms = wait && wait->timeout_ms            ? wait->timeout_ms
                          : request->op == SIGNET_OP_GENERATE ? GENERATE_TIMEOUT_MS
                                                              : DEFAULT_TIMEOUT_MS;
    request->item.client = wait ? wait->client : 0;
    request->item.deadline_us = g_get_monotonic_time() + (gint64)request->timeout_ms * 1000;
    token->next_deadline_us = MIN(token->next_deadline_us, request->item.deadline_us);
    g_queue_push_tail_link(&token->pending, &pending->link);
    signet_token_ref(token);
    if (!signet_worker_push(token->worker, request) && !pending->is_trial)
        token->counts.refused_busy++;
    return id;
}

static Pending *
pending_new(SignetTokenDone done, SignetTokenKeyDone key_done, gpointer done_data)
{
    Pending *pending = g_new0(Pending, 1);

    pending->done = done;
    pending->key_done = key_done;
    pending->done_data = done_data;
    return pending;
}

guint64
signet_token_sign(SignetToken *token, const SignetTokenWait *wait, SignetKey *key,
                  const SignetKeyScheme *scheme, GBytes *digest, SignetTokenDone done,
                  gpointer data)
{
    Pending *pending = pending_new(done, NULL, data);

    signet_request_init(&pending->request, SIGNET_OP_SIGN, key, scheme, digest);
    return submit(token, wait, pending);
}

guint64
signet_token_decrypt(SignetToken *token, const SignetTokenWait *wait, SignetKey *key,
                     const SignetKeyScheme *scheme, GBytes *ciphertext, SignetTokenDone done,
                     gpointer data)
{
    Pending *pending = pending_new(done, NULL, data);

    signet_request_init(&pending->request, SIGNET_OP_DECRYPT, key, scheme, ciphertext);
    return submit(token, wait, pending);
}

guint64
signet_token_derive(SignetToken *token, const SignetTokenWait *wait, SignetKey *key,
                    GBytes *peer_point, SignetTokenDone done, gpointer data)
{
    Pending *pending = pending_new(done, NULL, data);

    signet_request_init(&pending->request, SIGNET_OP_DERIVE, key, NULL, peer_point);
    return submit(token, wait, pending);
}

guint64
signet_token_generate(SignetToken *token, const SignetTokenWait *wait,
                      const SignetKeyTemplate *template, SignetTokenKeyDone done, gpointer data)
{
    Pending *pending = pending_new(NULL, done, data);

    signet_request_init(&pending->request, SIGNET_OP_GENERATE, NULL, NULL, NULL);
    pending->request.template = *template;
    pending->request.template.name = pending->request.key_name;
    g_strlcpy(pending->request.key_name, template->name ? template->name : "",
              sizeof pending->request.key_name);
    return submit(token, wait, pending);
}

guint64
signet_token_adopt(SignetToken *token, const SignetTokenWait *wait, GBytes *name,
                   SignetSecret *auth, SignetTokenAdoptDone done, gpointer data)
{
    Pending *pending = pending_new(NULL, NULL, data);

    signet_request_init(&pending->request, SIGNET_OP_ADOPT, NULL, NULL, name);
    pending->request.auth = auth ? signet_secret_ref(auth) : NULL;
    pending->adopt_done = done;
    return submit(token, wait, pending);
}

guint64
signet_token_destroy(SignetToken *token, const SignetTokenWait *wait, SignetKey *key,
                     SignetTokenDone done, gpointer data)
{
    Pending *pending = pending_new(done, NULL, data);

    signet_request_init(&pending->request, SIGNET_OP_DESTROY, key, NULL, NULL);
    return submit(token, wait, pending);
}

guint64
signet_token_probe(SignetToken *token, const SignetTokenWait *wait, SignetTokenDone done,
                   gpointer data)
{
    Pending *pending = pending_new(done, NULL, data);

    signet_request_init(&pending->request, SIGNET_OP_PROBE, NULL, NULL, NULL);
    return submit(token, wait, pending);
}

guint64
signet_token_unlock(SignetToken *token, const SignetTokenWait *wait,
                    const SignetTokenUnlock *unlock, SignetTokenDone done, gpointer data)
{
    Pending *pending = pending_new(done, NULL, data);

    signet_request_init(&pending->request, SIGNET_OP_UNLOCK, NULL, NULL, NULL);
    pending->request.unlock = *unlock;
    if (unlock->pin)
        pending->request.unlock.pin = signet_secret_ref(unlock->pin);
    return submit(token, wait, pending);
}

guint64
signet_token_lock(SignetToken *token, const SignetTokenWait *wait, SignetTokenDone done,
                  gpointer data)
{
    Pending *pending = pending_new(done, NULL, data);

    signet_request_init(&pending->request, SIGNET_OP_LOCK, NULL, NULL, NULL);
    return submit(token, wait, pending);
}

guint64
signet_token_learn(SignetToken *token, const SignetTokenWait *wait, SignetLesson lesson,
                   SignetKey *key, SignetTokenDone done, gpointer data)
{
    Pending *pending = pending_new(done, NULL, data);

    signet_request_init(&pending->request, SIGNET_OP_LEARN, key, NULL, NULL);
    pending->request.lesson = lesson;
    return submit(token, wait, pending);
}

GVariant *
signet_token_facts_from_bytes(GBytes *result)
{
    return g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE_VARDICT, result, TRUE));
}

guint64
signet_token_certify(SignetToken *token, const SignetTokenWait *wait, SignetKey *attester,
                     SignetKey *key, GBytes *data, SignetTokenDone done, gpointer done_data)
{
    Pending *pending = pending_new(done, NULL, done_data);

    signet_request_init(&pending->request, SIGNET_OP_CERTIFY, key, NULL, data);
    pending->request.attester = signet_key_ref(attester);
    return submit(token, wait, pending);
}

guint64
signet_token_activate(SignetToken *token, const SignetTokenWait *wait, SignetKey *attester,
                      const SignetTokenChallenge *challenge, SignetTokenDone done, gpointer data)
{
    Pending *pending = pending_new(done, NULL, data);

    signet_request_init(&pending->request, SIGNET_OP_ACTIVATE, NULL, NULL, NULL);
    pending->request.attester = signet_key_ref(attester);
    pending->request.challenge =
        (SignetTokenChallenge) {.endorsement = g_bytes_ref(challenge->endorsement),
                                .credential = g_bytes_ref(challenge->credential),
                                .secret = g_bytes_ref(challenge->secret)};
    return submit(token, wait, pending);
}

void
signet_token_cancel(SignetToken *token, guint64 id)
{
    for (GList *l = token->pending.head; l; l = l->next) {
        Pending *pending = l->data;

        if (pending->id != id)
            continue;
        g_queue_unlink(&token->pending, &pending->link);
        abandon(token, pending);
        signet_token_unref(token);
        return;
    }
}

/* --- life --- */

SignetToken *
signet_token_new(const SignetTokenSettings *settings, const SignetTokenBackend *vtable,
                 gpointer backend)
{
    SignetToken *token = g_new0(SignetToken, 1);
    guint limit = settings->queue_limit ? settings->queue_limit : DEFAULT_QUEUE_LIMIT;
    guint client_limit = settings->client_limit ? settings->client_limit : MAX(limit / 2, 1);
    const SignetWorkerSettings worker = {
        .name = settings->name,
        .patience_ms = settings->patience_ms ? settings->patience_ms : DEFAULT_PATIENCE_MS};

    token->ref_count = 1;
    token->name = g_strdup(settings->name);
    token->info = (SignetTokenInfo) {.kind = "", .protection = "", .description = ""};
    token->next_deadline_us = G_MAXINT64;
    token->worker =
        signet_worker_new(&worker, signet_queue_new(limit, client_limit), vtable, backend);
    token->source = token_source_new(token);
    return token;
}

SignetToken *
signet_token_ref(SignetToken *token)
{
    token->ref_count++;
    return token;
}

void
signet_token_unref(SignetToken *token)
{
    if (!token || --token->ref_count > 0)
        return;
    g_source_destroy(token->source);
    g_source_unref(token->source);
    signet_worker_free(token->worker);
    g_clear_pointer(&token->facts, g_variant_unref);
    g_free(token->problem);
    g_free(token->name);
    g_free(token);
}

gboolean
signet_token_wait_left(guint timeout_ms)
{
    return signet_crew_wait_left(NULL, timeout_ms);
}

/* --- facts --- */

const char *
signet_token_get_name(const SignetToken *token)
{
    return token->name;
}

SignetTokenState
signet_token_get_state(const SignetToken *token)
{
    return token->state;
}

const char *
signet_token_get_problem(const SignetToken *token)
{
    return token->problem;
}

SignetTokenInfo
signet_token_get_info(const SignetToken *token)
{
    return token->info;
}

void
signet_token_set_listener(SignetToken *token, SignetTokenChanged changed, gpointer data)
{
    token->changed = changed;
    token->changed_data = data;
}

SignetTokenCounts
signet_token_get_counts(const SignetToken *token)
{
    SignetTokenCounts counts = token->counts;

    counts.waiting = signet_worker_get_waiting(token->worker);
    return counts;
}

const SignetTimings *
signet_token_get_timings(const SignetToken *token)
{
    return &token->timings;
}

gint64
signet_token_get_duration_us(const SignetToken *token)
{
    return token->duration_us;
}

GVariant *
signet_token_get_facts(const SignetToken *token)
{
    return token->facts;
}

gboolean
signet_token_has_fresh_facts(const SignetToken *token)
{
    return token->has_fresh_facts;
}

void
signet_token_set_facts(SignetToken *token, GVariant *facts, gboolean is_fresh)
{
    g_autoptr(GVariant) old G_GNUC_UNUSED = g_steal_pointer(&token->facts);

    token->facts = facts ? g_variant_ref_sink(facts) : NULL;
    token->has_fresh_facts = facts && is_fresh;
}
