/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the agent holds, in memory, as the broker and the bus see it: identities, their generations,
 * who used them. Main thread only; the rotation engine fills it from the store and changes it when
 * an effect is done. */

#pragma once

#include "agent/store/store.h"

typedef enum {
    SIGNET_GENERATION_PENDING,
    SIGNET_GENERATION_CURRENT,
    SIGNET_GENERATION_RETIRED,
} SignetGenerationState;

const char *signet_generation_state_name(SignetGenerationState state);

typedef struct SignetInventory SignetInventory;

SignetInventory *signet_inventory_new(void);
void signet_inventory_free(SignetInventory *inventory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetInventory, signet_inventory_free)

/* Adds, or replaces the generation of that number. The inventory takes a reference. */
void signet_inventory_put(SignetInventory *inventory, const char *identity,
                          SignetGeneration *generation);
/* This one is current from now on; higher ones pending, lower ones retired. 0: none. */
void signet_inventory_set_current(SignetInventory *inventory, const char *identity, guint32 number);
void signet_inventory_remove(SignetInventory *inventory, const char *identity, guint32 number);

/* Borrowed; number 0: the current one; NULL when there is none. */
SignetGeneration *
signet_inventory_get(const SignetInventory *inventory, const char *identity, guint32 number);
/* The generation with this public key. */
SignetGeneration *signet_inventory_find_spki(const SignetInventory *inventory, const char *identity,
                                             const guint8 *spki, gsize size);
SignetGenerationState
signet_inventory_get_state(const SignetInventory *inventory, const char *identity, guint32 number);
/* All generations in ascending order: GPtrArray of SignetGeneration (borrowed), free with
 * g_ptr_array_unref(). */
GPtrArray *signet_inventory_list(const SignetInventory *inventory, const char *identity);
/* Sorted names of identities that have a generation; free with g_strfreev(). */
char **signet_inventory_list_identities(const SignetInventory *inventory);

/* Nobody but an enrolment's job may use generations up to this one any more: they are revoked. 0:
 * all may be used. Forgotten with the identity's last generation. */
void signet_inventory_bar(SignetInventory *inventory, const char *identity, guint32 number);
gboolean
signet_inventory_is_barred(const SignetInventory *inventory, const char *identity, guint32 number);

/* Who used a generation. At most SIGNET_USERS_MAX per generation, the least recent one gives way.
 */
#define SIGNET_USERS_MAX 16
typedef struct {
    guint32 uid;
    char program[16];
    guint64 count;
    gint64 last_s;
} SignetUser;
void signet_inventory_note_use(SignetInventory *inventory, const char *identity, guint32 number,
                               guint32 uid, const char *program, gint64 now_s);
/* Most recent first; free with g_array_unref(); empty when never used. */
GArray *
signet_inventory_list_users(const SignetInventory *inventory, const char *identity, guint32 number);
/* For the file 'usage' of the store: survives restarts. Restoring garbage restores nothing. */
GBytes *signet_inventory_save_users(const SignetInventory *inventory, const char *identity);
void
signet_inventory_restore_users(SignetInventory *inventory, const char *identity, GBytes *saved);
/* Identities whose users changed since the last call; free with g_strfreev(). */
char **signet_inventory_steal_changed_users(SignetInventory *inventory);
