/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A timer and at most one probe that is under way. */

#include "agent/token/watch.h"

#define INTERVAL_S 1
#define TIMEOUT_MS 10000

struct SignetWatch {
    SignetToken *token; /* (unowned): the registry frees the watch before it */
    GSource *timer;     /* (owned) */
    guint64 probe;      /* 0: none is under way */
    gboolean skip;      /* the next turn */
};

static void
note_answer(GBytes *result, const GError *error, gpointer data)
{
    SignetWatch *watch = data;

    watch->probe = 0;
}

static gboolean
look(gpointer data)
{
    static const SignetTokenWait wait = {.timeout_ms = TIMEOUT_MS};
    SignetWatch *watch = data;
    SignetTokenState state = signet_token_get_state(watch->token);

    watch->skip = state == SIGNET_TOKEN_STATE_ABSENT && !watch->skip;
    if (watch->probe == 0 && !watch->skip &&
        (state == SIGNET_TOKEN_STATE_READY || state == SIGNET_TOKEN_STATE_ABSENT))
        watch->probe = signet_token_probe(watch->token, &wait, note_answer, watch);
    return G_SOURCE_CONTINUE;
}

SignetWatch *
signet_watch_new(SignetToken *token)
{
    SignetWatch *watch = g_new0(SignetWatch, 1);

    watch->token = token;
    watch->timer = g_timeout_source_new_seconds(INTERVAL_S);
    g_source_set_callback(watch->timer, look, watch, NULL);
    g_source_set_static_name(watch->timer, "signet-token-watch");
    g_source_attach(watch->timer, g_main_context_get_thread_default());
    return watch;
}

void
signet_watch_free(SignetWatch *watch)
{
    if (!watch)
        return;
    g_source_destroy(watch->timer);
    g_source_unref(watch->timer);
    signet_token_cancel(watch->token, watch->probe);
    g_free(watch);
}
