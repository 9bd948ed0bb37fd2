/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Commands to an open TPM, kept going. */

#include "agent/token/tpm/context.h"

#include <openssl/crypto.h>
#include <string.h>

#include "agent/token/tpm/error.h"
#include "agent/token/tpm/explain.h"

#define MAX_ATTEMPTS 64

void
signet_tpm_copy_auth(const SignetSecret *auth, TPM2B_AUTH *ret_auth)
{
    gsize size;
    gconstpointer bytes = signet_secret_get(auth, &size);

    ret_auth->size = (UINT16)MIN(size, sizeof ret_auth->buffer);
    memcpy(ret_auth->buffer, bytes, ret_auth->size);
}

static TSS2_RC
load_key(SignetTpm *tpm, SignetTpmUse *use, ESYS_TR *ret_object)
{
    ESYS_TR parent;
    TSS2_RC rc = signet_tpm_parent(tpm, use->file->parent, &parent);
    TPM2B_AUTH auth = {0};

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    signet_tpm_make_room_for_one(tpm);
    rc = Esys_Load(tpm->esys, parent, signet_tpm_auth(tpm, 0), ESYS_TR_NONE, ESYS_TR_NONE,
                   &use->file->private, &use->file->public, ret_object);
    if (rc != TSS2_RC_SUCCESS)
        return rc;

    if (use->key->auth) {
        signet_tpm_copy_auth(use->key->auth, &auth);
        Esys_TR_SetAuth(tpm->esys, *ret_object, &auth);
        OPENSSL_cleanse(&auth, sizeof auth);
    }
    if (use->file->pcrs.selection.count > 0)
        g_hash_table_replace(tpm->bound, g_bytes_ref(use->key->blob),
                             g_memdup2(&use->file->pcrs, sizeof use->file->pcrs));
    signet_tpm_loaded_add(tpm->loaded, use->key->blob, *ret_object);
    return TSS2_RC_SUCCESS;
}

TSS2_RC
signet_tpm_use_key(SignetTpm *tpm, SignetTpmUse *use, ESYS_TR *ret_object)
{
    *ret_object = signet_tpm_loaded_find(tpm->loaded, use->key->blob);
    if (*ret_object != ESYS_TR_NONE)
        return TSS2_RC_SUCCESS;

    if (!use->file) {
        use->file = g_new0(SignetTpmKeyFile, 1);
        if (!signet_tpm_key_file_decode(use->key->blob, use->file, &use->error)) {
            g_prefix_error(&use->error, "token '%s': ", tpm->name);
            return TSS2_ESYS_RC_BAD_VALUE;
        }
    }
    return load_key(tpm, use, ret_object);
}

TSS2_RC
signet_tpm_begin_use(SignetTpm *tpm, SignetTpmUse *use, TPMA_SESSION flags, ESYS_TR *ret_session)
{
    TSS2_RC rc;

    use->session = ESYS_TR_NONE;
    use->pcrs =
        g_hash_table_size(tpm->bound) > 0 ? g_hash_table_lookup(tpm->bound, use->key->blob) : NULL;
    if (!use->pcrs) {
        *ret_session = signet_tpm_auth(tpm, flags);
        return TSS2_RC_SUCCESS;
    }
    rc = signet_tpm_pcr_session(tpm, use->pcrs, flags, &use->session);
    *ret_session = use->session;
    return rc;
}

TSS2_RC
signet_tpm_end_use(SignetTpm *tpm, SignetTpmUse *use, TSS2_RC rc)
{
    /* a command that was carried out has ended it */
    if (use->pcrs && rc != TSS2_RC_SUCCESS)
        signet_tpm_flush(tpm, &use->session);
    return rc;
}

void
signet_tpm_forget_key(SignetTpm *tpm, SignetKey *key)
{
    ESYS_TR object = signet_tpm_loaded_take(tpm->loaded, key->blob);

    if (tpm->esys)
        signet_tpm_flush(tpm, &object);
    g_hash_table_remove(tpm->bound, key->blob);
}

/* --- the loop --- */

typedef struct {
    guint attempts;
    guint pauses;
    guint reopens;
} Tries;

static gboolean
pause_again(Tries *tries)
{
    if (++tries->pauses > SIGNET_TPM_MAX_PAUSES)
        return FALSE;
    signet_tpm_pause(tries->pauses);
    return TRUE;
}

static gboolean
reopen(SignetTpm *tpm, Tries *tries, gboolean is_lost, GError **error)
{
    signet_tpm_close(tpm, is_lost);
    return ++tries->reopens <= SIGNET_TPM_MAX_REOPENS && signet_tpm_open(tpm, error);
}

