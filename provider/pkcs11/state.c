/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Tables of sessions, identities and secrets. */

#include "provider/pkcs11/state.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "provider/channel/connection.h"

/* An identity that some handle may name. */
struct record {
    CK_ULONG serial;
    struct signet_identity *identity; /* (owned) */
};

/* A search that asked the agent, and that those after it may belong to. */
struct lead {
    CK_OBJECT_CLASS class;
    bool has_certificate; /* that was searched for, too */
    CK_ULONG newest;      /* record that was found */
    int64_t began_ms;
    int64_t last_ms; /* when there was a search of this class last */
};

struct secret_record {
    CK_OBJECT_HANDLE handle;
    CK_SESSION_HANDLE session;
    struct signet_secret *secret; /* (owned) */
};

static struct {
    bool is_started;
    pid_t pid;                      /* that called C_Initialize last */
    struct signet_channel *channel; /* (owned) */
    CK_ULONG next;                  /* serials of sessions, records and secrets; never used twice */

    struct signet_session *sessions[SIGNET_SESSIONS_MAX]; /* (owned) in order of handles */
    size_t session_count;
    struct record *records; /* (owned) SIGNET_IDENTITIES_MAX of them, in order of serials */
    size_t record_count;
    struct secret_record secrets[SIGNET_SECRETS_MAX]; /* in order of handles */
    size_t secret_count;

    struct lead lead; /* of the thread that searched last */
    CK_ULONG told;    /* leads that found nothing newer are void */
    struct signet_view view;
    unsigned waiting;       /* calls between signet_wait_begin() and _end() */
    bool is_stopping;       /* C_Finalize waits for them */
    pthread_cond_t changed; /* of the two above */
} state;

static __thread struct lead own __attribute__((tls_model("initial-exec"))); /* this thread's */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards state */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

/* Whoever waited has stayed in the parent. */
static void
after_fork_in_child(void)
{
    state.waiting = 0;
    state.is_stopping = false;
    signet_condition_init(&state.changed);
    pthread_mutex_unlock(&lock);
}

static void
register_fork_handlers(void)
{
    signet_condition_init(&state.changed);
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

void
signet_operation_clear(struct signet_operation *operation)
{
    signet_identity_unref(operation->identity);
    if (operation->data != NULL)
        explicit_bzero(operation->data, operation->size);
    free(operation->data);
    *operation = (struct signet_operation) {0};
}

void
signet_search_clear(struct signet_search *search)
{
    free(search->found);
    *search = (struct signet_search) {0};
}

static void
free_secret(struct signet_secret *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, sizeof(*secret));
    free(secret);
}

static void
remove_secret(size_t index)
{
    free_secret(state.secrets[index].secret);
    state.secret_count--;
    memmove(&state.secrets[index], &state.secrets[index + 1],
            (state.secret_count - index) * sizeof(state.secrets[0]));
}

static void
free_session(struct signet_session *session)
{
    signet_operation_clear(&session->sign);
    signet_operation_clear(&session->decrypt);
    signet_search_clear(&session->search);
    free(session);
}

static void
forget_record(size_t index)
{
    signet_identity_unref(state.records[index].identity);
    state.record_count--;
    memmove(&state.records[index], &state.records[index + 1],
            (state.record_count - index) * sizeof(state.records[0]));
}

static void
empty_tables(void)
{
    signet_session_close_all();
    while (state.record_count > 0)
        forget_record(state.record_count - 1);
    state.told = ++state.next;
    state.view.size = 0;
}

static struct signet_channel *
channel_from_settings(void)
{
    const char *environment = secure_getenv("SIGNET_SOCKET");
    struct signet_channel_settings settings = {
        .socket = environment != NULL && *environment != '\0' ? environment : SIGNET_SOCKET_PATH,
        .program = program_invocation_short_name,
    };
    return signet_channel_new(&settings);
}

/* Steals the channel when it is needed. */
static CK_RV
start(struct signet_channel **channel)
{
    if (state.is_started && state.pid == getpid())
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    if (state.is_started) {
        signet_session_close_all(); /* the channel knows by itself that it is in a child */
        int64_t now_ms = signet_channel_now_ms();
        own = (struct lead) {CKO_CERTIFICATE, true, state.next, now_ms, now_ms};
        state.view.size = 0;
        state.pid = getpid();
        return CKR_OK;
    }
    state.records = calloc(SIGNET_IDENTITIES_MAX, sizeof(state.records[0]));
    if (state.records == NULL || *channel == NULL) {
        free(state.records);
        return CKR_HOST_MEMORY;
    }
    state.channel = *channel;
    *channel = NULL;
    state.pid = getpid();
    state.is_started = true;
    return CKR_OK;
}

CK_RV
signet_state_start(void)
{
    /* First, so that its fork handlers are older than ours: a fork then takes our lock before the
     * channel's, as C_Finalize does. */
    struct signet_channel *channel = channel_from_settings();
    pthread_once(&once, register_fork_handlers);
    pthread_mutex_lock(&lock);
    CK_RV rv = start(&channel);
    pthread_mutex_unlock(&lock);
    signet_channel_free(channel);
    return rv;
}

