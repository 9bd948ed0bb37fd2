/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Carries identities through enrolment and rotation: when what happens, and in which order. */

#include "agent/rotate/engine.h"

#include <string.h>

#include "agent/base/log.h"
#include "agent/rotate/journal.h"
#include "agent/rotate/private.h"

#define WORKING_MAX     4 /* rotations at once: each has a process of its own */
#define RETIRING_MAX    8
#define SLEEP_MAX_S     3600 /* the clock may be wrong about how long we slept */
#define JOURNAL_RETRY_S 60
#define USAGE_PERIOD_S  30

/* --- entries --- */

SignetEntry *
signet_entry_new(SignetEngine *engine, const SignetIdentityPolicy *policy)
{
    SignetEntry *entry = g_rc_box_new0(SignetEntry);

    entry->engine = engine;
    entry->name = g_strdup(policy->name);
    entry->policy = policy;
    entry->machine = signet_machine_new(signet_clock_now(engine->context.clock));
    entry->seed = signet_schedule_seed(engine->machine_id, policy->name);
    entry->waiters = g_array_new(FALSE, FALSE, sizeof(SignetWaiter));
    entry->wish = g_strdup("");
    return entry;
}

SignetEntry *
signet_entry_ref(SignetEntry *entry)
{
    return g_rc_box_acquire(entry);
}

static void
entry_clear(gpointer data)
{
    SignetEntry *entry = data;

    g_free(entry->name);
    g_free(entry->wish);
    g_free(entry->blocked);
    g_free(entry->problem);
    g_array_unref(entry->waiters);
}

void
signet_entry_unref(SignetEntry *entry)
{
    g_rc_box_release_full(entry, entry_clear);
}

static void
schedule(SignetEngine *engine)
{
    g_source_set_ready_time(engine->timer, 0);
}

/* --- the journal --- */

typedef struct {
    SignetEntry *entry; /* (owned) */
    GBytes *text;       /* (owned) */
    guint effects;      /* to be done once it is written */
    GError *error;      /* (owned, nullable) */
} JournalTask;

static void
journal_task_free(gpointer data)
{
    JournalTask *task = data;

    signet_entry_unref(task->entry);
    g_bytes_unref(task->text);
    g_clear_error(&task->error);
    g_free(task);
}

static void
run_journal(gpointer data)
{
    JournalTask *task = data;

    signet_store_put_file(task->entry->engine->context.store, task->entry->name, "journal",
                          task->text, &task->error);
}

/* What could not be announced is not done. */
static void
on_journal_failed(SignetEntry *entry, guint effects, const GError *error)
{
    signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name),
               "%s; trying again in %d s", error->message, JOURNAL_RETRY_S);
    entry->journal_retry_s = signet_clock_now(entry->engine->context.clock) + JOURNAL_RETRY_S;
    if (effects & SIGNET_EFFECT_RETIRE)
        signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_RETIRE_FAILED});
    if (effects & ~(guint)SIGNET_EFFECT_RETIRE)
        signet_entry_fail(entry, error);
    schedule(entry->engine);
}

static void
done_journal(gpointer data)
{
    JournalTask *task = data;
    SignetEntry *entry = task->entry;

    if (!entry->policy)
        return;
    if (task->error) {
        on_journal_failed(entry, task->effects, task->error);
        return;
    }
    entry->journal_retry_s = 0;
    signet_entry_do(entry, task->effects);
}

/* Waiting for something outside leaves nothing to be finished: a thousand identities that wait for
 * their CA need not say so. */
static gboolean
is_worth_writing(const SignetMachine *before, const SignetMachine *after)
{
    g_autoptr(GBytes) old = NULL;
    g_autoptr(GBytes) new = NULL;

    if (before->pending == after->pending && before->n_retired == after->n_retired &&
        (after->state == SIGNET_MACHINE_WAITING_CA || after->state == SIGNET_MACHINE_BLOCKED))
        return FALSE;
    old = signet_journal_encode(before);
    new = signet_journal_encode(after);
    return !g_bytes_equal(old, new);
}

