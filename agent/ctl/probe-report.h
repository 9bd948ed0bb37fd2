/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What signet-probe found, as it wrote it: lines "NAME VALUE", in order; a name may come again. It
 * ran as another user: nothing is taken for granted but that it is text. */

#pragma once

#include <glib.h>

typedef struct SignetProbeReport SignetProbeReport;

/* Lines that are none are left out. */
SignetProbeReport *signet_probe_report_new(const char *text, gsize size);
void signet_probe_report_free(SignetProbeReport *findings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetProbeReport, signet_probe_report_free)

/* The first of that name, borrowed; NULL: there is none. */
const char *signet_probe_report_get(const SignetProbeReport *findings, const char *name);
gboolean
signet_probe_report_is(const SignetProbeReport *findings, const char *name, const char *value);
/* The next of that name from *position on, which is moved behind it; begin with 0. */
const char *
signet_probe_report_next(const SignetProbeReport *findings, const char *name, guint *position);
