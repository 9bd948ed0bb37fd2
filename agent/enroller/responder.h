/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Answers challenge http-01 (RFC 8555 8.3): a web server that knows nothing but the answers. Its
 * socket is opened before the sandbox closes; a thread of its own serves it. */

#pragma once

#include <glib.h>

typedef struct SignetResponder SignetResponder;

/* Listens on all addresses. BUSY or FAILED with words. */
SignetResponder *signet_responder_new(guint16 port, GError **error);
/* Begins to answer; before that connections wait. */
gboolean signet_responder_start(SignetResponder *responder, GError **error);
/* Waits for its thread. */
void signet_responder_free(SignetResponder *responder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetResponder, signet_responder_free)

/* From now on /.well-known/acme-challenge/TOKEN is answered so. Any thread. */
void signet_responder_add(SignetResponder *responder, const char *token, const char *answer);
/* (nullable) What to answer to a request that begins so; owned by the caller. The bytes are
 * anybody's. For the thread, and tests. */
char *signet_responder_answer(SignetResponder *responder, const char *request, gsize size);