static void
write_journal(SignetEntry *entry, guint effects)
{
    static const SignetDiskWork work = {run_journal, done_journal, journal_task_free};
    JournalTask *task = g_new0(JournalTask, 1);

    task->entry = signet_entry_ref(entry);
    task->text = signet_journal_encode(&entry->machine);
    task->effects = effects;
    signet_disk_thread_give(entry->engine->disk, &work, task);
}

/* --- the state changes --- */

static void
tell(const SignetEntry *entry, SignetEngineEvent event, guint32 generation)
{
    const SignetEngine *engine = entry->engine;

    if (engine->listener)
        engine->listener(entry->name, event, generation, engine->listener_data);
}

static void
tell_effects(const SignetEntry *entry, const SignetMachine *before, guint effects)
{
    tell(entry, SIGNET_ENGINE_CHANGED, entry->machine.current);
    if (effects & SIGNET_EFFECT_TELL_ROTATED)
        tell(entry, SIGNET_ENGINE_ROTATED, entry->machine.current);
    if (effects & SIGNET_EFFECT_TELL_FAILED)
        tell(entry, SIGNET_ENGINE_FAILED, entry->machine.pending);
    if (effects & SIGNET_EFFECT_TELL_EXPIRING)
        tell(entry, SIGNET_ENGINE_EXPIRING, entry->machine.current);
    if (effects & SIGNET_EFFECT_TELL_RETIRED)
        tell(entry, SIGNET_ENGINE_RETIRED, before->retiring);
}

/* NULL when all is well. */
static GError *
dup_state_error(const SignetEntry *entry)
{
    const char *cause = entry->machine.cause;

    switch (entry->machine.state) {
    case SIGNET_MACHINE_WAITING_TOKEN:
        return signet_error_new(SIGNET_ERROR_TOKEN_ABSENT, "%s", cause);
    case SIGNET_MACHINE_WAITING_CA:
    case SIGNET_MACHINE_PENDING_CA:
        return signet_error_new(SIGNET_ERROR_CA_PENDING, "%s", cause);
    case SIGNET_MACHINE_BLOCKED:
        return signet_error_new(SIGNET_ERROR_POLICY, "%s", cause);
    case SIGNET_MACHINE_ABSENT:
    case SIGNET_MACHINE_FAILED:
        return signet_error_new(SIGNET_ERROR_FAILED, "%s", cause);
    case SIGNET_MACHINE_KEYGEN:
    case SIGNET_MACHINE_ENROLLING:
    case SIGNET_MACHINE_VERIFYING:
    case SIGNET_MACHINE_PROMOTING:
    case SIGNET_MACHINE_ACTIVE:
        break;
    }
    return NULL;
}

static void
answer_waiters(SignetEntry *entry, const GError *error)
{
    g_autoptr(GArray) waiters = entry->waiters;

    entry->waiters = g_array_new(FALSE, FALSE, sizeof(SignetWaiter));
    for (guint i = 0; i < waiters->len; i++) {
        const SignetWaiter *waiter = &g_array_index(waiters, SignetWaiter, i);

        if (waiter->done)
            waiter->done(entry->name, entry->machine.current, error, waiter->data);
    }
}

/* An attempt is over when it leaves the states of work, or does not get that far. */
static gboolean
is_attempt_over(const SignetMachine *before, const SignetMachine *after,
                SignetMachineEventKind kind)
{
    return !signet_machine_is_working(after) &&
           (signet_machine_is_working(before) || kind == SIGNET_EVENT_BEGIN);
}

