/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What signet-probe found: names and values. */

#include "agent/ctl/probe-report.h"

#include <string.h>

typedef struct {
    char *name;  /* (owned) */
    char *value; /* (owned) valid UTF-8 */
} Finding;

struct SignetProbeReport {
    GArray *items; /* (owned) of Finding */
};

static void
finding_clear(gpointer item)
{
    Finding *finding = item;

    g_free(finding->name);
    g_free(finding->value);
}

SignetProbeReport *
signet_probe_report_new(const char *text, gsize size)
{
    SignetProbeReport *findings = g_new0(SignetProbeReport, 1);
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)size);
    g_auto(GStrv) lines = g_strsplit(valid, "\n", -1);

    findings->items = g_array_new(FALSE, FALSE, sizeof(Finding));
    g_array_set_clear_func(findings->items, finding_clear);
    for (char **line = lines; *line; line++) {
        char *space = strchr(*line, ' ');
        Finding finding = {0};

        if (!space || space == *line)
            continue;
        finding.name = g_strndup(*line, (gsize)(space - *line));
        finding.value = g_strdup(space + 1);
        g_array_append_val(findings->items, finding);
    }
    return findings;
}

void
signet_probe_report_free(SignetProbeReport *findings)
{
    if (!findings)
        return;
    g_array_unref(findings->items);
    g_free(findings);
}

const char *
signet_probe_report_next(const SignetProbeReport *findings, const char *name, guint *position)
{
    while (*position < findings->items->len) {
        const Finding *finding = &g_array_index(findings->items, Finding, (*position)++);

        if (g_str_equal(finding->name, name))
            return finding->value;
    }
    return NULL;
}

const char *
signet_probe_report_get(const SignetProbeReport *findings, const char *name)
{
    guint position = 0;

    return signet_probe_report_next(findings, name, &position);
}

gboolean
signet_probe_report_is(const SignetProbeReport *findings, const char *name, const char *value)
{
    return g_strcmp0(signet_probe_report_get(findings, name), value) == 0;
}
