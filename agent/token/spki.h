/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a public key is. Private to agent/token. */

#pragma once

#include <glib.h>

#include "provider/wire/catalogue.h"

/* enum signet_key_type of a DER SubjectPublicKeyInfo; 0: none of ours. */
guint32 signet_spki_key_type(GBytes *spki);
/* The public key of a certificate (DER), as libcrypto writes it; NULL when there is none. */
GBytes *signet_spki_of_certificate(GBytes *certificate);
