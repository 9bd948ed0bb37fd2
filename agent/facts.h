/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keeps what is known of the tokens: learns it when a token is opened, has it measured, writes it
 * down, and gives it to the token, where others read it. */

#pragma once

#include "agent/rotate/disk-thread.h"
#include "agent/store/store.h"
#include "agent/token/registry.h"
#include "agent/base/clock.h"
#include "policy/fit.h"

typedef struct SignetFactsKeeper SignetFactsKeeper;

typedef struct {
    SignetTokens *tokens;
    SignetStore *store;
    const SignetClock *clock;
    guint quiet_ms; /* a token that nobody used for so long may be measured; 0: 10,000 */
    /* A token that something is known of is asked so long after it was opened: what opened it was
     * a program, which goes first. 0: at once */
    guint settle_ms;
    /* The facts of a token have changed. */
    void (*changed)(SignetToken *token, gpointer data);
    gpointer data;
} SignetFactsContext;

SignetFactsKeeper *signet_facts_keeper_new(const SignetFactsContext *context);
/* What is under way is dropped, what is to be written is written. */
void signet_facts_keeper_free(SignetFactsKeeper *keeper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetFactsKeeper, signet_facts_keeper_free)

/* After signet_tokens_apply(): what is written down about new tokens is read; a token that nothing
 * is known of is opened in a quiet moment. */
void signet_facts_keeper_set_policy(SignetFactsKeeper *keeper, SignetPolicy *policy);
/* For the registry's listener. */
void signet_facts_keeper_on_token(SignetFactsKeeper *keeper, SignetToken *token);
/* An administrator's wish: learns everything anew and measures thoroughly. Returns at once; the
 * fact 'measured' says when it is done. NOT_FOUND; BUSY while that is under way already. */
gboolean signet_facts_keeper_measure(SignetFactsKeeper *keeper, const char *token, GError **error);
/* (nullable) What is being done with the token, in words, or why the last measurement failed.
 * Borrowed. */
const char *signet_facts_keeper_get_progress(SignetFactsKeeper *keeper, const char *token);

/* What was learned from the devices that are there now, for signet_config_read(): SignetTokenFacts,
 * all borrowed; free with g_array_unref(). */
GArray *signet_facts_keeper_list(const SignetFactsKeeper *keeper);
/* Ends all measurements; is_over (not from within) when none has a key on a token any more. */
void signet_facts_keeper_stop(SignetFactsKeeper *keeper, void (*is_over)(gpointer), gpointer data);
