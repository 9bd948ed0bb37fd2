/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Makes tpm2-tss's HMAC sessions cheap. Private to agent/token/tpm. */

#pragma once

/* From its first call on, and while the program is linked so that its symbols come before
 * libcrypto's, OSSL_LIB_CTX_free() keeps a few of the contexts that tpm2-tss gives back and
 * OSSL_LIB_CTX_new() hands them out to it again: it makes six for every command that is
 * authenticated by HMAC. Other callers notice nothing. Any thread. */
void signet_tpm_recycle_contexts(void);
