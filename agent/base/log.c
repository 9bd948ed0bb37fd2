/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Structured log records for the edges of the agent: to the journal when it reads our stderr, else
 * as readable lines. */

/* Records name their objects; the file and line of the one place that sends them say nothing. */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include "agent/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define MAX_FIELDS 32

static const char *const level_names[] = {
    "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
};

/* What a message must never do to a reader's terminal or to a line-based log. */
static gboolean
is_unprintable(gunichar c)
{
    switch ((int)g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return TRUE;
    default:
        return FALSE;
    }
}

static void
append_clean(GString *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (!is_unprintable(c))
            g_string_append_unichar(out, c);
        else
            g_string_append_c(out, c == '\n' || c == '\t' ? ' ' : '?');
    }
}

char *
signet_log_format(int priority, gint64 time_us, const char *const *fields, const char *message)
{
    g_autoptr(GDateTime) seconds = g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);
    g_autofree char *stamp = seconds ? g_date_time_format(seconds, "%Y-%m-%dT%H:%M:%S") : NULL;
    GString *line = g_string_new(NULL);
    const char *separator = " [";

    g_string_append_printf(line, "%s.%03dZ %s ", stamp ? stamp : "?", (int)(time_us / 1000 % 1000),
                           level_names[CLAMP(priority, 0, 7)]);
    append_clean(line, message);
    for (; fields && fields[0]; fields += 2) {
        if (!fields[1])
            continue;
        g_string_append_printf(line, "%s%s=", separator, fields[0]);
        append_clean(line, fields[1]);
        separator = " ";
    }
    if (separator[1] == '\0')
        g_string_append_c(line, ']');
    g_string_append_c(line, '\n');
    return g_string_free(line, FALSE);
}

/* systemd.exec(5): the variable names device and inode of the stream that the journal reads. It is
 * inherited by children that redirect stderr elsewhere, so the numbers decide. */
static gboolean
stderr_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static char *
journal_field(const char *name, const char *value)
{
    GString *field = g_string_new(name);

    g_string_append_c(field, '=');
    append_clean(field, value);
    return g_string_free(field, FALSE);
}

static gboolean
send_to_journal(int priority, const char *const *fields, const char *message)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_free);
    struct iovec vectors[MAX_FIELDS + 2];

    g_ptr_array_add(items, journal_field("MESSAGE", message));
    g_ptr_array_add(items, g_strdup_printf("PRIORITY=%d", CLAMP(priority, 0, 7)));
    for (; fields && fields[0] && items->len < G_N_ELEMENTS(vectors); fields += 2) {
        if (fields[1])
            g_ptr_array_add(items, journal_field(fields[0], fields[1]));
    }
    for (guint i = 0; i < items->len; i++)
        vectors[i] = (struct iovec) {items->pdata[i], strlen(items->pdata[i])};
    return sd_journal_sendv(vectors, (int)items->len) == 0;
}

static void
print_line(int priority, const char *const *fields, const char *message)
{
    g_autofree char *line = signet_log_format(priority, g_get_real_time(), fields, message);

    /* One write, so that lines of several processes do not mix; nobody can be told when it fails.
     */
    if (write(STDERR_FILENO, line, strlen(line)) < 0)
        return;
}

void
signet_log(int priority, const char *const *fields, const char *format, ...)
{
    g_autofree char *message = NULL;
    int saved_errno = errno;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);

    if (!stderr_is_journal() || !send_to_journal(priority, fields, message))
        print_line(priority, fields, message);
    errno = saved_errno;
}
