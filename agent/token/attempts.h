/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What became of the PINs that were sent to devices, for all tokens of the agent and beyond its
 * end: a wrong PIN is sent once. Any thread may call; private to agent/token but for its making.
 *
 * On disk are only refused PINs, as salted and slow hashes, and per device how many attempts have
 * not ended. A PIN that was accepted leaves nothing there. */

#pragma once

#include "agent/base/error.h"
#include "agent/base/secret.h"

typedef struct SignetPinAttempts SignetPinAttempts;

/* Where they are kept. Both block and are called from worker threads, one call at a time. */
typedef struct {
    /* NULL without error: there is nothing yet. */
    GBytes *(*load)(gpointer data, GError **error);
    gboolean (*save)(GBytes *content, gpointer data, GError **error);
    gpointer data;
} SignetPinRecord;

#define SIGNET_PIN_RECORD_MAX (64 * 1024)

/* record: copied; nullable: remembered as long as this lives. A record that cannot be read gives
 * NULL with error. */
SignetPinAttempts *signet_pin_attempts_new(const SignetPinRecord *record, GError **error);
SignetPinAttempts *signet_pin_attempts_ref(SignetPinAttempts *attempts);
void signet_pin_attempts_unref(SignetPinAttempts *attempts);
/* Before the record goes, which threads that are left behind would still use: no PIN is sent any
 * more. */
void signet_pin_attempts_close(SignetPinAttempts *attempts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetPinAttempts, signet_pin_attempts_unref)

/* Which device: a hash of what it says of itself. */
#define SIGNET_PIN_DEVICE_BYTES 32
#define SIGNET_PIN_MAC_BYTES    32

/* One PIN for one device. */
typedef struct {
    guint8 device[SIGNET_PIN_DEVICE_BYTES];
    SignetSecret *pin;  /* (unowned, nullable) NULL: it is typed at the reader and not known here */
    gboolean by_person; /* somebody typed it now, and knows how many tries are left */
    gboolean again;     /* … and wants it sent although it was refused before */
    /* begin's, for end */
    gboolean is_counted;
    guint8 mac[SIGNET_PIN_MAC_BYTES];
    guint8 quick_mac[SIGNET_PIN_MAC_BYTES];
} SignetPinAttempt;

typedef enum {
    SIGNET_PIN_MAY_BE_SENT,    /* signet_pin_attempts_end() must follow */
    SIGNET_PIN_LOOK_AGAIN,     /* another thread just sent one: perhaps the device is open now */
    SIGNET_PIN_WAS_REFUSED,    /* this very PIN */
    SIGNET_PIN_OTHERS_REFUSED, /* two others in a row: a third could be the last try */
    SIGNET_PIN_INTERRUPTED,    /* of the last two attempts nobody knows how they ended */
    SIGNET_PIN_NOT_RECORDED,   /* error says why */
} SignetPinVerdict;

/* May it be sent? Waits while another thread sends one to the same device. */
SignetPinVerdict
signet_pin_attempts_begin(SignetPinAttempts *attempts, SignetPinAttempt *attempt, GError **error);

typedef enum {
    SIGNET_PIN_ACCEPTED,
    SIGNET_PIN_REFUSED,
    SIGNET_PIN_UNKNOWN,  /* the device may have counted it as a wrong one */
    SIGNET_PIN_NOT_SENT, /* it certainly did not see it */
} SignetPinOutcome;

void signet_pin_attempts_end(SignetPinAttempts *attempts, SignetPinAttempt *attempt,
                             SignetPinOutcome outcome);
