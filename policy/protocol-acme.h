/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The keys of ca.d/NAME.conf for Protocol=acme: SignetCaOption.check of each. */

#pragma once

#include <glib.h>

char *signet_acme_check_text(const char *value); /* goes into JSON as it is */
/* Http01=: "listen", "listen:PORT", "program" */
char *signet_acme_check_http(const char *value);
char *signet_acme_check_dns(const char *value);
char *signet_acme_check_contacts(const char *value);
char *signet_acme_check_permanent(const char *value);
char *signet_acme_check_agreement(const char *value);
