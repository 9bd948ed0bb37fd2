/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The tokens of the running policy, by name. */

#pragma once

#include "agent/token/attempts.h"
#include "agent/token/token.h"
#include "policy/model.h"

typedef struct SignetTokens SignetTokens;

SignetTokens *signet_tokens_new(void);
/* Before the first signet_tokens_apply(), both nullable. attempts: kept; without, refused PINs are
 * remembered as long as the registry lives. credentials_dir: where systemd put credentials; copied.
 */
void signet_tokens_set_pins(SignetTokens *tokens, SignetPinAttempts *attempts,
                            const char *credentials_dir);
void signet_tokens_free(SignetTokens *tokens);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetTokens, signet_tokens_free)

/* Before the first token, while there is one thread: the path of signet-module, for Isolate=yes. */
void signet_tokens_set_module_program(SignetTokens *tokens, const char *program);
/* Makes what is new, drops what is gone, keeps what has not changed. */
void signet_tokens_apply(SignetTokens *tokens, const SignetPolicy *policy);
/* Takes one made elsewhere (tests, benchmarks). */
void signet_tokens_add(SignetTokens *tokens, SignetToken *token);
SignetToken *signet_tokens_get(const SignetTokens *tokens, const char *name);
/* Sorted by name; free with g_ptr_array_unref(), elements are borrowed. */
GPtrArray *signet_tokens_list(const SignetTokens *tokens);
/* For every token, present and future. */
void signet_tokens_set_listener(SignetTokens *tokens, SignetTokenChanged changed, gpointer data);
