/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A rotation engine for the tests of the bus: the functions of agent/rotate/engine.h over software
 * keys and self-signed certificates, without store, token or CA. Linked in place of the real one.
 */

#pragma once

#include "agent/rotate/engine.h"

/* Set by the test between calls. */
typedef struct {
    guint delay_ms;     /* of a rotation; default 10 */
    gboolean is_stuck;  /* rotations never end */
    const char *refuse; /* (nullable) rotations fail, for this cause */
    GString *adopted;   /* (unowned) what the last adoption was asked for */
    GString *reported;  /* (unowned) the last rollback or report: "wifi 1: reason" */
} FakeEngineControl;

FakeEngineControl *fake_engine_control(SignetEngine *engine);
/* A new current generation at once, without events. */
void fake_engine_issue(SignetEngine *engine, const char *identity);
/* The event EXPIRING. */
void fake_engine_expire(SignetEngine *engine, const char *identity);
/* Does what a started engine does by itself: a rotation nobody asked for. */
void fake_engine_begin(SignetEngine *engine, const char *identity);
