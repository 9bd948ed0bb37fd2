/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Every request that the module sends to the agent, and what its refusals are called in PKCS#11.
 * All of these block up to the channel's timeout; none may be called with a lock held. */

#pragma once

#include <p11-kit/pkcs11.h>

#include "provider/channel/channel.h"
#include "provider/pkcs11/identity.h"

/* Identities one process is shown. */
#define SIGNET_AGENT_NAMES_MAX 4096u

struct signet_name {
    char text[SIGNET_WIRE_NAME_MAX + 1];
};
/* All identities that this process may use, at most SIGNET_AGENT_NAMES_MAX, in strcmp() order. Free
 * *ret_names with free(). */
CK_RV signet_agent_list(struct signet_channel *channel, struct signet_name **ret_names,
                        size_t *ret_count);

/* The current generation. CKR_OK with NULL: there is none, not for this process, or not readable:
 * one damaged identity must not hide the others. */
CK_RV signet_agent_look_up(struct signet_channel *channel, const char *name,
                           struct signet_identity **ret_identity);

/* What identities and generations there are, as the agent sums it up; size 0: not known. */
struct signet_view {
    uint8_t data[SIGNET_WIRE_VIEW_MAX];
    size_t size;
};
/* The view of now; with one that was seen, as soon as it is another. CKR_DEVICE_ERROR after ten
 * minutes in vain. */
CK_RV signet_agent_watch(struct signet_channel *channel, const struct signet_view *seen,
                         struct signet_view *ret_view);

/* Remembers the view of now, unless there is one, so that the first C_WaitForSlotEvent tells what
 * has changed since. In events.c. */
void signet_events_begin(struct signet_channel *channel);

/* A request whose reply is one string of bytes; *size: room in 'to', and how much of it was filled.
 * CKR_ENCRYPTED_DATA_INVALID when the agent could not decrypt, CKR_MECHANISM_PARAM_INVALID when the
 * peer's point is none. */
CK_RV signet_agent_use(struct signet_channel *channel, const struct signet_channel_call *call,
                       uint8_t *to, size_t *size);
