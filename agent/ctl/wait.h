/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Enroll, rotate and adopt: the call that takes as long as a CA takes, with its progress on stderr.
 */

#pragma once

#include <gio/gunixfdlist.h>

#include "agent/ctl/ctl.h"

typedef struct {
    const char *method;    /* of org.signet.Identity1 */
    const char *doing;     /* "rotate" */
    GVariantDict *options; /* ended by the call */
    GUnixFDList *fds;      /* (nullable) */
} SignetCtlChange;

/* Prints the outcome. */
SignetCtlExit
signet_ctl_change_with(SignetCtl *ctl, const char *name, const SignetCtlChange *change);
/* "Enroll" or "Rotate". */
SignetCtlExit signet_ctl_change(SignetCtl *ctl, const char *name, const char *method);
