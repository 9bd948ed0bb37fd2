/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What became of the PINs that were sent to devices. The record is text: "pins 1 SALT", then a line
 * "DEVICE UNFINISHED REFUSED…" for each device; bytes as hexadecimal digits. */

#include "agent/token/attempts.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define MAC_BYTES      SIGNET_PIN_MAC_BYTES
#define SALT_BYTES     16
#define ROUNDS         20000 /* some milliseconds; slow for who has copied the record */
#define REFUSED_MAX    8     /* more than any device grants tries */
#define REFUSED_ALONE  2     /* in a row, by the agent without a person: most devices grant three */
#define UNFINISHED_MAX 2
#define DEVICES_MAX    64
#define UNFINISHED_BIG 100 /* a plausible number in a record */
#define HEADER         "pins 1"
#define WORDS_MAX      (2 + REFUSED_MAX)

typedef struct {
    guint8 id[SIGNET_PIN_DEVICE_BYTES];
    guint unfinished; /* attempts that began and of which nobody knows how they ended */
    guint8 refused[REFUSED_MAX][MAC_BYTES]; /* oldest first */
    guint n_refused;
    guint8 good[MAC_BYTES]; /* quick hash of the one accepted last; never on disk */
    gboolean has_good;
    gboolean is_sending;
} Device;

struct SignetPinAttempts {
    gatomicrefcount references;
    SignetPinRecord record; /* without functions: none */
    SignetSecret *key;      /* (owned) of quick hashes: of this process */
    guint8 salt[SALT_BYTES];

    GMutex mutex; /* guards what follows, and the record */
    GCond sent;   /* a device's is_sending has ended */
    gboolean is_closed;
    GPtrArray *devices; /* (owned) of Device, longest known first */
};

/* --- text --- */

static void
append_hex(GString *text, const guint8 *bytes, gsize size)
{
    for (gsize i = 0; i < size; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
}

static gboolean
read_hex(const char *word, guint8 *bytes, gsize size)
{
    if (strlen(word) != 2 * size)
        return FALSE;
    for (gsize i = 0; i < size; i++) {
        int high = g_ascii_xdigit_value(word[2 * i]), low = g_ascii_xdigit_value(word[2 * i + 1]);

        if (high < 0 || low < 0)
            return FALSE;
        bytes[i] = (guint8)(high << 4 | low);
    }
    return TRUE;
}

static gboolean
is_worth_keeping(const Device *device)
{
    return device->unfinished > 0 || device->n_refused > 0;
}

static GBytes *
to_text(const SignetPinAttempts *attempts)
{
    GString *text = g_string_new(HEADER " ");

    append_hex(text, attempts->salt, SALT_BYTES);
    g_string_append_c(text, '\n');
    for (guint i = 0; i < attempts->devices->len; i++) {
        const Device *device = g_ptr_array_index(attempts->devices, i);

        if (!is_worth_keeping(device))
            continue;
        append_hex(text, device->id, sizeof device->id);
        g_string_append_printf(text, " %u", device->unfinished);
        for (guint j = 0; j < device->n_refused; j++) {
            g_string_append_c(text, ' ');
            append_hex(text, device->refused[j], MAC_BYTES);
        }
        g_string_append_c(text, '\n');
    }
    return g_string_free_to_bytes(text);
}

static gboolean
read_device(SignetPinAttempts *attempts, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", WORDS_MAX + 1);
    guint n = g_strv_length(words);
    g_autofree Device *device = g_new0(Device, 1);
    guint64 unfinished;

    if (n < 2 || n > WORDS_MAX || !read_hex(words[0], device->id, sizeof device->id) ||
        !g_ascii_string_to_unsigned(words[1], 10, 0, UNFINISHED_BIG, &unfinished, NULL))
        return FALSE;
    device->unfinished = (guint)unfinished;
    for (guint i = 2; i < n; i++) {
        if (!read_hex(words[i], device->refused[device->n_refused++], MAC_BYTES))
            return FALSE;
    }
    g_ptr_array_add(attempts->devices, g_steal_pointer(&device));
    return TRUE;
}

static gboolean
read_text(SignetPinAttempts *attempts, GBytes *content)
{
    g_autofree char *text = g_strndup(g_bytes_get_data(content, NULL), g_bytes_get_size(content));
    g_auto(GStrv) lines = g_strsplit(text, "\n", DEVICES_MAX + 2);

    if (!g_str_has_prefix(text, HEADER " ") ||
        !read_hex(lines[0] + strlen(HEADER " "), attempts->salt, SALT_BYTES))
        return FALSE;
    for (char **line = lines + 1; *line; line++) {
        if (**line && !read_device(attempts, *line))
            return FALSE;
    }
    return TRUE;
}

/* --- life --- */

static gboolean
load(SignetPinAttempts *attempts, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GBytes) content = NULL;
    g_autoptr(SignetSecret) salt = signet_secret_new_random(SALT_BYTES);

    if (attempts->record.load)
        content = attempts->record.load(attempts->record.data, &local);
    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (!content)
        memcpy(attempts->salt, signet_secret_get(salt, NULL), SALT_BYTES);
    return !content || read_text(attempts, content) ||
           signet_error_set(error, SIGNET_ERROR_CORRUPT,
                            "the record of refused PINs is damaged; remove it when no PIN in the "
                            "configuration is wrong");
}

