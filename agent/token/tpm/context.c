/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* ESYS set up and kept alive. */

#include "agent/token/tpm/context.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include "agent/token/tpm/error.h"
#include "agent/token/tpm/public.h"

#define SRK_HANDLE 0x81000001u

/* TPM2_HR_TRANSIENT and TPM2_HR_HMAC_SESSION; tss2_tpm2_types.h makes the first by shifting into
 * the sign bit. */
#define TRANSIENT_FIRST      0x80000000u
#define LOADED_SESSION_FIRST 0x02000000u

#define MAX_ATTEMPTS 64
#define MAX_PAUSES   40
#define PAUSE_US     25000

static const TPMT_SYM_DEF SESSION_CIPHER = {
    .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB};

SignetTpm *
signet_tpm_new(const char *name, const char *tcti_conf, gboolean bus_encryption)
{
    SignetTpm *tpm = g_new0(SignetTpm, 1);

    tpm->name = g_strdup(name);
    tpm->tcti_conf = g_strdup(tcti_conf);
    tpm->bus_encryption = bus_encryption;
    tpm->owner_primary = tpm->srk = tpm->session = ESYS_TR_NONE;
    tpm->loaded = signet_tpm_loaded_new();
    return tpm;
}

static void
flush(SignetTpm *tpm, ESYS_TR *object)
{
    /* Best effort: after a reset it is gone anyway. ESYS forgets it only when the TPM did. */
    if (*object != ESYS_TR_NONE && Esys_FlushContext(tpm->esys, *object) != TSS2_RC_SUCCESS)
        Esys_TR_Close(tpm->esys, object);
    *object = ESYS_TR_NONE;
}

/* is_lost: nobody is there to flush for. */
static void
close_tpm(SignetTpm *tpm, gboolean is_lost)
{
    ESYS_TR object;

    if (tpm->esys && !is_lost) {
        while ((object = signet_tpm_loaded_take_oldest(tpm->loaded)) != ESYS_TR_NONE)
            flush(tpm, &object);
        flush(tpm, &tpm->session);
        flush(tpm, &tpm->owner_primary);
    }
    signet_tpm_loaded_clear(tpm->loaded);
    tpm->owner_primary = tpm->srk = tpm->session = ESYS_TR_NONE;
    if (tpm->esys)
        Esys_Finalize(&tpm->esys);
    if (tpm->tcti)
        Tss2_TctiLdr_Finalize(&tpm->tcti);
}

void
signet_tpm_free(SignetTpm *tpm)
{
    close_tpm(tpm, FALSE);
    signet_tpm_loaded_free(tpm->loaded);
    signet_tpm_facts_clear(&tpm->facts);
    g_free(tpm->tcti_conf);
    g_free(tpm->name);
    g_free(tpm);
}

/* --- opening --- */

/* tpm2-tss says only "IO failure"; the file behind the TCTI knows more. */
static char *
explain_unreachable(const char *conf)
{
    const char *path = NULL;
    g_autofree char *file = NULL;

    if (g_str_has_prefix(conf, "device:"))
        path = conf + strlen("device:");
    else if (strstr(conf, "path="))
        path = strstr(conf, "path=") + strlen("path=");
    if (!path)
        return g_strdup("nobody answers there");
    file = g_strndup(path, strcspn(path, ","));
    if (access(file, R_OK | W_OK) == 0)
        return g_strdup_printf("'%s' is there but does not answer, or is in use", file);
    return g_strdup_printf("'%s': %s", file, g_strerror(errno));
}

static gboolean
connect_tpm(SignetTpm *tpm, GError **error)
{
    TSS2_RC rc = Tss2_TctiLdr_Initialize(tpm->tcti_conf, &tpm->tcti);

    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_Initialize(&tpm->esys, tpm->tcti, NULL);
    if (rc != TSS2_RC_SUCCESS) {
        g_autofree char *why = explain_unreachable(tpm->tcti_conf);

        return signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT,
                                "token '%s' cannot reach the TPM at '%s': %s; check Tcti= of "
                                "[Token %s]",
                                tpm->name, tpm->tcti_conf, why, tpm->name);
    }
    return TRUE;
}

static void
flush_handle(SignetTpm *tpm, TPM2_HANDLE handle)
{
    ESYS_TR object = ESYS_TR_NONE;

    if (Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              &object) == TSS2_RC_SUCCESS)
        flush(tpm, &object);
}

