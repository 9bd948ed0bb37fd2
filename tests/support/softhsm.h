/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A SoftHSM of a test's own: one token in a private directory, gone with softhsm_free(). */

#pragma once

#include <glib.h>

typedef struct {
    char *dir;      /* (owned) */
    char *pin_file; /* (owned) holds SOFTHSM_PIN */
    char *uri;      /* (owned) of the token, with the module's path */
} SoftHsm;

#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define SOFTHSM_PIN    "1234"
#define SOFTHSM_LABEL  "signet test"

/* Sets SOFTHSM2_CONF in this process. Aborts the test with a message when something fails. */
SoftHsm *softhsm_new(void);
void softhsm_free(SoftHsm *hsm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SoftHsm, softhsm_free)

/* A URI of the token in another module over SoftHSM. */
char *softhsm_dup_uri(const SoftHsm *hsm, const char *module);
void softhsm_write_pin(const SoftHsm *hsm, const char *text, guint mode);
/* The token's files are moved out of SoftHSM's sight, and back. */
void softhsm_take_away(const SoftHsm *hsm);
void softhsm_bring_back(const SoftHsm *hsm);
/* One more token, of the same name. */
void softhsm_add(const SoftHsm *hsm);
/* Another token of the same name, in place of all others. */
void softhsm_replace(const SoftHsm *hsm);
/* A switch of p11-shim.c: a file of that text; NULL: none. */
void softhsm_turn(const SoftHsm *hsm, const char *name, const char *text);
/* "" when there is no such file (free with g_free()). */
char *softhsm_read(const SoftHsm *hsm, const char *name);
/* Runs a shell command with $dir and $module; its standard output (free with g_free()). Aborts the
 * test when it fails. */
char *softhsm_shell(const SoftHsm *hsm, const char *command);