SignetPinAttempts *
signet_pin_attempts_new(const SignetPinRecord *record, GError **error)
{
    g_autoptr(SignetPinAttempts) attempts = g_new0(SignetPinAttempts, 1);

    g_atomic_ref_count_init(&attempts->references);
    if (record)
        attempts->record = *record;
    attempts->key = signet_secret_new_random(MAC_BYTES);
    g_mutex_init(&attempts->mutex);
    g_cond_init(&attempts->sent);
    attempts->devices = g_ptr_array_new_with_free_func(g_free);
    return load(attempts, error) ? g_steal_pointer(&attempts) : NULL;
}

SignetPinAttempts *
signet_pin_attempts_ref(SignetPinAttempts *attempts)
{
    g_atomic_ref_count_inc(&attempts->references);
    return attempts;
}

void
signet_pin_attempts_unref(SignetPinAttempts *attempts)
{
    if (!attempts || !g_atomic_ref_count_dec(&attempts->references))
        return;
    g_ptr_array_unref(attempts->devices);
    signet_secret_unref(attempts->key);
    g_cond_clear(&attempts->sent);
    g_mutex_clear(&attempts->mutex);
    g_free(attempts);
}

void
signet_pin_attempts_close(SignetPinAttempts *attempts)
{
    g_mutex_lock(&attempts->mutex);
    attempts->is_closed = TRUE;
    g_mutex_unlock(&attempts->mutex);
}

/* --- devices --- */

static void
make_room(SignetPinAttempts *attempts)
{
    for (guint i = 0; attempts->devices->len >= DEVICES_MAX && i < attempts->devices->len; i++) {
        const Device *device = g_ptr_array_index(attempts->devices, i);

        if (!device->is_sending)
            g_ptr_array_remove_index(attempts->devices, i--);
    }
}

static Device *
get_device(SignetPinAttempts *attempts, const guint8 *id)
{
    Device *device;

    for (guint i = 0; i < attempts->devices->len; i++) {
        device = g_ptr_array_index(attempts->devices, i);
        if (memcmp(device->id, id, sizeof device->id) == 0)
            return device;
    }
    make_room(attempts);
    device = g_new0(Device, 1);
    memcpy(device->id, id, sizeof device->id);
    g_ptr_array_add(attempts->devices, device);
    return device;
}

/* For the record: slow. */
static void
hash_slowly(const SignetPinAttempts *attempts, SignetPinAttempt *attempt)
{
    guint8 salt[SALT_BYTES + SIGNET_PIN_DEVICE_BYTES];
    gsize size;
    const char *pin = signet_secret_get(attempt->pin, &size);

    memcpy(salt, attempts->salt, SALT_BYTES);
    memcpy(salt + SALT_BYTES, attempt->device, SIGNET_PIN_DEVICE_BYTES);
    PKCS5_PBKDF2_HMAC(pin, (int)size, salt, sizeof salt, ROUNDS, EVP_sha256(), MAC_BYTES,
                      attempt->mac);
}

/* For PINs that are sent again and again, being right. */
static void
hash_quickly(const SignetPinAttempts *attempts, SignetPinAttempt *attempt)
{
    gsize size, key_size;
    const void *key = signet_secret_get(attempts->key, &key_size);
    const void *pin = signet_secret_get(attempt->pin, &size);

    HMAC(EVP_sha256(), key, (int)key_size, pin, size, attempt->quick_mac, NULL);
}

