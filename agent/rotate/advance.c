/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The one place where the state of an identity changes: step, journal, effects, and who is told. */

#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/rotate/journal.h"
#include "agent/rotate/private.h"

#define JOURNAL_RETRY_S 60

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
    if (effects & SIGNET_EFFECT_ADOPT)
        signet_entry_end_adopting(entry, NULL);
    if (effects & SIGNET_EFFECT_RETIRE)
        signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_RETIRE_FAILED});
    if (effects & SIGNET_EFFECT_CHECK)
        signet_entry_fail_check(entry, error->message);
    if (effects & ~(guint)SIGNET_EFFECTS_BESIDE)
        signet_entry_fail(entry, error);
    signet_engine_schedule(entry->engine);
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

void
signet_entry_rewrite(SignetEntry *entry)
{
    entry->journal_retry_s = 0;
    write_journal(entry, 0);
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
    if (effects & SIGNET_EFFECT_TELL_REVOKED)
        tell(entry, SIGNET_ENGINE_REVOKED, entry->machine.current);
}

/* NULL when all is well. */
static GError *
dup_state_error(SignetEntry *entry)
{
    const char *cause = entry->machine.cause;
    const char *code = signet_entry_get_device_code(entry);

    switch (entry->machine.state) {
    case SIGNET_MACHINE_WAITING_TOKEN:
        return signet_error_new(SIGNET_ERROR_TOKEN_ABSENT, "%s", cause);
    case SIGNET_MACHINE_WAITING_CA:
    case SIGNET_MACHINE_PENDING_CA:
        return signet_error_new(SIGNET_ERROR_CA_PENDING, "%s%s%s", cause,
                                *code ? "; the device code is " : "", code);
    case SIGNET_MACHINE_BLOCKED:
        return signet_error_new(SIGNET_ERROR_POLICY, "%s", cause);
    case SIGNET_MACHINE_ABSENT:
    case SIGNET_MACHINE_FAILED:
        return signet_error_new(SIGNET_ERROR_FAILED, "%s", cause);
    case SIGNET_MACHINE_KEYGEN:
    case SIGNET_MACHINE_ENROLLING:
    case SIGNET_MACHINE_VERIFYING:
    case SIGNET_MACHINE_CANARY:
    case SIGNET_MACHINE_PROMOTING:
    case SIGNET_MACHINE_ROLLING_BACK:
    case SIGNET_MACHINE_ACTIVE:
        break;
    }
    return NULL;
}

void
signet_entry_answer(SignetEntry *entry, const GError *error)
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

/* What an attempt that was interrupted may have left on the token has a name that is given away
 * again, also to a later generation: the token then destroys it. Never the name of a key that is
 * stored. */
static char *
dup_name_left(const SignetEntry *entry, const SignetMachine *machine)
{
    const char *name = strchr(machine->key_name, ':');
    guint32 number = (guint32)g_ascii_strtoull(machine->key_name, NULL, 10);

    if (!name || number == 0 ||
        signet_inventory_get(entry->engine->context.inventory, entry->name, number))
        return NULL;
    return g_strdup(name + 1);
}

/* Empty: the token chooses. */
static void
name_key(const SignetEntry *entry, SignetMachine *machine)
{
    g_autofree char *left = dup_name_left(entry, machine);
    guint8 random[SIGNET_KEY_NAME_BYTES];
    gsize length;

    if (!left && getentropy(random, sizeof(random)) < 0) {
        machine->key_name[0] = '\0';
        return;
    }
    g_snprintf(machine->key_name, sizeof(machine->key_name), "%u:%s", machine->pending,
               left ? left : "");
    length = strlen(machine->key_name);
    for (guint i = 0; !left && i < sizeof(random); i++)
        g_snprintf(machine->key_name + length + 2 * i, 3, "%02x", random[i]);
}

void
signet_entry_advance(SignetEntry *entry, const SignetMachineEvent *event)
{
    const SignetMachine before = entry->machine;
    SignetMachineInput input = signet_entry_input(entry);
    SignetMachineStep step =
        signet_machine_step(&before, event, &input, signet_clock_now(entry->engine->context.clock));
    guint to_do = step.effects & SIGNET_EFFECTS_TO_DO;
    g_autoptr(SignetEntry) guard G_GNUC_UNUSED = signet_entry_ref(entry);

    if (to_do & SIGNET_EFFECT_GENERATE)
        name_key(entry, &step.machine);
    entry->machine = step.machine;
    gboolean is_changed = is_worth_writing(&before, &step.machine);
    if (to_do || is_changed)
        write_journal(entry, to_do);
    if (is_changed || before.state != step.machine.state ||
        !g_str_equal(before.cause, step.machine.cause))
        tell_effects(entry, &before, step.effects);
    if (entry->waiters->len > 0 && is_attempt_over(&before, &step.machine, event->kind)) {
        g_autoptr(GError) error =
            event->kind == SIGNET_EVENT_RESTORED ? NULL : dup_state_error(entry);

        signet_entry_answer(entry, error);
    }
    signet_entry_bar(entry);
    signet_engine_schedule(entry->engine);
}

void
signet_entry_fail(SignetEntry *entry, const GError *error)
{
    gboolean is_missing = signet_error_is(error, SIGNET_ERROR_TOKEN_ABSENT) ||
                          signet_error_is(error, SIGNET_ERROR_PIN_NEEDED);

    signet_entry_advance(entry,
                         &(SignetMachineEvent) {.kind = is_missing ? SIGNET_EVENT_TOKEN_MISSING
                                                                   : SIGNET_EVENT_FAILED,
                                                .cause = error->message});
}