void
signet_entry_advance(SignetEntry *entry, const SignetMachineEvent *event)
{
    const SignetMachine before = entry->machine;
    SignetMachineInput input = signet_entry_input(entry);
    SignetMachineStep step =
        signet_machine_step(&before, event, &input, signet_clock_now(entry->engine->context.clock));
    guint to_do = step.effects & SIGNET_EFFECTS_TO_DO;
    g_autoptr(SignetEntry) guard = signet_entry_ref(entry);

    entry->machine = step.machine;
    gboolean is_changed = is_worth_writing(&before, &step.machine);
    if (to_do || is_changed)
        write_journal(entry, to_do);
    if (is_changed || before.state != step.machine.state)
        tell_effects(entry, &before, step.effects);
    if (entry->waiters->len > 0 && is_attempt_over(&before, &step.machine, event->kind)) {
        g_autoptr(GError) error = dup_state_error(entry);

        answer_waiters(entry, error);
    }
    schedule(entry->engine);
}

/* --- whose turn it is --- */

typedef struct {
    gint64 now_s;
    gint64 next_s; /* the nearest deadline */
    guint n_working;
    guint n_retiring;
    SignetEntry *first; /* (nullable) the one that begins next */
    gint64 first_rank;
} Scan;

static void
rescan(SignetEngine *engine)
{
    engine->is_rescan_due = FALSE;
    for (guint i = 0; i < engine->order->len; i++) {
        SignetEntry *entry = engine->order->pdata[i];

        if (!entry->problem)
            signet_entry_refresh(entry);
    }
}

/* CAs before those that need them, a person before a machine, then who has waited longest. */
static gint64
rank_of(const SignetEntry *entry, gint64 begin_s)
{
    if (entry->policy->is_ca)
        return -2;
    return entry->waiters->len > 0 ? -1 : MAX(begin_s, 0);
}

static void
scan_time(Scan *scan, SignetEntry *entry, SignetMachineDeadlines *deadlines)
{
    gboolean is_free = deadlines->retire_number == 0 || scan->n_retiring < RETIRING_MAX;

    if (deadlines->tick_s <= scan->now_s && is_free) {
        SignetMachineInput input = signet_entry_input(entry);

        signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_TICK});
        *deadlines = signet_machine_deadlines(&entry->machine, &input);
    }
    /* what is due and has no place is looked at again when a place becomes free */
    if (deadlines->tick_s > scan->now_s)
        scan->next_s = MIN(scan->next_s, deadlines->tick_s);
    scan->n_retiring += entry->machine.retiring != 0;
    if (entry->journal_retry_s != 0 && entry->journal_retry_s <= scan->now_s) {
        entry->journal_retry_s = 0;
        write_journal(entry, 0);
    }
    if (entry->journal_retry_s != 0)
        scan->next_s = MIN(scan->next_s, entry->journal_retry_s);
}

static void
scan_entry(Scan *scan, SignetEntry *entry)
{
    SignetMachineInput input = signet_entry_input(entry);
    SignetMachineDeadlines deadlines = signet_machine_deadlines(&entry->machine, &input);

    scan_time(scan, entry, &deadlines);
    scan->n_working += signet_machine_is_working(&entry->machine);
    if (deadlines.begin_s > scan->now_s) {
        scan->next_s = MIN(scan->next_s, deadlines.begin_s);
    } else if (input.blocked || !input.is_ca_ready) {
        /* it will only say what it waits for: that needs no place */
        signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_BEGIN});
    } else if (!scan->first || rank_of(entry, deadlines.begin_s) < scan->first_rank) {
        scan->first = entry;
        scan->first_rank = rank_of(entry, deadlines.begin_s);
    }
}

static Scan
scan_all(SignetEngine *engine)
{
    Scan scan = {.now_s = signet_clock_now(engine->context.clock), .next_s = SIGNET_NEVER};

    for (guint i = 0; i < engine->order->len; i++) {
        SignetEntry *entry = engine->order->pdata[i];

        if (!entry->problem)
            scan_entry(&scan, entry);
    }
    return scan;
}

