/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* ESYS set up. */

#include "agent/token/tpm/connection.h"

#include <tss2/tss2_tctildr.h>

#include "agent/token/tpm/error.h"
#include "agent/token/tpm/explain.h"
#include "agent/token/tpm/public.h"

#define SRK_HANDLE 0x81000001u

/* TPM2_HR_TRANSIENT and TPM2_HR_HMAC_SESSION; tss2_tpm2_types.h makes the first by shifting into
 * the sign bit. */
#define TRANSIENT_FIRST      0x80000000u
#define LOADED_SESSION_FIRST 0x02000000u

#define MAX_FLUSHES      8
#define PAUSE_FIRST_US   5000
#define PAUSE_LONGEST_US 200000

static const TPMT_SYM_DEF SESSION_CIPHER = {
    .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB};

SignetTpm *
signet_tpm_new(const char *name, const char *tcti_conf, gboolean bus_encryption)
{
    SignetTpm *tpm = g_new0(SignetTpm, 1);

    tpm->name = g_strdup(name);
    tpm->tcti_conf = g_strdup(tcti_conf);
    tpm->bus_encryption = bus_encryption;
    tpm->owner_primary = tpm->endorsement_primary = ESYS_TR_NONE;
    tpm->srk = tpm->other = tpm->session = ESYS_TR_NONE;
    tpm->bound = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                       (GDestroyNotify)(void (*)(void))g_bytes_unref, g_free);
    tpm->loaded = signet_tpm_loaded_new();
    return tpm;
}

/* The first one short, since most of what TPMs wait for is over soon. */
void
signet_tpm_pause(guint nth)
{
    g_usleep(MIN((gulong)PAUSE_FIRST_US << MIN(nth, 10), PAUSE_LONGEST_US));
}

/* What has nothing to do with the object that is to go. */
static gboolean
is_passing(TSS2_RC rc)
{
    TSS2_RC plain = signet_tpm_plain_rc(rc);

    return signet_tpm_fate(rc) == SIGNET_TPM_FATE_AGAIN ||
           signet_tpm_fate(rc) == SIGNET_TPM_FATE_MAKE_ROOM || plain == TPM2_RC_SESSION_MEMORY ||
           plain == TPM2_RC_SESSION_HANDLES;
}

void
signet_tpm_flush(SignetTpm *tpm, ESYS_TR *object)
{
    TSS2_RC rc = TSS2_RC_SUCCESS;

    if (*object == ESYS_TR_NONE)
        return;
    for (guint i = 0; i < MAX_FLUSHES; i++) {
        rc = Esys_FlushContext(tpm->esys, *object);
        if (!is_passing(rc))
            break;
        signet_tpm_pause(i);
    }
    /* Best effort: after a reset it is gone anyway. ESYS forgets it only when the TPM did. */
    if (rc != TSS2_RC_SUCCESS)
        Esys_TR_Close(tpm->esys, object);
    *object = ESYS_TR_NONE;
}

void
signet_tpm_close(SignetTpm *tpm, gboolean is_lost)
{
    ESYS_TR object;

    if (tpm->esys && !is_lost) {
        while ((object = signet_tpm_loaded_take_oldest(tpm->loaded)) != ESYS_TR_NONE)
            signet_tpm_flush(tpm, &object);
        signet_tpm_flush(tpm, &tpm->session);
        signet_tpm_flush(tpm, &tpm->owner_primary);
        signet_tpm_flush(tpm, &tpm->endorsement_primary);
    }
    signet_tpm_loaded_clear(tpm->loaded);
    tpm->owner_primary = tpm->endorsement_primary = ESYS_TR_NONE;
    tpm->srk = tpm->other = tpm->session = ESYS_TR_NONE;
    tpm->is_identified = FALSE;
    tpm->identity.size = 0;
    if (tpm->esys)
        Esys_Finalize(&tpm->esys);
    if (tpm->tcti)
        Tss2_TctiLdr_Finalize(&tpm->tcti);
}

