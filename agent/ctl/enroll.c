/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl enroll IDENTITY: see to it that it has a certificate. */

#include "agent/ctl/commands.h"
#include "agent/ctl/wait.h"

SignetCtlExit
signet_ctl_enroll(SignetCtl *ctl, int argc, char **argv)
{
    return signet_ctl_change(ctl, argv[0], "Enroll");
}