static void
forget_left(SignetEngine *engine)
{
    for (guint i = engine->leaving->len; i > 0; i--) {
        const SignetEntry *entry = engine->leaving->pdata[i - 1];

        if (entry->token_id == 0 && entry->retire_token_id == 0)
            g_ptr_array_remove_index(engine->leaving, i - 1);
    }
}

static void
sleep_until(SignetEngine *engine, const Scan *scan)
{
    gint64 pause_s = MIN(scan->next_s - scan->now_s, SLEEP_MAX_S);

    g_source_set_ready_time(engine->timer, g_get_monotonic_time() + pause_s * G_USEC_PER_SEC);
}

static gboolean
on_timer(gpointer data)
{
    SignetEngine *engine = data;

    if (engine->is_rescan_due)
        rescan(engine);
    forget_left(engine);
    Scan scan = scan_all(engine);
    sleep_until(engine, &scan);
    if (scan.first && scan.n_working < WORKING_MAX)
        signet_entry_advance(scan.first, &(SignetMachineEvent) {.kind = SIGNET_EVENT_BEGIN});
    return G_SOURCE_CONTINUE;
}

static gboolean
on_usage_timer(gpointer data)
{
    signet_engine_save_usage(data);
    return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_timer(GSource *source, GSourceFunc callback, gpointer data)
{
    g_source_set_ready_time(source, -1);
    return callback(data);
}

/* --- the policy --- */

static gint
compare_order(gconstpointer a, gconstpointer b)
{
    const SignetEntry *x = *(SignetEntry *const *)a, *y = *(SignetEntry *const *)b;

    if (x->policy->is_ca != y->policy->is_ca)
        return x->policy->is_ca ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void
drop_generations(SignetEngine *engine, const char *identity)
{
    g_autoptr(GPtrArray) list = signet_inventory_list(engine->context.inventory, identity);

    for (guint i = 0; i < list->len; i++)
        signet_inventory_remove(engine->context.inventory, identity,
                                ((const SignetGeneration *)list->pdata[i])->number);
}

static void
leave(SignetEngine *engine, SignetEntry *entry)
{
    g_autoptr(GError) error =
        signet_error_new(SIGNET_ERROR_NOT_FOUND, "'%s' is not in the policy any more", entry->name);

    signet_log(LOG_NOTICE, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name),
               "'%s' is not in the policy any more: nobody may use it; its key and files stay "
               "until it is removed",
               entry->name);
    signet_entry_leave(entry);
    entry->policy = NULL;
    answer_waiters(entry, error);
    drop_generations(engine, entry->name);
    g_ptr_array_add(engine->leaving, signet_entry_ref(entry));
}

/* Those that stay get their new policy; a name is left out of the table when its identity has gone.
 */
static void
update_entries(SignetEngine *engine)
{
    GHashTableIter iter;
    gpointer value;

    g_ptr_array_set_size(engine->order, 0);
    g_hash_table_iter_init(&iter, engine->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        SignetEntry *entry = value;

        entry->policy = signet_policy_get_identity(engine->policy, entry->name);
        if (entry->policy)
            continue;
        leave(engine, entry);
        g_hash_table_iter_remove(&iter);
    }
}

/* Returns the new ones, in order. */
static GPtrArray *
add_entries(SignetEngine *engine)
{
    const GPtrArray *identities = signet_policy_get_identities(engine->policy);
    GPtrArray *added = g_ptr_array_new();

    for (guint i = 0; i < identities->len; i++) {
        const SignetIdentityPolicy *policy = identities->pdata[i];
        SignetEntry *entry = g_hash_table_lookup(engine->entries, policy->name);

        if (!entry) {
            entry = signet_entry_new(engine, policy);
            g_hash_table_insert(engine->entries, entry->name, entry);
            g_ptr_array_add(added, entry);
        }
        g_ptr_array_add(engine->order, entry);
    }
    g_ptr_array_sort(engine->order, compare_order);
    g_ptr_array_sort(added, compare_order);
    return added;
}

static void
apply_policy(SignetEngine *engine, SignetPolicy *policy, GPtrArray *problems)
{
    g_autoptr(SignetPolicy) old = engine->policy;
    g_autoptr(GPtrArray) added = NULL;

    engine->policy = signet_policy_ref(policy);
    signet_engine_save_usage(engine);
    update_entries(engine);
    added = add_entries(engine);
    /* one that went a moment ago and is back may still be written to */
    if (added->len > 0)
        signet_disk_thread_flush(engine->disk);
    for (guint i = 0; i < added->len; i++)
        signet_entry_load(added->pdata[i], problems);
    rescan(engine);
    schedule(engine);
}

void
signet_engine_set_policy(SignetEngine *engine, SignetPolicy *policy)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

    apply_policy(engine, policy, problems);
    for (guint i = 0; i < problems->len; i++)
        signet_log(LOG_ERR, NULL, "%s", (const char *)problems->pdata[i]);
}

