/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Logging in. A file's or credential's PIN is in memory only while it is sent. */

#include "agent/token/pkcs11/login.h"

#include <string.h>

#include "agent/token/pkcs11/error.h"

struct SignetPkcs11Login {
    char *name;                   /* (owned) */
    SignetPkcs11PinSource source; /* its texts are owned */
    SignetPinAttempts *attempts;  /* (owned) */

    GMutex mutex;       /* guards what follows */
    SignetSecret *kept; /* (owned, nullable) given by a person, and accepted */
    guint8 kept_for[SIGNET_PIN_DEVICE_BYTES];
    gboolean is_locked; /* by a person */
};

/* One login on its way. */
typedef struct {
    SignetPkcs11Login *login;
    SignetPkcs11Session *session;
    const SignetTokenUnlock *unlock; /* (nullable) */
    CK_USER_TYPE user;
    CK_TOKEN_INFO token;
    SignetPinAttempt attempt;
    SignetSecret *pin; /* (owned, nullable) NULL: typed at the reader */
    char *what;        /* (owned, nullable) "the PIN in '/etc/signet/card.pin'" */
} Try;

static void
try_clear(Try *try)
{
    g_clear_pointer(&try->pin, signet_secret_unref);
    g_clear_pointer(&try->what, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Try, try_clear)

SignetPkcs11Login *
signet_pkcs11_login_new(const char *name, const SignetPkcs11PinSource *source,
                        SignetPinAttempts *attempts)
{
    SignetPkcs11Login *login = g_new0(SignetPkcs11Login, 1);

    login->name = g_strdup(name);
    login->source = (SignetPkcs11PinSource) {
        .file = g_strdup(source->file),
        .credential = g_strdup(source->credential),
        .credentials_dir = g_strdup(source->credentials_dir),
    };
    login->attempts =
        attempts ? signet_pin_attempts_ref(attempts) : signet_pin_attempts_new(NULL, NULL);
    g_mutex_init(&login->mutex);
    return login;
}

void
signet_pkcs11_login_free(SignetPkcs11Login *login)
{
    g_clear_pointer(&login->kept, signet_secret_unref);
    g_mutex_clear(&login->mutex);
    signet_pin_attempts_unref(login->attempts);
    g_free((char *)login->source.file);
    g_free((char *)login->source.credential);
    g_free((char *)login->source.credentials_dir);
    g_free(login->name);
    g_free(login);
}

void
signet_pkcs11_login_forget(SignetPkcs11Login *login)
{
    g_mutex_lock(&login->mutex);
    g_clear_pointer(&login->kept, signet_secret_unref);
    login->is_locked = TRUE;
    g_mutex_unlock(&login->mutex);
}

/* --- what is known of the token --- */

/* What a device says of itself; another one of the same name gets no PIN that was meant for this.
 */
static void
identify(const CK_TOKEN_INFO *token, guint8 *ret_device)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize size = SIGNET_PIN_DEVICE_BYTES;

    g_checksum_update(sum, token->label, sizeof token->label);
    g_checksum_update(sum, token->manufacturerID, sizeof token->manufacturerID);
    g_checksum_update(sum, token->model, sizeof token->model);
    g_checksum_update(sum, token->serialNumber, sizeof token->serialNumber);
    g_checksum_get_digest(sum, ret_device, &size);
}

static const char *
name_tries(const CK_TOKEN_INFO *token)
{
    if (token->flags & CKF_USER_PIN_LOCKED)
        return "none";
    if (token->flags & CKF_USER_PIN_FINAL_TRY)
        return "last";
    return token->flags & CKF_USER_PIN_COUNT_LOW ? "low" : "";
}

