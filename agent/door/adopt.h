/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* May this descriptor become a connection? provider/wire/PROTOCOL.md 6.6. Private to agent/door. */

#pragma once

#include "agent/base/error.h"
#include "agent/door/packet.h"

/* fd: what came with an adopt packet; sender: that packet's credentials. BAD_REQUEST or DENIED says
 * what is wrong with it. */
gboolean signet_adopt_check(int fd, const struct ucred *sender, GError **error);