/* --- the engine --- */

SignetEngine *
signet_engine_new(const SignetEngineContext *context)
{
    static GSourceFuncs functions = {.dispatch = dispatch_timer};
    SignetEngine *engine = g_new0(SignetEngine, 1);

    engine->context = *context;
    engine->host_name = g_strdup(context->host_name);
    engine->machine_id = g_strdup(context->machine_id);
    engine->entries =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)signet_entry_unref);
    engine->order = g_ptr_array_new();
    engine->leaving = g_ptr_array_new_with_free_func((GDestroyNotify)signet_entry_unref);
    engine->refusals = g_ptr_array_new_with_free_func((GDestroyNotify)g_source_unref);
    engine->disk = signet_disk_thread_new();
    engine->timer = g_source_new(&functions, sizeof(GSource));
    g_source_set_callback(engine->timer, on_timer, engine, NULL);
    engine->usage_timer = g_timeout_source_new_seconds(USAGE_PERIOD_S);
    g_source_set_callback(engine->usage_timer, on_usage_timer, engine, NULL);
    return engine;
}

void
signet_engine_free(SignetEngine *engine)
{
    GHashTableIter iter;
    gpointer entry;

    if (!engine)
        return;
    g_source_destroy(engine->timer);
    g_source_destroy(engine->usage_timer);
    g_hash_table_iter_init(&iter, engine->entries);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        signet_entry_cancel(entry);
    for (guint i = 0; i < engine->leaving->len; i++)
        signet_entry_cancel(engine->leaving->pdata[i]);
    for (guint i = 0; i < engine->refusals->len; i++)
        g_source_destroy(engine->refusals->pdata[i]);
    signet_disk_thread_free(engine->disk);
    signet_engine_save_usage_now(engine);
    g_source_unref(engine->timer);
    g_source_unref(engine->usage_timer);
    g_ptr_array_unref(engine->refusals);
    g_ptr_array_unref(engine->leaving);
    g_ptr_array_unref(engine->order);
    g_hash_table_unref(engine->entries);
    g_clear_pointer(&engine->policy, signet_policy_unref);
    g_free(engine->host_name);
    g_free(engine->machine_id);
    g_free(engine);
}

static void
report_unnamed(SignetEngine *engine, char **identities, GPtrArray *problems)
{
    for (guint i = 0; identities[i]; i++) {
        if (!g_hash_table_contains(engine->entries, identities[i]))
            g_ptr_array_add(problems,
                            g_strdup_printf("identity '%s': it is on disk, but no policy names it; "
                                            "nobody may use it, its key and files stay",
                                            identities[i]));
    }
}