static gboolean
has_keypad(const Try *try)
{
    return (try->token.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
}

static void
describe_lock(const Try *try)
{
    SignetTokenLock *lock = &try->session->lock;

    if (signet_pkcs11_pin_is_configured(&try->login->source))
        lock->unlock_by = "configuration";
    else
        lock->unlock_by = has_keypad(try) ? "reader" : "pin";
    lock->tries = name_tries(&try->token);
}

/* "locked: …", refused to everybody. */
static gboolean
check_flags(const Try *try, GError **error)
{
    const char *name = try->login->name;
    CK_FLAGS flags = try->token.flags;

    if (flags & CKF_USER_PIN_LOCKED)
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                                "token '%s' is locked: its PIN was refused too often; set a new "
                                "one with the SO PIN or PUK",
                                name);
    if (!(flags & CKF_USER_PIN_INITIALIZED))
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                                "token '%s' is locked: it has no user PIN yet; set one", name);
    if ((flags & CKF_USER_PIN_FINAL_TRY) && !(try->unlock && try->unlock->last_try))
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                                "token '%s' is locked: only one try is left for its PIN, which the "
                                "agent does not spend by itself; if you are sure of the PIN, run "
                                "'signetctl unlock --last-try %s'",
                                name, name);
    return TRUE;
}

/* --- which PIN --- */

static void
take_kept(Try *try)
{
    SignetPkcs11Login *login = try->login;

    g_mutex_lock(&login->mutex);
    if (login->kept && memcmp(login->kept_for, try->attempt.device, sizeof login->kept_for) == 0)
        try->pin = signet_secret_ref(login->kept);
    g_mutex_unlock(&login->mutex);
    if (try->pin)
        try->what = g_strdup("the PIN that it was unlocked with");
}

static gboolean
take_configured(Try *try, GError **error)
{
    try->pin = signet_pkcs11_pin_read(&try->login->source, try->login->name, error);
    try->what = signet_pkcs11_pin_describe(&try->login->source);
    return try->pin != NULL;
}

static gboolean
take_from_person(Try *try, GError **error)
{
    if (try->unlock->pin) {
        try->pin = signet_secret_ref(try->unlock->pin);
        try->what = g_strdup("the PIN that was given");
        return TRUE;
    }
    if (signet_pkcs11_pin_is_configured(&try->login->source))
        return take_configured(try, error);
    if (has_keypad(try)) {
        try->what = g_strdup("the PIN that was typed at its reader");
        return TRUE;
    }
    return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                            "token '%s' is locked: no PIN was given", try->login->name);
}

static gboolean
take_pin(Try *try, GError **error)
{
    const char *name = try->login->name;

    if (try->unlock)
        return take_from_person(try, error);
    take_kept(try);
    if (try->pin)
        return TRUE;
    if (signet_pkcs11_pin_is_configured(&try->login->source))
        return take_configured(try, error);
    if (try->user == CKU_CONTEXT_SPECIFIC)
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                                "token '%s' wants the PIN for every use of this key, and the agent "
                                "does not know it; run 'signetctl unlock %s' with the PIN, or name "
                                "a PinFile=",
                                name, name);
    return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                            "token '%s' is locked: it wants its PIN%s; run 'signetctl unlock %s'",
                            name, has_keypad(try) ? ", typed at its reader" : "", name);
}

/* --- sending it --- */

static gboolean
explain_verdict(const Try *try, SignetPinVerdict verdict, GError **error)
{
    const char *name = try->login->name;
    const char *why = "";

    switch (verdict) {
    case SIGNET_PIN_WAS_REFUSED:
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                                "token '%s' is locked: it refused %s, which is not sent again; %s "
                                "'signetctl unlock %s'",
                                name, try->what,
                                try->unlock ? "give the right one, or add --again to"
                                            : "write the right one there, or run",
                                name);
    case SIGNET_PIN_OTHERS_REFUSED:
        why = "it refused two PINs in a row and may lock itself at the next";
        break;
    case SIGNET_PIN_INTERRUPTED:
        why = "it gave no answer to the PIN twice in a row, and may have counted it as a wrong one";
        break;
    case SIGNET_PIN_MAY_BE_SENT:
    case SIGNET_PIN_LOOK_AGAIN:
    case SIGNET_PIN_NOT_RECORDED:
        break;
    }
    return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                            "token '%s' is locked: %s; run 'signetctl unlock %s'", name, why, name);
}