void
signet_tpm_free(SignetTpm *tpm)
{
    signet_tpm_close(tpm, FALSE);
    signet_tpm_loaded_free(tpm->loaded);
    g_hash_table_unref(tpm->bound);
    signet_tpm_facts_clear(&tpm->facts);
    g_free(tpm->tcti_conf);
    g_free(tpm->name);
    g_free(tpm);
}

/* --- opening --- */

static gboolean
connect_tpm(SignetTpm *tpm, GError **error)
{
    TSS2_RC rc = Tss2_TctiLdr_Initialize(tpm->tcti_conf, &tpm->tcti);

    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_Initialize(&tpm->esys, tpm->tcti, NULL);
    if (rc != TSS2_RC_SUCCESS) {
        g_autofree char *why = signet_tpm_explain_unreachable(tpm->tcti_conf);

        return signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT,
                                "token '%s' cannot reach the TPM at '%s': %s", tpm->name,
                                tpm->tcti_conf, why);
    }
    return TRUE;
}

/* What is wrong with the command's own arguments: an object that is not there, or not as it should
 * be. Everything else is about the TPM's state, and says nothing about the object. */
static gboolean
is_about_arguments(TSS2_RC rc)
{
    return signet_tpm_is_from_tpm(rc) && (rc & TPM2_RC_FMT1);
}

static TSS2_RC
flush_handle(SignetTpm *tpm, TPM2_HANDLE handle)
{
    ESYS_TR object = ESYS_TR_NONE;
    TSS2_RC rc =
        Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object);

    if (rc == TSS2_RC_SUCCESS)
        signet_tpm_flush(tpm, &object);
    return is_about_arguments(rc) ? TSS2_RC_SUCCESS : rc;
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
    for (guint i = 0; i < data->data.handles.count && rc == TSS2_RC_SUCCESS; i++)
        rc = flush_handle(tpm, data->data.handles.handle[i]);
    Esys_Free(data);
    return rc;
}

/* An empty auth value must open it: sealing one byte under it shows that. */
static TSS2_RC
try_parent(SignetTpm *tpm, ESYS_TR parent)
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
                       &template, &outside, &pcrs, NULL, NULL, NULL, NULL, NULL);
}

/* Nobody else's persistent handle is taken; the one that is meant for this is used where it is as
 * it should be. */
static TSS2_RC
find_srk(SignetTpm *tpm)
{
    ESYS_TR object = ESYS_TR_NONE;
    TPM2B_PUBLIC *public = NULL;
    gboolean fits = FALSE;
    TSS2_RC rc = Esys_TR_FromTPMPublic(tpm->esys, SRK_HANDLE, ESYS_TR_NONE, ESYS_TR_NONE,
                                       ESYS_TR_NONE, &object);

    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_ReadPublic(tpm->esys, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public,
                             NULL, NULL);
    if (rc == TSS2_RC_SUCCESS && signet_tpm_is_storage_key(&public->publicArea)) {
        rc = try_parent(tpm, object);
        fits = rc == TSS2_RC_SUCCESS;
    }
    Esys_Free(public);
    if (fits)
        tpm->srk = object;
    else if (object != ESYS_TR_NONE)
        Esys_TR_Close(tpm->esys, &object);
    return is_about_arguments(rc) ? TSS2_RC_SUCCESS : rc;
}

/* salted: nobody who listens on the bus learns what it is keyed with. */
static TSS2_RC
start_session(SignetTpm *tpm, TPM2_SE type, gboolean is_salted, ESYS_TR *ret_session)
{
    const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
    ESYS_TR parent = ESYS_TR_NONE;
    TSS2_RC rc = TSS2_RC_SUCCESS;

    if (is_salted)
        rc = signet_tpm_parent(tpm, signet_tpm_default_parent(tpm), &parent);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_StartAuthSession(tpm->esys, parent, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                   ESYS_TR_NONE, NULL, type, is_salted ? &SESSION_CIPHER : &none,
                                   TPM2_ALG_SHA256, ret_session);
    return rc;
}

