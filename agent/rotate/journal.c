/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The machine as text. */

#include "agent/rotate/journal.h"

#include <string.h>

#include "agent/enroll/findings.h"

#define GROUP          "Journal"
#define GROUP_FINDINGS "Findings"
#define VERSION        1

static char *
encode_retired(const SignetMachine *machine)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < machine->n_retired; i++) {
        const SignetRetired *retired = &machine->retired[i];

        g_string_append_printf(text, "%s%u:%" G_GINT64_FORMAT ":%u", i > 0 ? " " : "",
                               retired->number, retired->retire_at_s, retired->tries);
    }
    return g_string_free(text, FALSE);
}

static void
encode_watch(const SignetMachine *machine, GKeyFile *file)
{
    const SignetWatch *watch = &machine->watch;

    g_key_file_set_uint64(file, GROUP, "Revoked", machine->revoked);
    g_key_file_set_uint64(file, GROUP, "RevokedKey", machine->revoked_key);
    g_key_file_set_uint64(file, GROUP, "CurrentKey", machine->current_key);
    g_key_file_set_uint64(file, GROUP, "PendingKey", machine->pending_key);
    g_key_file_set_int64(file, GROUP, "Leaving", machine->leaving_s);
    g_key_file_set_uint64(file, GROUP, "Watched", watch->number);
    g_key_file_set_uint64(file, GROUP, "LookFailures", watch->failures);
    g_key_file_set_uint64(file, GROUP, "Silent", (guint64)watch->is_silent);
    g_key_file_set_int64(file, GROUP, "LastLook", watch->last_s);
    g_key_file_set_int64(file, GROUP, "NextLook", watch->next_s);
    g_key_file_set_int64(file, GROUP, "LastWindow", watch->window_last_s);
    g_key_file_set_int64(file, GROUP, "NextWindow", watch->window_next_s);
    signet_findings_to_file(&watch->found, file, GROUP_FINDINGS);
}

GBytes *
signet_journal_encode(const SignetMachine *machine)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *retired = encode_retired(machine);
    gsize size;

    g_key_file_set_integer(file, GROUP, "Version", VERSION);
    g_key_file_set_string(file, GROUP, "State", signet_machine_state_name(machine->state));
    g_key_file_set_int64(file, GROUP, "Since", machine->since_s);
    g_key_file_set_int64(file, GROUP, "Next", machine->next_s);
    g_key_file_set_uint64(file, GROUP, "Attempt", machine->attempt);
    g_key_file_set_string(file, GROUP, "Cause", machine->cause);
    g_key_file_set_uint64(file, GROUP, "Pending", machine->pending);
    g_key_file_set_string(file, GROUP, "Resume", signet_machine_state_name(machine->resume));
    g_key_file_set_string(file, GROUP, "Origin", signet_machine_origin_name(machine->origin));
    g_key_file_set_uint64(file, GROUP, "Last", machine->last_number);
    g_key_file_set_int64(file, GROUP, "PendingSince", machine->pending_since_s);
    g_key_file_set_string(file, GROUP, "CurrentWish", machine->current_wish);
    g_key_file_set_string(file, GROUP, "PendingWish", machine->pending_wish);
    g_key_file_set_uint64(file, GROUP, "Alarmed", machine->alarmed);
    g_key_file_set_string(file, GROUP, "Retired", retired);
    g_key_file_set_uint64(file, GROUP, "Announced", machine->announced);
    g_key_file_set_uint64(file, GROUP, "Refused", (guint64)machine->is_refused);
    g_key_file_set_uint64(file, GROUP, "Restoring", machine->restoring);
    g_key_file_set_string(file, GROUP, "KeyName", machine->key_name);
    encode_watch(machine, file);
    char *text = g_key_file_to_data(file, &size, NULL);
    return g_bytes_new_take(text, size);
}

/* Reads keys one after the other; the first that is wrong is remembered. */
typedef struct {
    GKeyFile *file;
    const char *bad_key;
} Reader;

static gint64
read_time(Reader *reader, const char *key)
{
    g_autoptr(GError) local = NULL;
    gint64 value = g_key_file_get_int64(reader->file, GROUP, key, &local);

    if (local && !reader->bad_key)
        reader->bad_key = key;
    return value;
}

static guint32
read_number(Reader *reader, const char *key)
{
    g_autoptr(GError) local = NULL;
    guint64 value = g_key_file_get_uint64(reader->file, GROUP, key, &local);

    if ((local || value > G_MAXUINT32) && !reader->bad_key)
        reader->bad_key = key;
    return (guint32)value;
}

/* What earlier agents did not write is 0. */
static guint32
read_new_number(Reader *reader, const char *key)
{
    return g_key_file_has_key(reader->file, GROUP, key, NULL) ? read_number(reader, key) : 0;
}

static void
read_text(Reader *reader, const char *key, char *out, gsize size)
{
    g_autofree char *value = g_key_file_get_string(reader->file, GROUP, key, NULL);

    if ((!value || g_strlcpy(out, value, size) >= size) && !reader->bad_key)
        reader->bad_key = key;
}

static SignetMachineState
read_state(Reader *reader, const char *key)
{
    char name[32] = "";
    SignetMachineState state = SIGNET_MACHINE_ABSENT;

    read_text(reader, key, name, sizeof(name));
    if (!signet_machine_state_from_name(name, &state) && !reader->bad_key)
        reader->bad_key = key;
    return state;
}