CK_RV
signet_state_stop(void)
{
    CK_RV rv = signet_state_lock();
    if (rv != CKR_OK)
        return rv;
    state.is_stopping = true;
    if (state.waiting > 0)
        signet_channel_interrupt(state.channel);
    pthread_cond_broadcast(&state.changed);
    while (state.waiting > 0)
        pthread_cond_wait(&state.changed, &lock);
    state.is_stopping = false;
    empty_tables();
    free(state.records);
    state.records = NULL;
    signet_channel_free(state.channel);
    state.channel = NULL;
    state.is_started = false;
    signet_state_unlock();
    return CKR_OK;
}

CK_RV
signet_state_lock(void)
{
    pthread_mutex_lock(&lock);
    if (state.is_started && !state.is_stopping)
        return CKR_OK;
    pthread_mutex_unlock(&lock);
    return CKR_CRYPTOKI_NOT_INITIALIZED;
}

void
signet_state_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

CK_RV
signet_session_lock(CK_SESSION_HANDLE handle, struct signet_session **ret_session)
{
    CK_RV rv = signet_state_lock();
    if (rv != CKR_OK)
        return rv;
    for (size_t i = 0; i < state.session_count; i++) {
        if (state.sessions[i]->handle == handle) {
            *ret_session = state.sessions[i];
            return CKR_OK;
        }
    }
    signet_state_unlock();
    return CKR_SESSION_HANDLE_INVALID;
}

CK_RV
signet_wait_begin(struct signet_channel **ret_channel)
{
    CK_RV rv = signet_state_lock();
    if (rv != CKR_OK)
        return rv;
    state.waiting++;
    *ret_channel = state.channel;
    signet_state_unlock();
    return CKR_OK;
}

CK_RV
signet_wait_pause(unsigned duration_ms)
{
    int64_t until_ms = signet_channel_now_ms() + duration_ms;
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    pthread_mutex_lock(&lock);
    while (!state.is_stopping && signet_channel_now_ms() < until_ms)
        pthread_cond_timedwait(&state.changed, &lock, &until);
    CK_RV rv = state.is_stopping ? CKR_CRYPTOKI_NOT_INITIALIZED : CKR_OK;
    pthread_mutex_unlock(&lock);
    return rv;
}

CK_RV
signet_wait_end(void)
{
    pthread_mutex_lock(&lock);
    CK_RV rv = state.is_stopping ? CKR_CRYPTOKI_NOT_INITIALIZED : CKR_OK;
    state.waiting--;
    pthread_cond_broadcast(&state.changed);
    pthread_mutex_unlock(&lock);
    return rv;
}

struct signet_channel *
signet_state_channel(void)
{
    if (signet_state_lock() != CKR_OK)
        return NULL;
    struct signet_channel *channel = state.channel;
    signet_state_unlock();
    return channel;
}

CK_RV
signet_session_open(CK_FLAGS flags, CK_SESSION_HANDLE *ret_handle)
{
    if (state.session_count == SIGNET_SESSIONS_MAX)
        return CKR_SESSION_COUNT;
    struct signet_session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return CKR_HOST_MEMORY;
    session->handle = ++state.next;
    session->flags = flags;
    state.sessions[state.session_count++] = session;
    *ret_handle = session->handle;
    return CKR_OK;
}

void
signet_session_close(struct signet_session *session)
{
    for (size_t i = state.secret_count; i > 0; i--)
        if (state.secrets[i - 1].session == session->handle)
            remove_secret(i - 1);
    size_t index = 0;
    while (state.sessions[index] != session)
        index++;
    free_session(session);
    state.session_count--;
    memmove(&state.sessions[index], &state.sessions[index + 1],
            (state.session_count - index) * sizeof(state.sessions[0]));
}

void
signet_session_close_all(void)
{
    while (state.session_count > 0)
        signet_session_close(state.sessions[state.session_count - 1]);
}

CK_ULONG
signet_session_count(void)
{
    return state.session_count;
}

/* Keeps the newest generations of this name, and room for one more record. */
static void
forget_old(const char *name)
{
    size_t of_name = 0;
    for (size_t i = state.record_count; i > 0; i--)
        if (strcmp(state.records[i - 1].identity->name, name) == 0 &&
            ++of_name >= SIGNET_GENERATIONS_MAX)
            forget_record(i - 1);
    if (state.record_count == SIGNET_IDENTITIES_MAX)
        forget_record(0);
}

CK_ULONG
signet_search_begin(CK_OBJECT_CLASS class)
{
    int64_t now_ms = signet_channel_now_ms(), since_ms = now_ms - SIGNET_RECENT_MS;
    if (class == CKO_DATA)
        return 0;
    if (own.last_ms <= since_ms || own.newest < state.told)
        own = state.lead;
    bool is_same = own.class == class;
    bool is_recent = (is_same ? own.began_ms : own.last_ms) > since_ms;
    if (own.newest < state.told || !is_recent || (is_same && !own.has_certificate))
        own = (struct lead) {.class = class, .began_ms = now_ms};
    own.has_certificate |= class == CKO_CERTIFICATE;
    if (own.class == class)
        own.last_ms = now_ms;
    state.lead = own;
    return own.newest;
}