gboolean
signet_engine_start(SignetEngine *engine, SignetPolicy *policy, GPtrArray *ret_problems,
                    GError **error)
{
    g_auto(GStrv) identities = signet_store_list_identities(engine->context.store, error);

    if (!identities)
        return FALSE;
    g_source_attach(engine->timer, g_main_context_get_thread_default());
    g_source_attach(engine->usage_timer, g_main_context_get_thread_default());
    apply_policy(engine, policy, ret_problems);
    report_unnamed(engine, identities, ret_problems);
    return TRUE;
}

/* --- wishes --- */

typedef struct {
    SignetEngine *engine;
    GSource *source; /* (unowned): it owns us */
    char *identity;  /* (owned) */
    SignetWaiter waiter;
    GError *error; /* (owned) */
} Refusal;

static void
refusal_free(gpointer data)
{
    Refusal *refusal = data;

    g_free(refusal->identity);
    g_error_free(refusal->error);
    g_free(refusal);
}

static gboolean
on_refusal(gpointer data)
{
    Refusal *refusal = data;

    refusal->waiter.done(refusal->identity, 0, refusal->error, refusal->waiter.data);
    g_ptr_array_remove(refusal->engine->refusals, refusal->source);
    return G_SOURCE_REMOVE;
}

/* Takes the error. */
static void
refuse(SignetEngine *engine, const char *identity, const SignetWaiter *waiter, GError *error)
{
    Refusal *refusal;

    if (!waiter->done) {
        g_error_free(error);
        return;
    }
    refusal = g_new0(Refusal, 1);
    refusal->engine = engine;
    refusal->identity = g_strdup(identity);
    refusal->waiter = *waiter;
    refusal->error = error;
    refusal->source = g_idle_source_new();
    g_source_set_callback(refusal->source, on_refusal, refusal, refusal_free);
    g_source_attach(refusal->source, g_main_context_get_thread_default());
    g_ptr_array_add(engine->refusals, refusal->source);
}

static GError *
find_refusal(const SignetEntry *entry, const char *identity)
{
    if (!entry)
        return signet_error_new(SIGNET_ERROR_NOT_FOUND, "there is no identity '%s'", identity);
    if (entry->problem)
        return signet_error_new(SIGNET_ERROR_CORRUPT, "cannot rotate '%s': %s", identity,
                                entry->problem);
    if (signet_machine_is_working(&entry->machine) || entry->waiters->len > 0)
        return signet_error_new(SIGNET_ERROR_BUSY, "a rotation of '%s' is under way already",
                                identity);
    return NULL;
}

void
signet_engine_rotate(SignetEngine *engine, const char *identity, SignetEngineDone done,
                     gpointer data)
{
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    SignetWaiter waiter = {done, data};
    GError *error = find_refusal(entry, identity);

    if (!error && entry->blocked)
        error = signet_error_new(SIGNET_ERROR_POLICY, "cannot rotate '%s': %s", identity,
                                 entry->blocked);
    if (error) {
        refuse(engine, identity, &waiter, error);
        return;
    }
    g_array_append_val(entry->waiters, waiter);
    signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_ROTATE});
}

void
signet_engine_wake(SignetEngine *engine)
{
    for (guint i = 0; i < engine->order->len; i++) {
        SignetEntry *entry = engine->order->pdata[i];

        if (!entry->problem)
            signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_TICK});
    }
    schedule(engine);
}

void
signet_engine_on_token(SignetToken *token, gpointer data)
{
    SignetEngine *engine = data;

    if (signet_token_get_state(token) != SIGNET_TOKEN_STATE_READY)
        return;
    for (guint i = 0; i < engine->order->len; i++) {
        SignetEntry *entry = engine->order->pdata[i];

        if (!entry->problem && g_str_equal(entry->policy->token, signet_token_get_name(token)))
            signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_TOKEN_BACK});
    }
}

void
signet_engine_set_listener(SignetEngine *engine, SignetEngineListener listener, gpointer data)
{
    engine->listener = listener;
    engine->listener_data = data;
}