/* Of what is not listed nobody knows whether the token counted the PIN as a wrong one. */
static const struct {
    CK_RV rv;
    SignetPinOutcome outcome;
} OUTCOMES[] = {
    {CKR_OK, SIGNET_PIN_ACCEPTED},
    {CKR_PIN_INCORRECT, SIGNET_PIN_REFUSED},
    {CKR_PIN_INVALID, SIGNET_PIN_REFUSED},
    {CKR_PIN_LEN_RANGE, SIGNET_PIN_REFUSED},
    {CKR_PIN_LOCKED, SIGNET_PIN_REFUSED},
    {CKR_PIN_EXPIRED, SIGNET_PIN_NOT_SENT},
    {CKR_USER_ALREADY_LOGGED_IN, SIGNET_PIN_NOT_SENT},
    {CKR_USER_ANOTHER_ALREADY_LOGGED_IN, SIGNET_PIN_NOT_SENT},
    {CKR_USER_TOO_MANY_TYPES, SIGNET_PIN_NOT_SENT},
    {CKR_USER_PIN_NOT_INITIALIZED, SIGNET_PIN_NOT_SENT},
    {CKR_FUNCTION_CANCELED, SIGNET_PIN_NOT_SENT},
    {CKR_ARGUMENTS_BAD, SIGNET_PIN_NOT_SENT},
    {CKR_TOKEN_NOT_PRESENT, SIGNET_PIN_NOT_SENT},
    {CKR_SESSION_CLOSED, SIGNET_PIN_NOT_SENT},
    {CKR_SESSION_HANDLE_INVALID, SIGNET_PIN_NOT_SENT},
    {CKR_CRYPTOKI_NOT_INITIALIZED, SIGNET_PIN_NOT_SENT},
};

static SignetPinOutcome
outcome_of(CK_RV rv)
{
    for (guint i = 0; i < G_N_ELEMENTS(OUTCOMES); i++) {
        if (OUTCOMES[i].rv == rv)
            return OUTCOMES[i].outcome;
    }
    return SIGNET_PIN_UNKNOWN;
}

/* A PIN that the token did not look at, being logged in, is not known to be the right one. */
static void
remember(Try *try, SignetPinOutcome outcome)
{
    SignetPkcs11Login *login = try->login;

    g_mutex_lock(&login->mutex);
    if (outcome == SIGNET_PIN_ACCEPTED && try->unlock && try->unlock->pin) {
        g_clear_pointer(&login->kept, signet_secret_unref);
        login->kept = signet_secret_ref(try->pin);
        memcpy(login->kept_for, try->attempt.device, sizeof login->kept_for);
    }
    if (outcome == SIGNET_PIN_REFUSED && login->kept == try->pin)
        g_clear_pointer(&login->kept, signet_secret_unref);
    g_mutex_unlock(&login->mutex);
}

static gboolean
explain_refusal(const Try *try, CK_RV rv, GError **error)
{
    const char *name = try->login->name;

    if (!try->pin)
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                                "token '%s' is locked: it refused %s (%s); run 'signetctl unlock "
                                "%s'",
                                name, try->what, p11_kit_strerror(rv), name);
    return signet_error_set(
        error, SIGNET_ERROR_PIN_NEEDED,
        "token '%s' is locked: it refused %s (%s), which is not sent again; %s "
        "'signetctl unlock %s'",
        name, try->what, p11_kit_strerror(rv),
        try->unlock ? "give the right one to" : "write the right one there, or run", name);
}

static gboolean
send_pin(Try *try, GError **error)
{
    SignetPkcs11Session *session = try->session;
    gsize size = 0;
    const void *bytes = try->pin ? signet_secret_get(try->pin, &size) : NULL;
    CK_RV rv =
        session->functions->C_Login(session->session, try->user, (CK_UTF8CHAR_PTR)bytes, size);
    SignetPinOutcome outcome = outcome_of(rv);

    signet_pin_attempts_end(try->login->attempts, &try->attempt, outcome);
    remember(try, outcome);
    if (rv == CKR_OK)
        session->lock.tries = ""; /* the right PIN gives them all back */
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        return TRUE;
    if (session->functions->C_GetTokenInfo(session->slot, &try->token) == CKR_OK)
        describe_lock(try);
    return outcome == SIGNET_PIN_REFUSED
               ? explain_refusal(try, rv, error)
               : signet_pkcs11_error_set(error, try->login->name, "log in", rv);
}

