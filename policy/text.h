/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is common to all text in policy files. For the inside of policy/ only. */

#pragma once

#include <glib.h>

/* Valid UTF-8 only. */
gboolean signet_text_has_control(const char *text);
