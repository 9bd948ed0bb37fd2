/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A PKCS#11 module in a process of its own, signet-module, reached by p11-kit's own client. Private
 * to agent/token/pkcs11. */

#pragma once

#include <glib.h>
#include <p11-kit/p11-kit.h>

typedef struct SignetPkcs11Isolate SignetPkcs11Isolate;

/* p11-kit's client is told by the environment whom to connect to. Once, while there is one thread.
 */
void signet_pkcs11_isolate_prepare(void);

/* program: path of signet-module. */
SignetPkcs11Isolate *signet_pkcs11_isolate_new(const char *name, const char *program);
/* Ends the process. */
void signet_pkcs11_isolate_free(SignetPkcs11Isolate *isolate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetPkcs11Isolate, signet_pkcs11_isolate_free)

/* Ends the process of before and starts one for the module. The caller initialises what it gets,
 * which connects, and releases it with p11_kit_module_release(). TOKEN_FAILED. */
CK_FUNCTION_LIST *
signet_pkcs11_isolate_load(SignetPkcs11Isolate *isolate, const char *module, GError **error);
/* Any thread; does not block: calls that wait for the module fail. */
void signet_pkcs11_isolate_kill(SignetPkcs11Isolate *isolate);
/* After a call failed as if the device had gone: how the process ended, in words, when it did so by
 * itself; else, after a tenth of a second, NULL. */
char *signet_pkcs11_isolate_explain(SignetPkcs11Isolate *isolate);