/* The newest of that name, up to this one. But another whose certificate has these attributes, if
 * its own has not: that is searched for by what is in it. */
static struct record *
find_record(const char *name, CK_ULONG newest, const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct record *up_to = NULL, *named = NULL;
    for (size_t i = state.record_count; i > 0; i--) {
        struct record *record = &state.records[i - 1];
        struct signet_object leaf = {.identity = record->identity, .part = SIGNET_PART_CERTIFICATE};
        if (strcmp(record->identity->name, name) != 0)
            continue;
        if (up_to == NULL && record->serial <= newest)
            up_to = record;
        if ((named == NULL || record == up_to) && signet_object_matches(&leaf, attributes, count))
            named = record;
    }
    return up_to == NULL || named == NULL ? up_to : named;
}

CK_ULONG
signet_state_remember(struct signet_identity *identity)
{
    struct record *record = find_record(identity->name, state.next, NULL, 0);
    if (record == NULL || !signet_identity_equal(record->identity, identity)) {
        forget_old(identity->name);
        record = &state.records[state.record_count++];
        *record = (struct record) {++state.next, signet_identity_ref(identity)};
    }
    if (own.began_ms != 0 && own.newest < record->serial)
        own.newest = record->serial;
    state.lead = own;
    return record->serial;
}

struct signet_identity *
signet_state_recall(const char *name, CK_ULONG as_of, const CK_ATTRIBUTE *attributes,
                    CK_ULONG count, CK_OBJECT_HANDLE *ret_base)
{
    struct record *record = find_record(name, as_of, attributes, count);
    if (record == NULL)
        return NULL;
    if (record != find_record(name, as_of, NULL, 0)) {
        own.newest = record->serial; /* its key belongs to it */
        own.began_ms = 0;            /* the next certificate does not */
        state.lead = own;
    }
    *ret_base = record->serial << SIGNET_PART_BITS;
    return signet_identity_ref(record->identity);
}

bool
signet_state_find(CK_OBJECT_HANDLE handle, struct signet_object *ret_object)
{
    unsigned part = handle & ((1u << SIGNET_PART_BITS) - 1);
    *ret_object = (struct signet_object) {.part = part};
    for (size_t i = 0; part == SIGNET_PART_SECRET && i < state.secret_count; i++) {
        if (state.secrets[i].handle == handle) {
            ret_object->secret = malloc(sizeof(struct signet_secret));
            if (ret_object->secret != NULL)
                *ret_object->secret = *state.secrets[i].secret;
            return ret_object->secret != NULL;
        }
    }
    for (size_t i = 0; part != SIGNET_PART_SECRET && i < state.record_count; i++) {
        const struct record *record = &state.records[i];
        if (record->serial == handle >> SIGNET_PART_BITS &&
            part < SIGNET_PART_CERTIFICATE + record->identity->certificate_count) {
            ret_object->identity = signet_identity_ref(record->identity);
            return true;
        }
    }
    return false;
}

void
signet_object_release(struct signet_object *object)
{
    signet_identity_unref(object->identity);
    free_secret(object->secret);
    *object = (struct signet_object) {0};
}

CK_RV
signet_secret_add(CK_SESSION_HANDLE handle, struct signet_secret *secret,
                  CK_OBJECT_HANDLE *ret_handle)
{
    struct signet_session *session;
    CK_RV rv = signet_session_lock(handle, &session);
    bool is_locked = rv == CKR_OK;
    if (is_locked && state.secret_count == SIGNET_SECRETS_MAX)
        rv = CKR_DEVICE_MEMORY;
    if (rv == CKR_OK) {
        *ret_handle = ++state.next << SIGNET_PART_BITS | SIGNET_PART_SECRET;
        state.secrets[state.secret_count++] = (struct secret_record) {*ret_handle, handle, secret};
    } else {
        free_secret(secret);
    }
    if (is_locked)
        signet_state_unlock();
    return rv;
}

CK_RV
signet_secret_destroy(CK_OBJECT_HANDLE handle)
{
    struct signet_object object;
    for (size_t i = 0; i < state.secret_count; i++) {
        if (state.secrets[i].handle == handle) {
            remove_secret(i);
            return CKR_OK;
        }
    }
    if (!signet_state_find(handle, &object))
        return CKR_OBJECT_HANDLE_INVALID;
    signet_object_release(&object);
    return CKR_ACTION_PROHIBITED;
}

CK_OBJECT_HANDLE
signet_secret_next(CK_OBJECT_HANDLE after)
{
    for (size_t i = 0; i < state.secret_count; i++)
        if (state.secrets[i].handle > after)
            return state.secrets[i].handle;
    return 0;
}

struct signet_view
signet_state_view(void)
{
    return state.view;
}

bool
signet_state_has_changed(const struct signet_view *view)
{
    bool is_same =
        state.view.size == view->size && memcmp(state.view.data, view->data, view->size) == 0;
    bool has_changed = state.view.size > 0 && !is_same;
    state.view = *view;
    if (has_changed)
        state.told = ++state.next;
    return has_changed;
}