/* --- the whole --- */

static gboolean
is_logged_in(const SignetPkcs11Session *session)
{
    CK_SESSION_INFO info = {0};

    return session->functions->C_GetSessionInfo(session->session, &info) == CKR_OK &&
           (info.state == CKS_RW_USER_FUNCTIONS || info.state == CKS_RO_USER_FUNCTIONS);
}

static gboolean
is_locked(SignetPkcs11Login *login)
{
    gboolean locked;

    g_mutex_lock(&login->mutex);
    locked = login->is_locked;
    g_mutex_unlock(&login->mutex);
    return locked;
}

static void
lift_lock(SignetPkcs11Login *login)
{
    g_mutex_lock(&login->mutex);
    login->is_locked = FALSE;
    g_mutex_unlock(&login->mutex);
}

/* TRUE: done, or not needed; FALSE without error: another thread sent a PIN meanwhile. */
static gboolean
log_in_once(Try *try, GError **error)
{
    SignetPkcs11Login *login = try->login;
    SignetPkcs11Session *session = try->session;
    SignetPinVerdict verdict;
    CK_RV rv = session->functions->C_GetTokenInfo(session->slot, &try->token);

    if (rv != CKR_OK)
        return signet_pkcs11_error_set(error, login->name, "be opened", rv);
    if (!(try->token.flags & CKF_LOGIN_REQUIRED))
        return TRUE;
    describe_lock(try);
    if (!try->unlock && is_locked(login))
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                                "token '%s' is locked: 'signetctl lock' did so; run 'signetctl "
                                "unlock %s'",
                                login->name, login->name);
    /* Another token of this agent may be the same device. */
    if (try->user == CKU_USER && is_logged_in(session))
        return TRUE;
    identify(&try->token, try->attempt.device);
    if (!check_flags(try, error) || !take_pin(try, error))
        return FALSE;
    try->attempt.pin = try->pin;
    try->attempt.by_person = try->unlock != NULL;
    try->attempt.again = try->unlock && try->unlock->again;
    verdict = signet_pin_attempts_begin(login->attempts, &try->attempt, error);
    if (verdict == SIGNET_PIN_MAY_BE_SENT)
        return send_pin(try, error);
    if (verdict == SIGNET_PIN_NOT_RECORDED)
        g_prefix_error(
            error, "token '%s' is not logged in to: the attempt cannot be recorded: ", login->name);
    else if (verdict != SIGNET_PIN_LOOK_AGAIN)
        return explain_verdict(try, verdict, error);
    return FALSE;
}

static gboolean
log_in(SignetPkcs11Login *login, SignetPkcs11Session *session, CK_USER_TYPE user,
       const SignetTokenUnlock *unlock, GError **error)
{
    gboolean is_done = FALSE;
    g_autoptr(GError) local = NULL;

    session->lock = (SignetTokenLock) {.unlock_by = "", .tries = ""};
    while (!is_done && !local) {
        g_auto(Try) try = {.login = login, .session = session, .unlock = unlock, .user = user};

        is_done = log_in_once(&try, &local);
    }
    if (local)
        g_propagate_error(error, g_steal_pointer(&local));
    return is_done;
}

gboolean
signet_pkcs11_log_in(SignetPkcs11Login *login, SignetPkcs11Session *session,
                     const SignetTokenUnlock *unlock, GError **error)
{
    if (!log_in(login, session, CKU_USER, unlock, error))
        return FALSE;
    if (unlock)
        lift_lock(login);
    return TRUE;
}

gboolean
signet_pkcs11_login_for_operation(SignetPkcs11Login *login, SignetPkcs11Session *session,
                                  GError **error)
{
    return log_in(login, session, CKU_CONTEXT_SPECIFIC, NULL, error);
}
