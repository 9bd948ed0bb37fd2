/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What signet-probe found: names and values. */

#include "agent/ctl/findings.h"

#include <string.h>

typedef struct {
    char *name;  /* (owned) */
    char *value; /* (owned) valid UTF-8 */
} Finding;

struct SignetFindings {
    GArray *items; /* (owned) of Finding */
};

static void
finding_clear(gpointer item)
{
    Finding *finding = item;

    g_free(finding->name);
    g_free(finding->value);
}

SignetFindings *
signet_findings_new(const char *text, gsize size)
{
    SignetFindings *findings = g_new0(SignetFindings, 1);
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
signet_findings_free(SignetFindings *findings)
{
    if (!findings)
        return;
    g_array_unref(findings->items);
    g_free(findings);
}

const char *
signet_findings_next(const SignetFindings *findings, const char *name, guint *position)
{
    while (*position < findings->items->len) {
        const Finding *finding = &g_array_index(findings->items, Finding, (*position)++);

        if (g_str_equal(finding->name, name))
            return finding->value;
    }
    return NULL;
}

const char *
signet_findings_get(const SignetFindings *findings, const char *name)
{
    guint position = 0;

    return signet_findings_next(findings, name, &position);
}

gboolean
signet_findings_is(const SignetFindings *findings, const char *name, const char *value)
{
    return g_strcmp0(signet_findings_get(findings, name), value) == 0;
}
