/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Has the administrator's program put proofs in their place, and take them away again (runner.h). A
 * process beside signet-enroll does it, which is made before the sandbox closes and has of all
 * descriptors only its own. */

#pragma once

#include <glib.h>

typedef struct SignetHook SignetHook;

typedef struct {
    const char *type;
    const char *name;
    const char *key;
    const char *value;
} SignetHookCall;

/* Makes the process. */
SignetHook *signet_hook_new(const char *program, GError **error);
/* The process takes away what was added, and ends; waits for that. */
void signet_hook_free(SignetHook *hook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetHook, signet_hook_free)

/* Waits for the program to end well. FAILED with its status and what it says, TIMED_OUT. */
gboolean signet_hook_add(SignetHook *hook, const SignetHookCall *call, GError **error);
