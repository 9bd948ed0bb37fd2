/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The commands of signetctl, one file each. */

#pragma once

#include "agent/ctl/ctl.h"

/* argv holds the command's arguments only, as many as its row in main.c says. */
typedef SignetCtlExit (*SignetCtlRun)(SignetCtl *ctl, int argc, char **argv);

SignetCtlExit signet_ctl_status(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_list(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_show(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_enroll(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_rotate(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_check(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_rollback(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_revoke(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_adopt(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_request(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_import(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_device_code(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_attest(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_verify(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_reload(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_watch(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_token(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_unlock(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_lock(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_policy(SignetCtl *ctl, int argc, char **argv);
/* Parts of policy. */
SignetCtlExit signet_ctl_policy_show(const SignetCtl *ctl, const char *identity);
SignetCtlExit signet_ctl_simulate(const SignetCtl *ctl, const char *identity);
SignetCtlExit signet_ctl_setup(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_why_not(SignetCtl *ctl, int argc, char **argv);
SignetCtlExit signet_ctl_version(SignetCtl *ctl, int argc, char **argv);