TSS2_RC
signet_tpm_pcr_session(SignetTpm *tpm, const SignetTpmPcrs *pcrs, TPMA_SESSION flags,
                       ESYS_TR *ret_session)
{
    ESYS_TR session = ESYS_TR_NONE;
    TSS2_RC rc = start_session(tpm, TPM2_SE_POLICY, tpm->bus_encryption, &session);

    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_TRSess_SetAttributes(tpm->esys, session, tpm->bus_encryption ? flags : 0, 0xff);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_PolicyPCR(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                            &pcrs->digest, &pcrs->selection);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_PolicyAuthValue(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE);
    if (rc != TSS2_RC_SUCCESS)
        signet_tpm_flush(tpm, &session);
    *ret_session = session;
    return rc;
}

TSS2_RC
signet_tpm_second_session(SignetTpm *tpm, ESYS_TR *ret_session)
{
    TSS2_RC rc;

    *ret_session = ESYS_TR_PASSWORD;
    if (!tpm->bus_encryption)
        return TSS2_RC_SUCCESS;
    *ret_session = ESYS_TR_NONE;
    rc = start_session(tpm, TPM2_SE_HMAC, TRUE, ret_session);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_TRSess_SetAttributes(tpm->esys, *ret_session, 0, 0xff);
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
    if (rc == TSS2_RC_SUCCESS)
        rc = find_srk(tpm);
    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_parent(tpm, signet_tpm_default_parent(tpm), &parent);
    if (rc == TSS2_RC_SUCCESS && tpm->bus_encryption)
        rc = start_session(tpm, TPM2_SE_HMAC, TRUE, &tpm->session);
    return rc;
}

/* Whether setting up again, over a new connection, may help. */
static gboolean
is_worth_another_try(TSS2_RC rc, guint tries)
{
    switch (signet_tpm_fate(rc)) {
    case SIGNET_TPM_FATE_OK:
    case SIGNET_TPM_FATE_FINAL:
        return FALSE;
    case SIGNET_TPM_FATE_MAKE_ROOM: /* others have it, and may give it back */
    case SIGNET_TPM_FATE_AGAIN:
        return tries <= SIGNET_TPM_MAX_PAUSES;
    case SIGNET_TPM_FATE_REOPEN:
    case SIGNET_TPM_FATE_LOST:
        return tries <= SIGNET_TPM_MAX_REOPENS;
    }
    return FALSE;
}

gboolean
signet_tpm_open(SignetTpm *tpm, GError **error)
{
    TSS2_RC rc;
    guint tries = 0;

    do {
        if (tries > 0)
            signet_tpm_pause(tries);
        signet_tpm_close(tpm, TRUE);
        if (!connect_tpm(tpm, error)) {
            signet_tpm_close(tpm, TRUE);
            return FALSE;
        }
        rc = set_up(tpm);
    } while (is_worth_another_try(rc, ++tries));
    if (rc == TSS2_RC_SUCCESS)
        return TRUE;
    signet_tpm_error_set(error, tpm->name, "use the TPM", rc);
    signet_tpm_close(tpm, signet_tpm_fate(rc) == SIGNET_TPM_FATE_LOST);
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
make_primary(SignetTpm *tpm, ESYS_TR hierarchy, ESYS_TR *ret_primary)
{
    const TPM2B_SENSITIVE_CREATE sensitive = {0};
    const TPM2B_PUBLIC template = signet_tpm_primary_template();
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};

    return Esys_CreatePrimary(tpm->esys, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                              &sensitive, &template, &outside, &pcrs, ret_primary, NULL, NULL, NULL,
                              NULL);
}

