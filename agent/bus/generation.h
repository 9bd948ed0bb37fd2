/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Generations as they are told over D-Bus: the public facts of each, read from its certificate. */

#pragma once

#include "agent/store/inventory.h"

/* The leaf's subject in RFC 2253 form, valid UTF-8; NULL without a certificate that can be read. */
char *signet_bus_generation_dup_subject(const SignetGeneration *generation);
/* aa{sv} for the property Generations; floating. */
GVariant *signet_bus_generations_to_variant(const SignetInventory *inventory, const char *identity);
/* aa{sv} for GetUsage; floating. */
GVariant *signet_bus_usage_to_variant(const SignetInventory *inventory, const char *identity);
