/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Enroll and rotate: the call that takes as long as a CA takes, with its progress on stderr. */

#pragma once

#include "agent/ctl/ctl.h"

/* verb: "Enroll" or "Rotate". Prints the outcome. */
SignetCtlExit signet_ctl_change(SignetCtl *ctl, const char *name, const char *verb);
