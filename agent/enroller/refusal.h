/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A server's no, as HTTP says it. */

#pragma once

#include "agent/enroller/http.h"

/* operation: what was asked. CA_UNREACHABLE where the status says that asking again may help, else
 * CA_REFUSED; with what the server wrote beside it, if that is for people. Returns FALSE. */
gboolean
signet_refusal_set(const SignetHttpResponse *response, const char *operation, GError **error);
