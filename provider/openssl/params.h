/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Parameters that operations share: texts, and modes that libcrypto passes as numbers or as words.
 */

#pragma once

#include <openssl/core.h>
#include <stdbool.h>

#define SIGNET_DIGEST_NAME_SIZE 50u /* libcrypto's limit for names, with the final zero */

/* True when the parameter is absent or was copied. */
bool signet_params_take_text(const OSSL_PARAM params[], const char *key,
                             char text[SIGNET_DIGEST_NAME_SIZE]);
/* True when the parameter is absent or was set. */
bool signet_params_give_text(OSSL_PARAM params[], const char *key, const char *text);

/* A table ends with a NULL name. A word that is not in it may be a number from 0 to 65,535. */
struct signet_mode {
    int value;
    const char *name;
};
bool signet_params_take_mode(const OSSL_PARAM params[], const char *key,
                             const struct signet_mode *modes, int *value);
bool signet_params_give_mode(OSSL_PARAM params[], const char *key, const struct signet_mode *modes,
                             int value);