/* TRUE: try again. FALSE with *error unset: the response code is the answer. */
static gboolean
repair(SignetTpm *tpm, TSS2_RC rc, Tries *tries, GError **error)
{
    if (++tries->attempts > MAX_ATTEMPTS)
        return FALSE;
    switch (signet_tpm_fate(rc)) {
    case SIGNET_TPM_FATE_OK:
    case SIGNET_TPM_FATE_FINAL:
        return FALSE;
    case SIGNET_TPM_FATE_MAKE_ROOM:
        /* Setting up again flushes what nobody remembers; then others have the room. */
        return signet_tpm_make_room(tpm) ||
               (tries->reopens == 0 && reopen(tpm, tries, FALSE, error)) ||
               (!*error && pause_again(tries));
    case SIGNET_TPM_FATE_AGAIN:
        return pause_again(tries);
    case SIGNET_TPM_FATE_REOPEN:
        return reopen(tpm, tries, FALSE, error);
    case SIGNET_TPM_FATE_LOST:
        return reopen(tpm, tries, TRUE, error);
    }
    return FALSE;
}

/* Whose key it is that this TPM does not load. */
static const char *
explain_strange_key(SignetTpm *tpm, const SignetTpmKeyFile *file)
{
    TPM2B_NAME parent_name = {0};
    ESYS_TR parent;

    if (!tpm->esys || file->parent_name.size == 0)
        return signet_tpm_explain_strange_key(file, NULL, NULL);
    if (signet_tpm_parent(tpm, file->parent, &parent) == TSS2_RC_SUCCESS)
        signet_tpm_name(tpm, parent, &parent_name);
    if (signet_tpm_identify(tpm) != TSS2_RC_SUCCESS)
        return signet_tpm_explain_strange_key(file, &parent_name, NULL);
    return signet_tpm_explain_strange_key(file, &parent_name, &tpm->identity);
}

static gboolean
is_about_pcrs(TSS2_RC plain)
{
    return plain == TPM2_RC_VALUE || plain == TPM2_RC_POLICY_FAIL || plain == TPM2_RC_PCR_CHANGED;
}

static void
set_boot_error(SignetTpm *tpm, const char *what, const SignetTpmPcrs *before, GError **error)
{
    SignetTpmPcrs now = *before;
    gboolean is_absent = FALSE;
    g_autofree char *changed = NULL;

    now.values.count = 0;
    signet_tpm_pcrs_read(tpm->esys, &now, &is_absent);
    changed = signet_tpm_pcrs_describe_change(before, &now);
    signet_error_set(error, SIGNET_ERROR_POLICY,
                     "token '%s' cannot %s: the machine's boot state differs from the one that the "
                     "key was made in: %s changed",
                     tpm->name, what, changed);
}

static void
set_error(SignetTpm *tpm, const char *what, const SignetTpmUse *use, TSS2_RC rc, GError **error)
{
    TSS2_RC plain = signet_tpm_plain_rc(rc);
    g_autofree char *lockout = NULL;

    if (plain == TPM2_RC_LOCKOUT && tpm->esys)
        lockout = signet_tpm_explain_lockout(tpm->esys);
    if (use && use->pcrs && tpm->esys && is_about_pcrs(plain))
        set_boot_error(tpm, what, use->pcrs, error);
    else if (lockout)
        signet_error_set(error, SIGNET_ERROR_BUSY, "token '%s' cannot %s: %s", tpm->name, what,
                         lockout);
    else if ((plain == TPM2_RC_INTEGRITY || plain == TPM2_RC_BINDING) && use && use->file)
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "token '%s' cannot %s: %s", tpm->name, what,
                         explain_strange_key(tpm, use->file));
    else
        signet_tpm_error_set(error, tpm->name, what, rc);
}

static gboolean
run(SignetTpm *tpm, const char *what, SignetTpmAttempt attempt, gpointer call, SignetTpmUse *use,
    GError **error)
{
    g_autoptr(GError) local = NULL;
    Tries tries = {0};
    TSS2_RC rc;

    do {
        rc = tpm->esys ? attempt(tpm, call) : TSS2_TCTI_RC_NO_CONNECTION;
        if (use && use->error) {
            g_propagate_error(error, g_steal_pointer(&use->error));
            return FALSE;
        }
    } while (rc != TSS2_RC_SUCCESS && repair(tpm, rc, &tries, &local));

    if (local)
        g_propagate_error(error, g_steal_pointer(&local));
    else if (rc != TSS2_RC_SUCCESS)
        set_error(tpm, what, use, rc, error);
    return rc == TSS2_RC_SUCCESS;
}

gboolean
signet_tpm_run(SignetTpm *tpm, const char *what, SignetTpmAttempt attempt, gpointer call,
               SignetTpmUse *use, GError **error)
{
    gboolean ok = run(tpm, what, attempt, call, use, error);

    if (use)
        g_clear_pointer(&use->file, g_free);
    return ok;
}
