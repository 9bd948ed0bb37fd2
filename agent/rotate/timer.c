/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* When the engine wakes. */

#include "agent/rotate/private.h"

static gboolean
dispatch_timer(GSource *source, GSourceFunc callback, gpointer data)
{
    g_source_set_ready_time(source, -1);
    return callback(data);
}

GSource *
signet_timer_new(void)
{
    static GSourceFuncs functions = {.dispatch = dispatch_timer};

    return g_source_new(&functions, sizeof(GSource));
}

void
signet_engine_schedule(SignetEngine *engine)
{
    g_source_set_ready_time(engine->timer, 0);
}
