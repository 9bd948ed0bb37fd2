/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is there beside the machine, and chance. */

#include "tests/unit/rotate/life.h"

const SignetRotationProfile life_watched_profile = {
    .name = (char *)"watched",
    .renew_kind = SIGNET_RENEW_AUTO,
    .new_key = SIGNET_NEW_KEY_NEVER,
    .overlap_s = 300,
    .retry_first_s = 60,
    .retry_max_s = SIGNET_AUTO,
    .pending_timeout_s = 600,
    .critical_remaining_s = SIGNET_AUTO,
    .check_s = 600,
};

/* Check's assertions cost a system call each, and there are millions here. */
void
life_abort(const Life *life, const char *why)
{
    ck_abort_msg("life %u, after %u events, in state %s: %s", life->number, life->n_moments,
                 signet_machine_state_name(life->machine.state), why);
}

/* xorshift64*: GRand costs more than the machine. 0 … below - 1. */
guint
life_draw(Life *life, guint below)
{
    life->random ^= life->random >> 12;
    life->random ^= life->random << 25;
    life->random ^= life->random >> 27;
    return (guint)(((life->random * G_GUINT64_CONSTANT(2685821657736338717)) >> 32) % below);
}

gboolean
life_has_key(const Life *life, guint32 number)
{
    for (guint i = 0; i < life->n_keys; i++) {
        if (life->keys[i] == number)
            return TRUE;
    }
    return FALSE;
}

void
life_add_key(Life *life, guint32 number)
{
    if (life_has_key(life, number))
        return;
    if (life->n_keys == KEYS_MAX || (life->n_keys && life->keys[life->n_keys - 1] > number))
        life_abort(life, "more keys than a machine can name, or a number that was used before");
    life->keys[life->n_keys++] = number;
}

void
life_remove_key(Life *life, guint32 number)
{
    guint n = 0;

    for (guint i = 0; i < life->n_keys; i++) {
        if (life->keys[i] != number)
            life->keys[n++] = life->keys[i];
    }
    life->n_keys = n;
}