/* Absent where nothing could be adopted yet. */
static SignetMachineOrigin
read_origin(Reader *reader, const char *key)
{
    char name[32] = "";
    SignetMachineOrigin origin = SIGNET_MACHINE_OURS;

    if (!g_key_file_has_key(reader->file, GROUP, key, NULL))
        return origin;
    read_text(reader, key, name, sizeof(name));
    if (!signet_machine_origin_from_name(name, &origin) && !reader->bad_key)
        reader->bad_key = key;
    return origin;
}

static gboolean
parse_retired(const char *text, SignetRetired *ret_retired)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 3);
    guint64 number, tries;
    gint64 retire_at_s;

    if (g_strv_length(parts) != 3 ||
        !g_ascii_string_to_unsigned(parts[0], 10, 1, G_MAXUINT32, &number, NULL) ||
        !g_ascii_string_to_signed(parts[1], 10, G_MININT64, G_MAXINT64, &retire_at_s, NULL) ||
        !g_ascii_string_to_unsigned(parts[2], 10, 0, G_MAXINT32, &tries, NULL))
        return FALSE;
    *ret_retired = (SignetRetired) {
        .number = (guint32)number, .tries = (guint)tries, .retire_at_s = retire_at_s};
    return TRUE;
}

static void
read_retired(Reader *reader, const char *key, SignetMachine *machine)
{
    g_autofree char *value = g_key_file_get_string(reader->file, GROUP, key, NULL);
    g_auto(GStrv) words = g_strsplit(value ? value : "", " ", -1);
    guint n = g_strv_length(words);
    gboolean is_good = value && n <= SIGNET_MACHINE_RETIRED_MAX;

    for (guint i = 0; is_good && i < n; i++)
        is_good = parse_retired(words[i], &machine->retired[i]);
    machine->n_retired = is_good ? n : 0;
    if (!is_good && !reader->bad_key)
        reader->bad_key = key;
}

/* Earlier agents looked at nothing. */
static void
read_watch(Reader *reader, SignetMachine *machine)
{
    SignetWatch *watch = &machine->watch;
    const char *bad_key;

    if (!g_key_file_has_key(reader->file, GROUP, "Watched", NULL))
        return;
    machine->revoked = read_number(reader, "Revoked");
    machine->revoked_key = read_number(reader, "RevokedKey");
    machine->current_key = read_number(reader, "CurrentKey");
    machine->pending_key = read_number(reader, "PendingKey");
    machine->leaving_s = read_time(reader, "Leaving");
    watch->number = read_number(reader, "Watched");
    watch->failures = read_number(reader, "LookFailures");
    watch->is_silent = read_new_number(reader, "Silent") != 0;
    watch->last_s = read_time(reader, "LastLook");
    watch->next_s = read_time(reader, "NextLook");
    watch->window_last_s = read_time(reader, "LastWindow");
    watch->window_next_s = read_time(reader, "NextWindow");
    bad_key = signet_findings_from_file(&watch->found, reader->file, GROUP_FINDINGS);
    if (bad_key && !reader->bad_key)
        reader->bad_key = bad_key;
}

static void
read_machine(Reader *reader, SignetMachine *machine)
{
    machine->state = read_state(reader, "State");
    machine->since_s = read_time(reader, "Since");
    machine->next_s = read_time(reader, "Next");
    machine->attempt = read_number(reader, "Attempt");
    read_text(reader, "Cause", machine->cause, sizeof(machine->cause));
    machine->pending = read_number(reader, "Pending");
    machine->resume = read_state(reader, "Resume");
    machine->origin = read_origin(reader, "Origin");
    machine->last_number = read_number(reader, "Last");
    machine->pending_since_s = read_time(reader, "PendingSince");
    read_text(reader, "CurrentWish", machine->current_wish, sizeof(machine->current_wish));
    read_text(reader, "PendingWish", machine->pending_wish, sizeof(machine->pending_wish));
    machine->alarmed = read_number(reader, "Alarmed");
    read_retired(reader, "Retired", machine);
    machine->announced = read_new_number(reader, "Announced");
    machine->is_refused = read_new_number(reader, "Refused") != 0;
    machine->restoring = read_new_number(reader, "Restoring");
    if (g_key_file_has_key(reader->file, GROUP, "KeyName", NULL))
        read_text(reader, "KeyName", machine->key_name, sizeof(machine->key_name));
    read_watch(reader, machine);
}

gboolean
signet_journal_decode(GBytes *text, SignetMachine *ret_machine, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) local = NULL;
    SignetMachine machine = signet_machine_new(0);
    Reader reader = {.file = file};

    if (!g_key_file_load_from_bytes(file, text, G_KEY_FILE_NONE, &local))
        return signet_error_set(error, SIGNET_ERROR_CORRUPT, "the journal is damaged: %s",
                                local->message);
    gint64 version = read_time(&reader, "Version");
    if (!reader.bad_key && version != VERSION)
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "the journal has version %" G_GINT64_FORMAT
                                " and this agent knows only version %d",
                                version, VERSION);
    read_machine(&reader, &machine);
    if (reader.bad_key)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the journal is damaged at %s=", reader.bad_key);
    *ret_machine = machine;
    return TRUE;
}
