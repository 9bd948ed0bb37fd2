/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Start: what the disk holds becomes machine and inventory. */

#include "agent/rotate/journal.h"
#include "agent/rotate/private.h"

typedef struct {
    SignetMachine journal;
    GPtrArray *generations; /* (owned) of SignetGeneration: those that can be read */
    GArray *numbers;        /* (owned) of guint32: theirs */
    guint32 current;
    gboolean has_journal;
} Found;

static void
found_clear(Found *found)
{
    g_clear_pointer(&found->generations, g_ptr_array_unref);
    g_clear_pointer(&found->numbers, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

static void
add_problem(GPtrArray *problems, const SignetEntry *entry, const char *text)
{
    if (problems)
        g_ptr_array_add(problems, g_strdup_printf("identity '%s': %s", entry->name, text));
}

/* A journal that is damaged is done without; one of a newer agent is not touched. */
static gboolean
read_journal(SignetEntry *entry, Found *found, GPtrArray *problems, GError **error)
{
    SignetEngine *engine = entry->engine;
    g_autoptr(GError) local = NULL;
    g_autoptr(GBytes) text =
        signet_store_get_file(engine->context.store, entry->name, "journal", &local);

    found->journal = signet_machine_new(signet_clock_now(engine->context.clock));
    found->has_journal = text && signet_journal_decode(text, &found->journal, &local);
    if (!local)
        return TRUE;
    if (!signet_error_is(local, SIGNET_ERROR_CORRUPT)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_prefix_error(&local, "going on by what the certificates say: ");
    add_problem(problems, entry, local->message);
    return TRUE;
}

static gboolean
read_generations(SignetEntry *entry, Found *found, GPtrArray *problems, GError **error)
{
    SignetStore *store = entry->engine->context.store;
    g_autoptr(GArray) numbers = signet_store_list_generations(store, entry->name, error);
    gboolean has_current = FALSE;

    if (!numbers)
        return FALSE;
    for (guint i = 0; i < numbers->len; i++) {
        guint32 number = g_array_index(numbers, guint32, i);
        g_autoptr(GError) local = NULL;
        SignetGeneration *generation =
            signet_store_load_generation(store, entry->name, number, &local);

        if (generation) {
            g_ptr_array_add(found->generations, generation);
            g_array_append_val(found->numbers, number);
            has_current |= number == found->current;
        } else {
            add_problem(problems, entry, local->message);
        }
    }
    if (found->current == 0 || has_current)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                            "the current generation %u cannot be read; restore "
                            "identities/%s/%u, or remove identities/%s and live/%s to have it "
                            "enrolled anew",
                            found->current, entry->name, found->current, entry->name, entry->name);
}

static gboolean
is_in_journal(const SignetMachine *journal, guint32 number)
{
    for (guint i = 0; i < journal->n_retired; i++) {
        if (journal->retired[i].number == number)
            return TRUE;
    }
    return journal->pending == number;
}

/* live/NAME was removed by hand: the newest generation that was neither pending nor retired is what
 * it pointed at. Without this all keys would be taken for orphans. */
static gboolean
restore_link(SignetEntry *entry, Found *found, GPtrArray *problems, GError **error)
{
    SignetStore *store = entry->engine->context.store;

    if (found->current == 0 && found->generations->len > 0 && !found->has_journal)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "there are keys, but neither its journal nor live/%s say which one "
                                "is current; restore one of them, or remove identities/%s to have "
                                "it enrolled anew",
                                entry->name, entry->name);
    for (guint i = found->generations->len; found->current == 0 && i > 0; i--) {
        SignetGeneration *generation = found->generations->pdata[i - 1];

        if (generation->chain->len == 0 || is_in_journal(&found->journal, generation->number))
            continue;
        if (!signet_store_publish(store, entry->name, generation, NULL, error) ||
            !signet_store_promote(store, entry->name, generation->number, error))
            return FALSE;
        found->current = generation->number;
        g_autofree char *text = g_strdup_printf(
            "live/%s was missing, and points at generation %u again", entry->name, found->current);
        add_problem(problems, entry, text);
    }
    return TRUE;
}

static gboolean
read_all(SignetEntry *entry, Found *found, GPtrArray *problems, GError **error)
{
    found->generations = g_ptr_array_new_with_free_func((GDestroyNotify)signet_generation_unref);
    found->numbers = g_array_new(FALSE, FALSE, sizeof(guint32));
    found->current = signet_store_get_current(entry->engine->context.store, entry->name);
    return read_journal(entry, found, problems, error) &&
           read_generations(entry, found, problems, error) &&
           restore_link(entry, found, problems, error);
}

static SignetMachineDisk
describe(const Found *found)
{
    SignetMachineDisk disk = {
        .current = found->current,
        .numbers = (const guint32 *)(gpointer)found->numbers->data,
        .n_numbers = found->numbers->len,
    };

    for (guint i = 0; i < found->generations->len; i++) {
        const SignetGeneration *generation = found->generations->pdata[i];

        if (generation->number == found->current)
            disk.facts = signet_generation_facts(generation);
        if (generation->number == found->journal.pending)
            disk.has_chain = generation->chain->len > 0;
    }
    return disk;
}

static void
restore_users(SignetEntry *entry, GPtrArray *problems)
{
    const SignetEngineContext *context = &entry->engine->context;
    g_autoptr(GError) local = NULL;
    g_autoptr(GBytes) saved = signet_store_get_file(context->store, entry->name, "usage", &local);

    if (saved)
        signet_inventory_restore_users(context->inventory, entry->name, saved);
    if (local)
        add_problem(problems, entry, local->message);
}

void
signet_entry_load(SignetEntry *entry, GPtrArray *ret_problems)
{
    const SignetEngineContext *context = &entry->engine->context;
    g_autoptr(GError) error = NULL;
    g_auto(Found) found = {0};

    if (!read_all(entry, &found, ret_problems, &error)) {
        entry->problem = g_strdup(error->message);
        add_problem(ret_problems, entry, error->message);
        return;
    }
    /* before the fingerprint, which asks what is current */
    for (guint i = 0; i < found.generations->len; i++)
        signet_inventory_put(context->inventory, entry->name, found.generations->pdata[i]);
    signet_inventory_set_current(context->inventory, entry->name, found.current);
    signet_entry_refresh(entry);

    SignetMachineDisk disk = describe(&found);
    SignetMachineInput input = signet_entry_input(entry);
    entry->machine =
        signet_machine_recover(&found.journal, &disk, &input, signet_clock_now(context->clock));
    for (guint i = 0; i < found.numbers->len; i++) {
        guint32 number = g_array_index(found.numbers, guint32, i);

        if (!signet_machine_is_usable(&entry->machine, number))
            signet_inventory_remove(context->inventory, entry->name, number);
    }
    signet_entry_bar(entry);
    restore_users(entry, ret_problems);
}
