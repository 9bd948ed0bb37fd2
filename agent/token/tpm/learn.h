/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The facts of a TPM. Private to agent/token/tpm. */

#pragma once

#include "agent/token/tpm/connection.h"

/* As SignetTokenBackend.learn. */
gboolean signet_tpm_learn(SignetTpm *tpm, SignetLesson lesson, SignetKey *key, GVariantDict *facts,
                          GError **error);