static gboolean
was_refused(const Device *device, const guint8 *mac)
{
    for (guint i = 0; i < device->n_refused; i++) {
        if (memcmp(device->refused[i], mac, MAC_BYTES) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
add_refused(Device *device, const guint8 *mac)
{
    if (was_refused(device, mac))
        return;
    if (device->n_refused == REFUSED_MAX)
        memmove(device->refused[0], device->refused[1], (gsize)MAC_BYTES * --device->n_refused);
    memcpy(device->refused[device->n_refused++], mac, MAC_BYTES);
}

static gboolean
save(SignetPinAttempts *attempts, GError **error)
{
    g_autoptr(GBytes) text = NULL;

    if (attempts->is_closed)
        return signet_error_set(error, SIGNET_ERROR_BUSY, "the agent is stopping");
    if (!attempts->record.save)
        return TRUE;
    text = to_text(attempts);
    return attempts->record.save(text, attempts->record.data, error);
}

/* --- attempts --- */

static SignetPinVerdict
judge(const Device *device, const SignetPinAttempt *attempt)
{
    if (attempt->pin && !attempt->again && was_refused(device, attempt->mac))
        return SIGNET_PIN_WAS_REFUSED;
    if (attempt->by_person)
        return SIGNET_PIN_MAY_BE_SENT;
    if (device->n_refused >= REFUSED_ALONE)
        return SIGNET_PIN_OTHERS_REFUSED;
    return device->unfinished >= UNFINISHED_MAX ? SIGNET_PIN_INTERRUPTED : SIGNET_PIN_MAY_BE_SENT;
}

static gboolean
is_good(const Device *device, const SignetPinAttempt *attempt)
{
    return attempt->pin && device->has_good &&
           memcmp(device->good, attempt->quick_mac, MAC_BYTES) == 0;
}

/* Written down first: whatever ends this process must not make the next one begin from nothing. A
 * PIN that this process has seen accepted needs no such care. */
static SignetPinVerdict
begin_locked(SignetPinAttempts *attempts, SignetPinAttempt *attempt, GError **error)
{
    Device *device = get_device(attempts, attempt->device);
    SignetPinVerdict verdict;

    if (device->is_sending) {
        g_cond_wait(&attempts->sent, &attempts->mutex);
        return SIGNET_PIN_LOOK_AGAIN;
    }
    attempt->is_counted = !is_good(device, attempt);
    if (attempt->is_counted) {
        if (attempt->pin)
            hash_slowly(attempts, attempt);
        verdict = judge(device, attempt);
        if (verdict != SIGNET_PIN_MAY_BE_SENT)
            return verdict;
        device->unfinished++;
        if (!save(attempts, error)) {
            device->unfinished--;
            return SIGNET_PIN_NOT_RECORDED;
        }
    }
    device->is_sending = TRUE;
    return SIGNET_PIN_MAY_BE_SENT;
}

SignetPinVerdict
signet_pin_attempts_begin(SignetPinAttempts *attempts, SignetPinAttempt *attempt, GError **error)
{
    SignetPinVerdict verdict;

    if (attempt->pin)
        hash_quickly(attempts, attempt);
    g_mutex_lock(&attempts->mutex);
    verdict = begin_locked(attempts, attempt, error);
    g_mutex_unlock(&attempts->mutex);
    return verdict;
}

static void
note_refused(const SignetPinAttempts *attempts, Device *device, SignetPinAttempt *attempt)
{
    device->unfinished = 0;
    device->has_good = FALSE;
    if (attempt->pin && !attempt->is_counted) /* it was good until now */
        hash_slowly(attempts, attempt);
    if (attempt->pin)
        add_refused(device, attempt->mac);
}

static void
note(SignetPinAttempts *attempts, SignetPinAttempt *attempt, SignetPinOutcome outcome)
{
    Device *device = get_device(attempts, attempt->device);

    device->is_sending = FALSE;
    switch (outcome) {
    case SIGNET_PIN_ACCEPTED:
        device->unfinished = 0;
        device->n_refused = 0;
        device->has_good = attempt->pin != NULL;
        memcpy(device->good, attempt->quick_mac, MAC_BYTES);
        break;
    case SIGNET_PIN_REFUSED:
        note_refused(attempts, device, attempt);
        break;
    case SIGNET_PIN_UNKNOWN:
        break;
    case SIGNET_PIN_NOT_SENT:
        device->unfinished -= attempt->is_counted;
        break;
    }
}

void
signet_pin_attempts_end(SignetPinAttempts *attempts, SignetPinAttempt *attempt,
                        SignetPinOutcome outcome)
{
    g_mutex_lock(&attempts->mutex);
    note(attempts, attempt, outcome);
    /* An error here leaves the count of begin on disk, which errs on the safe side. */
    if (outcome != SIGNET_PIN_UNKNOWN && (attempt->is_counted || outcome == SIGNET_PIN_REFUSED))
        (void)save(attempts, NULL);
    g_cond_broadcast(&attempts->sent);
    g_mutex_unlock(&attempts->mutex);
}
