/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl rotate IDENTITY: a new key and certificate now. */

#include "agent/ctl/commands.h"
#include "agent/ctl/wait.h"

SignetCtlExit
signet_ctl_rotate(SignetCtl *ctl, int argc, char **argv)
{
    return signet_ctl_change(ctl, argv[0], "Rotate");
}
