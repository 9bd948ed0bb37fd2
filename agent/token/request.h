/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What travels between the main context and a token's threads: requests there, events back. Private
 * to agent/token. */

#pragma once

#include "agent/token/backend.h"
#include "agent/token/queue.h"

/* What travels back, in the order in which it happened. */
typedef enum {
    SIGNET_EVENT_DONE,  /* is the first member of a SignetRequest */
    SIGNET_EVENT_STATE, /* … of a SignetStateEvent */
} SignetEventKind;

typedef struct {
    SignetEventKind kind;
    GList link;
} SignetEvent;

typedef struct {
    SignetEvent event;
    SignetTokenState state;
    SignetTokenInfo info; /* READY, LOCKED (kind may be NULL: as before); interned */
    char *problem;        /* (owned, nullable) */
} SignetStateEvent;

/* info, problem: nullable, copied */
SignetStateEvent *
signet_state_event_new(SignetTokenState state, const SignetTokenInfo *info, const char *problem);
void signet_state_event_free(SignetStateEvent *event);

typedef enum {
    SIGNET_OP_SIGN,
    SIGNET_OP_DECRYPT,
    SIGNET_OP_DERIVE,
    SIGNET_OP_GENERATE,
    SIGNET_OP_ADOPT,
    SIGNET_OP_DESTROY,
    SIGNET_OP_PROBE,
    SIGNET_OP_LEARN,
    SIGNET_OP_CERTIFY,
    SIGNET_OP_ACTIVATE,
    SIGNET_OP_UNLOCK,
    SIGNET_OP_LOCK,
} SignetOp;

/* The caller may make it the first member of something larger that needs no clearing of its own. */
typedef struct {
    SignetEvent event;
    SignetQueueItem item;
    gboolean running;   /* the worker's: a thread has it */
    gboolean abandoned; /* the worker's: nobody wants the answer any more */

    SignetOp op;
    guint timeout_ms;
    SignetKey *key;         /* (owned, nullable) */
    SignetKeyScheme scheme; /* its label is owned */
    GBytes *data;           /* (owned, nullable) */
    SignetSecret *auth;     /* (owned, nullable) ADOPT */
    SignetKeyTemplate template;
    char key_name[33]; /* behind template.name */
    SignetLesson lesson;
    SignetTokenUnlock unlock;       /* its pin is owned */
    SignetKey *attester;            /* (owned, nullable) CERTIFY, ACTIVATE */
    SignetTokenChallenge challenge; /* ACTIVATE; its bytes are owned */

    /* the answer */
    gint64 duration_us;    /* that the backend worked on it */
    GBytes *result;        /* (owned, nullable) */
    SignetKey *result_key; /* (owned, nullable) */
    GError *error;         /* (owned, nullable) */
} SignetRequest;

/* request: zeros. scheme, key, data: nullable. */
void signet_request_init(SignetRequest *request, SignetOp op, SignetKey *key,
                         const SignetKeyScheme *scheme, GBytes *data);
/* With g_free(), the something larger too. */
void signet_request_free(SignetRequest *request);
SignetRequest *signet_request_of_item(SignetQueueItem *item);
/* Blocks; fills the answer. */
void signet_request_run(SignetRequest *request, const SignetTokenBackend *vtable, gpointer backend);