/* Without a resource manager, what a killed agent had loaded is still there and takes the little
 * room. Behind one, the list shows only what is ours, that is nothing. */
static TSS2_RC
flush_leftovers(SignetTpm *tpm, TPM2_HANDLE first)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    TSS2_RC rc = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                    TPM2_CAP_HANDLES, first, TPM2_MAX_CAP_HANDLES, NULL, &data);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    for (guint i = 0; i < data->data.handles.count; i++)
        flush_handle(tpm, data->data.handles.handle[i]);
    Esys_Free(data);
    return TSS2_RC_SUCCESS;
}

/* An empty auth value must open it: sealing one byte under it shows that. */
static gboolean
is_usable_parent(SignetTpm *tpm, ESYS_TR parent)
{
    const TPM2B_SENSITIVE_CREATE sensitive = {.sensitive.data = {.size = 1}};
    const TPM2B_PUBLIC template = {
        .publicArea = {.type = TPM2_ALG_KEYEDHASH,
                       .nameAlg = TPM2_ALG_SHA256,
                       .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                           TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA,
                       .parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL}};
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};

    return Esys_Create(tpm->esys, parent, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                       &template, &outside, &pcrs, NULL, NULL, NULL, NULL, NULL) == TSS2_RC_SUCCESS;
}

/* Nobody else's persistent handle is taken; the one that is meant for this is used where it is as
 * it should be. */
static void
find_srk(SignetTpm *tpm)
{
    ESYS_TR object = ESYS_TR_NONE;
    TPM2B_PUBLIC *public = NULL;
    gboolean fits;

    if (Esys_TR_FromTPMPublic(tpm->esys, SRK_HANDLE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              &object) != TSS2_RC_SUCCESS)
        return;
    fits = Esys_ReadPublic(tpm->esys, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public,
                           NULL, NULL) == TSS2_RC_SUCCESS &&
           signet_tpm_is_storage_key(&public->publicArea) && is_usable_parent(tpm, object);
    Esys_Free(public);
    if (fits)
        tpm->srk = object;
    else
        Esys_TR_Close(tpm->esys, &object);
}

static TSS2_RC
start_session(SignetTpm *tpm)
{
    ESYS_TR parent;
    TSS2_RC rc;

    if (!tpm->bus_encryption)
        return TSS2_RC_SUCCESS;
    rc = signet_tpm_parent(tpm, signet_tpm_default_parent(tpm), &parent);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_StartAuthSession(tpm->esys, parent, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                   ESYS_TR_NONE, NULL, TPM2_SE_HMAC, &SESSION_CIPHER,
                                   TPM2_ALG_SHA256, &tpm->session);
    return rc;
}

static TSS2_RC
set_up(SignetTpm *tpm)
{
    TSS2_RC rc = signet_tpm_facts_read(tpm->esys, &tpm->facts);
    ESYS_TR parent;

    /* Usually the firmware did this; a TPM that was reset behind our back waits for it. */
    if (signet_tpm_plain_rc(rc) == TPM2_RC_INITIALIZE) {
        rc = Esys_Startup(tpm->esys, TPM2_SU_CLEAR);
        if (rc == TSS2_RC_SUCCESS || signet_tpm_plain_rc(rc) == TPM2_RC_INITIALIZE)
            rc = signet_tpm_facts_read(tpm->esys, &tpm->facts);
    }
    if (rc == TSS2_RC_SUCCESS)
        rc = flush_leftovers(tpm, TRANSIENT_FIRST);
    if (rc == TSS2_RC_SUCCESS)
        rc = flush_leftovers(tpm, LOADED_SESSION_FIRST);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    find_srk(tpm);
    rc = signet_tpm_parent(tpm, signet_tpm_default_parent(tpm), &parent);
    if (rc == TSS2_RC_SUCCESS)
        rc = start_session(tpm);
    return rc;
}