static TSS2_RC
find_primary(SignetTpm *tpm, ESYS_TR hierarchy, ESYS_TR *primary, ESYS_TR *ret_parent)
{
    TSS2_RC rc = *primary == ESYS_TR_NONE ? make_primary(tpm, hierarchy, primary) : TSS2_RC_SUCCESS;

    *ret_parent = *primary;
    return rc;
}

static TSS2_RC
find_persistent(SignetTpm *tpm, TPM2_HANDLE handle, ESYS_TR *ret_parent)
{
    TSS2_RC rc = TSS2_RC_SUCCESS;

    if (tpm->other != ESYS_TR_NONE && tpm->other_handle != handle) {
        Esys_TR_Close(tpm->esys, &tpm->other);
        tpm->other = ESYS_TR_NONE;
    }
    if (tpm->other == ESYS_TR_NONE)
        rc = Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                   &tpm->other);
    tpm->other_handle = handle;
    *ret_parent = tpm->other;
    return is_about_arguments(rc) ? TPM2_RC_INTEGRITY : rc;
}

TSS2_RC
signet_tpm_parent(SignetTpm *tpm, TPM2_HANDLE handle, ESYS_TR *ret_parent)
{
    if (handle == SRK_HANDLE && tpm->srk != ESYS_TR_NONE) {
        *ret_parent = tpm->srk;
        return TSS2_RC_SUCCESS;
    }
    if (handle == TPM2_RH_OWNER)
        return find_primary(tpm, ESYS_TR_RH_OWNER, &tpm->owner_primary, ret_parent);
    if (handle == TPM2_RH_ENDORSEMENT)
        return find_primary(tpm, ESYS_TR_RH_ENDORSEMENT, &tpm->endorsement_primary, ret_parent);
    if (handle >> TPM2_HR_SHIFT == TPM2_HT_PERSISTENT)
        return find_persistent(tpm, handle, ret_parent);
    return TPM2_RC_INTEGRITY; /* its parent is gone: the TPM was cleared, or is another one */
}

gboolean
signet_tpm_make_room(SignetTpm *tpm)
{
    ESYS_TR oldest = signet_tpm_loaded_take_oldest(tpm->loaded);

    if (oldest == ESYS_TR_NONE)
        return FALSE;
    signet_tpm_flush(tpm, &oldest);
    return TRUE;
}

void
signet_tpm_make_room_for_one(SignetTpm *tpm)
{
    guint ours = signet_tpm_loaded_get_length(tpm->loaded) + (tpm->owner_primary != ESYS_TR_NONE) +
                 (tpm->endorsement_primary != ESYS_TR_NONE);

    if (ours >= tpm->facts.capacity)
        signet_tpm_make_room(tpm);
}

void
signet_tpm_drop_endorsement_primary(SignetTpm *tpm)
{
    signet_tpm_flush(tpm, &tpm->endorsement_primary);
}

TSS2_RC
signet_tpm_name(SignetTpm *tpm, ESYS_TR object, TPM2B_NAME *ret_name)
{
    TPM2B_NAME *name = NULL;
    TSS2_RC rc = Esys_TR_GetName(tpm->esys, object, &name);

    if (rc == TSS2_RC_SUCCESS)
        *ret_name = *name;
    Esys_Free(name);
    return rc;
}

TSS2_RC
signet_tpm_identify(SignetTpm *tpm)
{
    ESYS_TR primary = ESYS_TR_NONE;
    TSS2_RC rc;

    if (tpm->is_identified)
        return TSS2_RC_SUCCESS;
    signet_tpm_make_room_for_one(tpm);
    rc = make_primary(tpm, ESYS_TR_RH_ENDORSEMENT, &primary);
    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_name(tpm, primary, &tpm->identity);
    signet_tpm_flush(tpm, &primary);
    /* Its owner may have given the hierarchy a password, or switched it off. */
    if (signet_tpm_fate(rc) == SIGNET_TPM_FATE_FINAL)
        rc = TSS2_RC_SUCCESS;
    tpm->is_identified = rc == TSS2_RC_SUCCESS;
    return rc;
}
