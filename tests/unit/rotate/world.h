/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An agent without doors: engine, store, fake token, fake CA and a clock that the test owns, on a
 * directory of its own. */

#pragma once

#include <check.h>

#include "agent/rotate/engine.h"
#include "tests/support/fake-token.h"
#include "tests/unit/rotate/fake-enroll.h"

/* Certificates live for an hour; identities are files of identities.d, NAME and text. */
#define WORLD_NOW_S      G_GINT64_CONSTANT(1800000000)
#define WORLD_LIFETIME_S 3600

typedef struct {
    char *root;            /* (owned) */
    gboolean is_root_kept; /* not removed by world_free() */
    gint64 now_s;
    SignetClock clock;
    FakeTokenControl token;
    FakeCa ca;
    GPtrArray *problems; /* (owned) of the last start */
    GString *events;     /* (owned) "rotated wifi 1\n" …, without CHANGED */
    guint n_changed;
    /* while it is up */
    SignetStore *store;
    SignetInventory *inventory;
    SignetTokens *tokens;
    SignetEnroll *enroll;
    SignetEngine *engine;
} World;

/* root: NULL for a new temporary directory. */
World *world_new(const char *root);
void world_free(World *world);
/* texts: pairs of path and text, NULL-terminated: added to the files that set up token, CA and
 * rotation. */
SignetPolicy *world_policy(const char *const *texts);
/* Opens the store, starts the engine. FALSE when the store cannot be opened. */
gboolean world_up(World *world, SignetPolicy *policy);
void world_down(World *world);

/* Turns the main loop until the identity is in that state (by name); fails the test after ten
 * seconds. */
void world_wait_state(World *world, const char *identity, const char *state);
/* Until nothing is under way: neither on the disk, nor in the token, nor at the CA. */
void world_settle(World *world);
/* Turns the loop until *flag is set. */
void world_wait_flag(World *world, const gboolean *flag);
void world_advance(World *world, gint64 seconds);
SignetIdentityStatus world_status(World *world, const char *identity);

/* What must hold at every instant once there was a certificate: the generation that live/NAME
 * points at is whole on disk, its key is in the token, its reference names it, and the inventory
 * knows it as current (or, in the moment of a promotion, as retired already). */
void world_check_usable(World *world, const char *identity);
/* On disk there is nothing but what the engine knows of, at the latest after what is under way. */
void world_check_no_orphans(World *world, const char *identity);
/* Waits until exactly these generations are on disk, as world_numbers() writes them, and no
 * orphans. */
void world_wait_only(World *world, const char *identity, const char *expected);
/* Numbers of the generations on disk as text: "3 4". */
char *world_numbers(World *world, const char *identity);
/* A self-signed certificate (DER) for a key of the fake token, valid since a minute ago and until
 * so many seconds after WORLD_NOW_S. */
GBytes *world_certify(const SignetKey *key, gint64 end_s);
