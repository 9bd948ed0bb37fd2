/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a packet asks for, and the answer: provider/wire/PROTOCOL.md. Private to agent/door. */

#pragma once

#include "agent/door/hall.h"

/* Reads one packet off a connection that has one, and serves it. May close the connection. */
void signet_serve(SignetConnection *connection);
/* The agent holds something else now: answers those who watch for it. */
void signet_serve_watchers(SignetHall *hall);
