/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One question, one answer. */

#include "tests/unit/broker/ask.h"

#include <check.h>
#include <unistd.h>

void
answer_done(GBytes *result, const GError *error, gpointer data)
{
    Answer *answer = data;

    answer->is_done = TRUE;
    answer->calls++;
    answer->result = result ? g_bytes_ref(result) : NULL;
    answer->error = error ? g_error_copy(error) : NULL;
}

void
answer_clear(Answer *answer)
{
    g_clear_pointer(&answer->result, g_bytes_unref);
    g_clear_error(&answer->error);
}

void
answer_await(Answer *answer)
{
    ck_assert_msg(!answer->is_done, "done was called from within the call");
    while (!answer->is_done)
        g_main_context_iteration(NULL, TRUE);
    for (int i = 0; i < 3; i++)
        g_main_context_iteration(NULL, FALSE);
    ck_assert_uint_eq(answer->calls, 1);
}

void
answer_ask(SignetBroker *broker, UseFunc func, const SignetRequester *requester,
           const SignetUse *use, Answer *ret_answer)
{
    ck_assert(func(broker, requester, use, answer_done, ret_answer) != 0);
    answer_await(ret_answer);
}

SignetPeer *
peer_of(uid_t uid)
{
    return signet_peer_new(getpid(), uid, uid, -1);
}
