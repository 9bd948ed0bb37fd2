/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A life of the pure machine: the world beside it, and what must hold there. */

#pragma once

#include <check.h>

#include "agent/rotate/machine.h"

#define KEYS_MAX 64
#define NUMBERS  255 /* more than a life gives away */

/* The world beside the machine: what the effects have really done. */
typedef struct {
    guint number;
    guint64 random;
    SignetMachine machine;
    SignetMachineInput input;
    gint64 now_s;
    guint32 keys[KEYS_MAX]; /* generations whose key exists, ascending */
    guint n_keys;
    guint32
        chain; /* the generation whose certificate is there, beside current's and retired ones */
    guint32 live;
    gint64 live_end_s;
    guint effects; /* under way */
    SignetFindings findings;
    guint8 made_for[NUMBERS]; /* for which generation the key of each was made */
    guint8 is_bad[NUMBERS];   /* TRUE: and is known to be in question */
    gboolean had_current;
    guint n_moments;
    guint n_promotions;
    guint n_rollbacks;
    guint n_adoptions;
    guint n_bad_keys;
    guint n_revocations; /* that were asked for here */
} Life;

/* Others are asked about the certificate. */
extern const SignetRotationProfile life_watched_profile;

/* Says which life it was: SIGNET_LIFE=NUMBER lives that one again. */
void life_abort(const Life *life, const char *why);
/* 0 … below - 1. */
guint life_draw(Life *life, guint below);

gboolean life_has_key(const Life *life, guint32 number);
void life_add_key(Life *life, guint32 number);
void life_remove_key(Life *life, guint32 number);

/* The rules; each ends the life that breaks it. After every event … */
void life_check(const Life *life);
/* … whenever an effect is carried out … */
void life_check_demands(const Life *life, SignetMachineEffect effect);
/* … and when effects are called for. */
void life_check_wishes(const Life *life, guint effects);