gboolean
signet_tpm_open(SignetTpm *tpm, GError **error)
{
    TSS2_RC rc;

    close_tpm(tpm, TRUE);
    if (!connect_tpm(tpm, error)) {
        close_tpm(tpm, TRUE);
        return FALSE;
    }
    for (guint pauses = 0;;) {
        rc = set_up(tpm);
        if (signet_tpm_fate(rc) != SIGNET_TPM_FATE_AGAIN || ++pauses > MAX_PAUSES)
            break;
        g_usleep(PAUSE_US);
    }
    if (rc == TSS2_RC_SUCCESS)
        return TRUE;
    signet_tpm_error_set(error, tpm->name, "use the TPM", rc);
    close_tpm(tpm, signet_tpm_fate(rc) == SIGNET_TPM_FATE_LOST);
    return FALSE;
}

/* --- for attempts --- */

ESYS_TR
signet_tpm_auth(SignetTpm *tpm, TPMA_SESSION flags)
{
    if (tpm->session == ESYS_TR_NONE)
        return ESYS_TR_PASSWORD;
    Esys_TRSess_SetAttributes(tpm->esys, tpm->session, flags | TPMA_SESSION_CONTINUESESSION, 0xff);
    return tpm->session;
}

TPM2_HANDLE
signet_tpm_default_parent(const SignetTpm *tpm)
{
    return tpm->srk != ESYS_TR_NONE ? SRK_HANDLE : TPM2_RH_OWNER;
}

static TSS2_RC
make_primary(SignetTpm *tpm)
{
    const TPM2B_SENSITIVE_CREATE sensitive = {0};
    const TPM2B_PUBLIC template = signet_tpm_primary_template();
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};

    return Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                              ESYS_TR_NONE, &sensitive, &template, &outside, &pcrs,
                              &tpm->owner_primary, NULL, NULL, NULL, NULL);
}

TSS2_RC
signet_tpm_parent(SignetTpm *tpm, TPM2_HANDLE handle, ESYS_TR *ret_parent)
{
    TSS2_RC rc = TSS2_RC_SUCCESS;

    if (handle == SRK_HANDLE && tpm->srk != ESYS_TR_NONE) {
        *ret_parent = tpm->srk;
        return TSS2_RC_SUCCESS;
    }
    if (handle != TPM2_RH_OWNER)
        return TPM2_RC_INTEGRITY; /* its parent is gone: the TPM was cleared, or is another one */
    if (tpm->owner_primary == ESYS_TR_NONE)
        rc = make_primary(tpm);
    *ret_parent = tpm->owner_primary;
    return rc;
}

static gboolean
make_room(SignetTpm *tpm)
{
    ESYS_TR oldest = signet_tpm_loaded_take_oldest(tpm->loaded);

    if (oldest == ESYS_TR_NONE)
        return FALSE;
    flush(tpm, &oldest);
    return TRUE;
}

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
    guint ours = signet_tpm_loaded_get_length(tpm->loaded) + (tpm->owner_primary != ESYS_TR_NONE);
    TPM2B_AUTH auth = {0};

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    if (ours >= tpm->facts.capacity)
        make_room(tpm);
    rc = Esys_Load(tpm->esys, parent, signet_tpm_auth(tpm, 0), ESYS_TR_NONE, ESYS_TR_NONE,
                   &use->file->private, &use->file->public, ret_object);
    if (rc != TSS2_RC_SUCCESS)
        return rc;

    if (use->key->auth) {
        signet_tpm_copy_auth(use->key->auth, &auth);
        Esys_TR_SetAuth(tpm->esys, *ret_object, &auth);
        OPENSSL_cleanse(&auth, sizeof auth);
    }
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

void
signet_tpm_forget_key(SignetTpm *tpm, SignetKey *key)
{
    ESYS_TR object = signet_tpm_loaded_take(tpm->loaded, key->blob);

    if (tpm->esys)
        flush(tpm, &object);
}

/* --- the loop --- */

typedef struct {
    guint attempts;
    guint pauses;
    gboolean reopened;
} Tries;

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
        return make_room(tpm);
    case SIGNET_TPM_FATE_AGAIN:
        if (++tries->pauses > MAX_PAUSES)
            return FALSE;
        g_usleep(PAUSE_US);
        return TRUE;
    case SIGNET_TPM_FATE_REOPEN:
        if (tries->reopened)
            return FALSE;
        tries->reopened = TRUE;
        close_tpm(tpm, FALSE);
        return signet_tpm_open(tpm, error);
    case SIGNET_TPM_FATE_LOST:
        close_tpm(tpm, TRUE);
        return FALSE;
    }
    return FALSE;
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
        signet_tpm_error_set(error, tpm->name, what, rc);
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
