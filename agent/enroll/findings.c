/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Writes and reads what was learned of a certificate. */

#include "agent/enroll/findings.h"

#include <string.h>

#define GROUP      "Findings"
#define TEXT_MAX   4096
#define TIME_MAX   G_GINT64_CONSTANT(253402300799) /* the year 9999 */
#define REASON_MAX 10
#define LOOKS_MAX  8

void
signet_findings_set_words(char *field, const char *words)
{
    g_autofree char *valid = g_utf8_make_valid(words ? words : "", -1);
    const char *end;

    g_strlcpy(field, valid, SIGNET_FINDINGS_WORDS_MAX + 1);
    if (!g_utf8_validate(field, -1, &end))
        field[end - field] = '\0';
    for (char *p = field; *p; p++) {
        if (g_ascii_iscntrl(*p))
            *p = ' ';
    }
}

/* --- writing --- */

static void
put_looks(GKeyFile *file, const char *group, guint looks)
{
    const char *names[LOOKS_MAX];
    gsize n = 0;

    for (guint bit = 0; bit < LOOKS_MAX; bit++) {
        const char *name = looks & (1u << bit) ? signet_look_name((SignetLook)(1u << bit)) : NULL;

        if (name)
            names[n++] = name;
    }
    g_key_file_set_string_list(file, group, "Looks", names, n);
}

void
signet_findings_to_file(const SignetFindings *findings, GKeyFile *file, const char *group)
{
    put_looks(file, group, findings->looks);
    g_key_file_set_string(file, group, "Standing", signet_standing_name(findings->standing));
    g_key_file_set_uint64(file, group, "Reason", findings->reason);
    g_key_file_set_int64(file, group, "Revoked", findings->revoked_s);
    g_key_file_set_int64(file, group, "ThisUpdate", findings->this_update_s);
    g_key_file_set_int64(file, group, "NextUpdate", findings->next_update_s);
    g_key_file_set_int64(file, group, "WindowStart", findings->window_start_s);
    g_key_file_set_int64(file, group, "WindowEnd", findings->window_end_s);
    g_key_file_set_uint64(file, group, "RetryAfter", findings->retry_after_s);
    g_key_file_set_boolean(file, group, "Leaving", findings->is_leaving);
    g_key_file_set_string(file, group, "Words", findings->words);
    g_key_file_set_string(file, group, "WindowWords", findings->window_words);
    g_key_file_set_string(file, group, "IssuerWords", findings->issuer_words);
}

GBytes *
signet_findings_to_text(const SignetFindings *findings)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    gsize size = 0;

    signet_findings_to_file(findings, file, GROUP);
    char *text = g_key_file_to_data(file, &size, NULL);
    return g_bytes_new_take(text, size);
}

/* --- reading: the first key that is wrong is remembered --- */

typedef struct {
    GKeyFile *file;
    const char *group;
    const char *bad_key;
} Reader;

static void
blame(Reader *reader, const char *key)
{
    if (!reader->bad_key)
        reader->bad_key = key;
}

static gint64
read_number(Reader *reader, const char *key, gint64 max)
{
    g_autoptr(GError) local = NULL;
    gint64 value = g_key_file_get_int64(reader->file, reader->group, key, &local);

    if (local || value < 0 || value > max)
        blame(reader, key);
    return value;
}

static void
read_words(Reader *reader, const char *key, char *field)
{
    g_autofree char *value = g_key_file_get_string(reader->file, reader->group, key, NULL);

    if (!value || strlen(value) > SIGNET_FINDINGS_WORDS_MAX)
        blame(reader, key);
    signet_findings_set_words(field, value);
}

static guint
read_looks(Reader *reader, const char *key)
{
    g_auto(GStrv) names = g_key_file_get_string_list(reader->file, reader->group, key, NULL, NULL);
    guint looks = 0;

    if (!names)
        blame(reader, key);
    for (char **name = names; name && *name; name++) {
        guint look = signet_look_from_name(*name);

        if (look == 0)
            blame(reader, key);
        looks |= look;
    }
    return looks;
}

static SignetStanding
read_standing(Reader *reader, const char *key)
{
    g_autofree char *value = g_key_file_get_string(reader->file, reader->group, key, NULL);
    SignetStanding standing = SIGNET_STANDING_UNKNOWN;

    if (!value || !signet_standing_from_name(value, &standing))
        blame(reader, key);
    return standing;
}

static gboolean
read_boolean(Reader *reader, const char *key)
{
    g_autoptr(GError) local = NULL;
    gboolean value = g_key_file_get_boolean(reader->file, reader->group, key, &local);

    if (local)
        blame(reader, key);
    return value;
}

const char *
signet_findings_from_file(SignetFindings *ret_findings, GKeyFile *file, const char *group)
{
    Reader reader = {.file = file, .group = group};
    SignetFindings findings;

    memset(&findings, 0, sizeof(findings)); /* padding too: machines are compared as bytes */
    memset(ret_findings, 0, sizeof(*ret_findings));
    if (!g_key_file_has_group(file, group))
        return NULL;
    findings.looks = read_looks(&reader, "Looks");
    findings.standing = read_standing(&reader, "Standing");
    findings.reason = (guint)read_number(&reader, "Reason", REASON_MAX);
    findings.revoked_s = read_number(&reader, "Revoked", TIME_MAX);
    findings.this_update_s = read_number(&reader, "ThisUpdate", TIME_MAX);
    findings.next_update_s = read_number(&reader, "NextUpdate", TIME_MAX);
    findings.window_start_s = read_number(&reader, "WindowStart", TIME_MAX);
    findings.window_end_s = read_number(&reader, "WindowEnd", TIME_MAX);
    findings.retry_after_s = read_number(&reader, "RetryAfter", G_MAXINT32);
    findings.is_leaving = read_boolean(&reader, "Leaving");
    read_words(&reader, "Words", findings.words);
    read_words(&reader, "WindowWords", findings.window_words);
    read_words(&reader, "IssuerWords", findings.issuer_words);
    if (findings.window_end_s != 0 && findings.window_end_s <= findings.window_start_s)
        blame(&reader, "WindowEnd");
    if (!reader.bad_key)
        *ret_findings = findings;
    return reader.bad_key;
}

gboolean
signet_findings_from_text(GBytes *text, SignetFindings *ret_findings, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    const char *bad_key;

    if (g_bytes_get_size(text) > TEXT_MAX ||
        !g_key_file_load_from_bytes(file, text, G_KEY_FILE_NONE, NULL) ||
        !g_key_file_has_group(file, GROUP))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "findings: not to be read");
    bad_key = signet_findings_from_file(ret_findings, file, GROUP);
    return !bad_key || signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                        "findings: %s= is missing or wrong", bad_key);
}
