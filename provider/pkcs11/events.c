/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* C_WaitForSlotEvent: an event is another set of identities or generations than the one that this
 * process knows. Whoever waits does so at a connection of its own, in the agent. */

#include <pthread.h>

#include "provider/pkcs11/agent.h"
#include "provider/pkcs11/state.h"

#define PAUSE_MIN_MS 1000u /* before an agent that could not be asked is asked again */
#define PAUSE_MAX_MS 30000u

/* CKR_OK: something has changed. CKR_NO_EVENT: not that anybody knew. Another code: the agent
 * cannot be asked. */
static CK_RV
look(struct signet_channel *channel, bool waits)
{
    struct signet_view seen = {.size = 0}, now;
    CK_RV rv = signet_state_lock();
    if (rv != CKR_OK)
        return rv;
    if (waits)
        seen = signet_state_view();
    signet_state_unlock();
    rv = signet_agent_watch(channel, &seen, &now);
    if (rv != CKR_OK || (rv = signet_state_lock()) != CKR_OK)
        return rv;
    bool has_changed = signet_state_has_changed(&now);
    signet_state_unlock();
    return has_changed ? CKR_OK : CKR_NO_EVENT;
}

static CK_RV
wait_for_event(struct signet_channel *channel)
{
    unsigned pause_ms = 0;
    for (;;) {
        CK_RV rv = look(channel, true);
        if (rv == CKR_OK)
            return rv;
        pause_ms = rv == CKR_NO_EVENT ? 0 : pause_ms == 0 ? PAUSE_MIN_MS : pause_ms * 2;
        if (pause_ms > PAUSE_MAX_MS)
            pause_ms = PAUSE_MAX_MS;
        if ((rv = signet_wait_pause(pause_ms)) != CKR_OK)
            return rv;
    }
}

void
signet_events_begin(struct signet_channel *channel)
{
    struct signet_view now;
    if (signet_state_lock() != CKR_OK)
        return;
    bool is_known = signet_state_view().size > 0;
    signet_state_unlock();
    if (is_known ||
        signet_agent_watch(channel, &(struct signet_view) {.size = 0}, &now) != CKR_OK ||
        signet_state_lock() != CKR_OK)
        return;
    if (signet_state_view().size == 0)
        signet_state_has_changed(&now);
    signet_state_unlock();
}

CK_RV
C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
    struct signet_channel *channel;
    CK_RV rv = signet_wait_begin(&channel), event = CKR_ARGUMENTS_BAD;
    if (rv != CKR_OK)
        return rv;
    int cancel;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    if (slot != NULL && reserved == NULL) {
        event = (flags & CKF_DONT_BLOCK) != 0 ? look(channel, false) : wait_for_event(channel);
        *slot = 0;
        /* an agent that cannot be asked is heard of when a key is used */
        if (event != CKR_OK)
            event = CKR_NO_EVENT;
    }
    rv = signet_wait_end();
    pthread_setcancelstate(cancel, NULL);
    return rv != CKR_OK ? rv : event;
}
