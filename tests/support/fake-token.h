/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A token in memory for tests and benchmarks: libcrypto keys, whose blob is the private key itself,
 * so that they outlive the token as those of a TPM do. */

#pragma once

#include "agent/token/token.h"

#define FAKE_TOKEN_PIN "1234"

typedef enum {
    FAKE_TOKEN_FAILS,  /* with TOKEN_FAILED, and nothing was done */
    FAKE_TOKEN_ABSENT, /* with TOKEN_ABSENT, and nothing was done */
    FAKE_TOKEN_LOST,   /* with TOKEN_FAILED, after it was done */
} FakeTokenFault;

/* Set and read by the test while the token works; owned by the test and outlives the token. All
 * atomic. */
typedef struct {
    int absent;          /* open and every operation fail with TOKEN_ABSENT */
    int fail;            /* every operation fails with TOKEN_FAILED */
    int delay_us;        /* of every operation */
    int locked;          /* open fails with PIN_NEEDED until it is unlocked with FAKE_TOKEN_PIN */
    int cannot_generate; /* no key of any type */
    int fail_at;         /* the operation that is so many from now fails; 0: none */
    FakeTokenFault fault;
    const char *dir; /* (nullable) keys are files there, by their names, as they are objects of a
                        PKCS#11 token: what is made destroys what has its name, and what is gone
                        cannot sign */
    const GPtrArray *stock; /* (unowned, nullable) of SignetKey: given away instead of making RSA
                               keys, each once in the life of 'dir' */
    GBytes *strange; /* (unowned, nullable; not atomic) blob of a key that was bound to another boot
                        state */
    GBytes *certificate; /* (unowned, nullable; not atomic) of every key that is adopted: by its
                            blob, as fake_token_make_key() gives it */
    int opened;          /* counts from here on: successful calls */
    int generated;
    int destroyed;
    int signatures; /* sign, decrypt and derive */
    /* What there is to learn; set before the token is made. */
    const char *device; /* (nullable) */
    const char *keys;   /* (nullable) "ec:P-256;rsa:2048": it makes no others; NULL: any, and says
                           nothing of them */
} FakeTokenControl;

typedef struct {
    gboolean costs_nothing; /* sign returns the same well-formed P-256 signature at once and never
                               looks at the key */
    FakeTokenControl *control; /* (unowned, nullable) */
} FakeTokenOptions;

/* options: nullable */
SignetToken *fake_token_new(const SignetTokenSettings *settings, const FakeTokenOptions *options);
/* How many keys are in FakeTokenControl.dir. */
guint fake_token_count_keys(const char *dir);
gboolean fake_token_has_key(const char *dir, GBytes *blob);
/* A key as this token would generate it, without a token: for fixtures. */
SignetKey *fake_token_make_key(guint32 type);
