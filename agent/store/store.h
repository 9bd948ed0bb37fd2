/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the agent keeps on disk: keys (blobs that only their token can use), certificates, journals,
 * and the live/ directory.
 *
 *   version                              "1"
 *   pins                                 what became of PINs that were sent, opaque here
 *   facts/NAME                           what is known of a token, opaque here; for all to read
 *   attesters/NAME                       a token's attestation key, opaque here
 *   identities/NAME/journal              the rotation's state, opaque here
 *   identities/NAME/usage                who used which generation last, opaque here
 *   identities/NAME/N/key                TSS2 PRIVATE KEY or URI
 *   identities/NAME/N/auth               its auth value
 *   identities/NAME/N/record             GKeyFile: token, type, created, spki, adopted
 *   identities/NAME/N/chain.pem, anchors.pem
 *   live/.generations/NAME.N/{key.pem,cert.pem,chain.pem,fullchain.pem,ca.pem,identity.pem}
 *   live/NAME -> .generations/NAME.N     which generation is current: the only place that says so
 *
 * The generation that live/NAME points at is current, a higher number is pending, a lower one
 * retired. The root is 0755 so that live/ can be reached, identities/ is 0700. All functions block
 * (they fsync); they may be called from any one thread at a time per identity. */

#pragma once

#include "agent/store/dir.h"
#include "agent/store/generation.h"

typedef struct SignetStore SignetStore;

/* Makes the tree when absent (root's parent must be there), refuses a version it does not know
 * (UNSUPPORTED), and a second agent on the same tree (BUSY). Removes what a crashed life left:
 * temporaries, generations without a record, live files without a generation; never what live/NAME
 * points at. */
SignetStore *signet_store_open(const char *root, GError **error);
void signet_store_free(SignetStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetStore, signet_store_free)

char **signet_store_list_identities(SignetStore *store, GError **error);
/* Numbers (guint32) in ascending order, of generations with a record; free with g_array_unref().
 * Unknown identity: empty. */
GArray *signet_store_list_generations(SignetStore *store, const char *identity, GError **error);
/* NOT_FOUND, CORRUPT. */
SignetGeneration *signet_store_load_generation(SignetStore *store, const char *identity,
                                               guint32 number, GError **error);
/* 0 when none. */
guint32 signet_store_get_current(SignetStore *store, const char *identity);

/* Writes key, auth and record; the record last, so that a generation without a record is garbage of
 * a crash. */
gboolean signet_store_put_key(SignetStore *store, const char *identity, guint32 number,
                              const char *token, SignetKey *key, gint64 created_s, GError **error);
/* Replaces what was there. CORRUPT when the leaf does not parse or the whole is longer than
 * SIGNET_WIRE_CHAIN_MAX. */
gboolean signet_store_put_chain(SignetStore *store, const char *identity, guint32 number,
                                GPtrArray *chain, GPtrArray *anchors, GError **error);
/* Writes the files of live/.generations/NAME.N; not yet visible as live/NAME. */
gboolean
signet_store_publish(SignetStore *store, const char *identity, SignetGeneration *generation,
                     const SignetDirOwner *owner, GError **error);
/* Points live/NAME at it: the moment of promotion. */
gboolean
signet_store_promote(SignetStore *store, const char *identity, guint32 number, GError **error);
/* Removes key, auth, record, chain and live files of a generation. Refuses the current one.
 * Idempotent. */
gboolean signet_store_remove_generation(SignetStore *store, const char *identity, guint32 number,
                                        GError **error);
/* Everything of an identity, the current generation included. */
gboolean signet_store_remove_identity(SignetStore *store, const char *identity, GError **error);

/* Small opaque files ("journal", "usage"), at most 64 KiB; read gives NULL without error when
 * absent. */
gboolean signet_store_put_file(SignetStore *store, const char *identity, const char *name,
                               GBytes *content, GError **error);
GBytes *
signet_store_get_file(SignetStore *store, const char *identity, const char *name, GError **error);
/* The same of the whole agent ("pins"). One thread at a time per name. */
gboolean
signet_store_put_note(SignetStore *store, const char *name, GBytes *content, GError **error);
GBytes *signet_store_get_note(SignetStore *store, const char *name, GError **error);
/* What is known of a token; the same limits. Everybody may read it: 'signetctl policy check' does.
 */
gboolean
signet_store_put_facts(SignetStore *store, const char *token, GBytes *content, GError **error);
GBytes *signet_store_get_facts(SignetStore *store, const char *token, GError **error);
/* A token's attestation key and what belongs to it; the same limits, for nobody else to read. */
gboolean
signet_store_put_attester(SignetStore *store, const char *token, GBytes *content, GError **error);
GBytes *signet_store_get_attester(SignetStore *store, const char *token, GError **error);
/* Absolute path of live/NAME. */
char *signet_store_dup_live_path(const SignetStore *store, const char *identity);
