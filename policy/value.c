/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The words that stand after '=' in policy files: numbers, durations, keys, kinds. */

#include "policy/value.h"

#include <string.h>

#include "policy/duration.h"
#include "policy/subject.h"

#define NAME_MAX_LENGTH    63
#define SUBJECT_MAX_LENGTH 1024
#define QUEUE_LIMIT_MAX    65536

static char *
set_string(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
    return NULL;
}

gboolean
signet_value_is_name(const char *name)
{
    gsize length = strlen(name);

    return length > 0 && length <= NAME_MAX_LENGTH && g_ascii_isalnum(*name) &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

/* "ec:P-384" → ec, 384. */
static gboolean
split_key(const char *key, const char **ret_bits)
{
    static const char *const known[] = {
        "ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048", "rsa:3072", "rsa:4096",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        if (g_str_equal(key, known[i])) {
            *ret_bits = known[i] + (known[i][0] == 'e' ? strlen("ec:P-") : strlen("rsa:"));
            return TRUE;
        }
    }
    return FALSE;
}

static guint
key_bits(const char *family, gsize family_length, const char *size, gsize size_length)
{
    g_autofree char *key =
        g_strdup_printf("%.*s%.*s", (int)family_length, family, (int)size_length, size);
    const char *bits = NULL;

    return split_key(key, &bits) ? (guint)g_ascii_strtoull(bits, NULL, 10) : 0;
}

/* The range that an item of [Limits] Keys= spans; FALSE when it is none. */
static gboolean
parse_key_limit(const char *item, guint *ret_min, guint *ret_max)
{
    const char *colon = strchr(item, ':');
    gsize family = colon ? (gsize)(colon + 1 - item) : 0;
    const char *low = item + family;
    const char *dots = strstr(low, "..");
    const char *high = dots ? dots + 2 : low;
    gsize low_length = dots ? (gsize)(dots - low) : strlen(low);
    guint min = 0, max = G_MAXUINT;

    if (!colon || (low_length == 0 && *high == '\0'))
        return FALSE;
    if (strncmp(item, "ec:", family) != 0 && strncmp(item, "rsa:", family) != 0)
        return FALSE;
    if (low_length > 0)
        min = key_bits(item, family, low, low_length);
    if (*high)
        max = key_bits(item, family, high, strlen(high));
    if ((low_length > 0 && min == 0) || max == 0 || min > max)
        return FALSE;
    *ret_min = min;
    *ret_max = max;
    return TRUE;
}

gboolean
signet_value_is_key_within(const char *key, const char *item)
{
    const char *bits = NULL;
    gsize family = strcspn(key, ":") + 1;
    guint min, max, size;

    if (g_str_equal(key, SIGNET_VALUE_ED25519))
        return g_str_equal(item, key);
    if (!split_key(key, &bits) || strncmp(key, item, family) != 0 ||
        !parse_key_limit(item, &min, &max))
        return FALSE;
    size = (guint)g_ascii_strtoull(bits, NULL, 10);
    return size >= min && size <= max;
}

gboolean
signet_value_is_key_limit(const char *item)
{
    guint min, max;

    return g_str_equal(item, SIGNET_VALUE_ED25519) || parse_key_limit(item, &min, &max);
}

char *
signet_value_set_name(const char *value, gpointer field)
{
    if (!signet_value_is_name(value))
        return g_strdup("not a name (small letters, digits, '_' and '-', at most 63, the first a "
                        "letter or a digit)");
    return set_string(field, value);
}

char *
signet_value_set_text(const char *value, gpointer field)
{
    if (!*value)
        return g_strdup("it is empty; leave the key out instead");
    return set_string(field, value);
}

char *
signet_value_set_account(const char *value, gpointer field)
{
    if (!*value || strlen(value) > 255 || strpbrk(value, " :/;,"))
        return g_strdup("not the name or the number of a user or group");
    return set_string(field, value);
}

char *
signet_value_set_key(const char *value, gpointer field)
{
    const char *bits = NULL;

    if (!g_str_equal(value, SIGNET_VALUE_ED25519) && !split_key(value, &bits))
        return g_strdup("not a key type; write " SIGNET_VALUE_KEYS);
    return set_string(field, value);
}

/* The first placeholder that signet_policy_expand() would not replace, or NULL. */
char *
signet_value_find_bad_placeholder(const char *value)
{
    for (const char *p = strchr(value, '%'); p; p = strchr(p + 2, '%')) {
        if (p[1] == '\0')
            return g_strdup("it ends with a single %; write %% for the character");
        if (!strchr("Hmi%", p[1]))
            return g_strdup_printf("'%%%.*s' is not a placeholder; write %%H (host name), %%m "
                                   "(machine id), %%i (identity) or %%%% for the character",
                                   (int)(g_utf8_next_char(p + 1) - (p + 1)), p + 1);
    }
    return NULL;
}

char *
signet_value_set_subject(const char *value, gpointer field)
{
    g_autoptr(GPtrArray) parts = NULL;
    char *problem = signet_value_find_bad_placeholder(value);

    if (problem)
        return problem;
    if (strlen(value) > SUBJECT_MAX_LENGTH)
        return g_strdup_printf("it is longer than %d bytes", SUBJECT_MAX_LENGTH);
    parts = signet_policy_subject_parse(value, &problem);
    return parts ? set_string(field, value) : problem;
}

char *
signet_value_set_duration(const char *value, gpointer field)
{
    gint64 seconds;

    if (!signet_duration_parse(value, &seconds) || seconds == 0)
        return g_strdup("not a duration; write for example 90s, 15min, 12h, 21d, 2w, 10y or "
                        "1h30min");
    *(gint64 *)field = seconds;
    return NULL;
}

char *
signet_value_set_duration_or_auto(const char *value, gpointer field)
{
    gint64 seconds = SIGNET_AUTO;

    if (!g_str_equal(value, "auto") && !signet_duration_parse(value, &seconds))
        return g_strdup("neither 'auto' nor a duration like 90s, 15min, 12h, 21d or 1h30min");
    *(gint64 *)field = seconds;
    return NULL;
}

char *
signet_value_set_mode(const char *value, gpointer field)
{
    gsize length = strlen(value);
    guint mode;

    if (length < 3 || length > 4 || value[strspn(value, "01234567")] != '\0')
        return g_strdup("not an octal file mode; write for example 0440");
    mode = (guint)g_ascii_strtoull(value, NULL, 8);
    if ((mode & 0400) == 0 || (mode & ~0644u) != 0)
        return g_strdup("the owner must be able to read, nobody may execute, and only the owner "
                        "may write; write for example 0440");
    *(guint *)field = mode;
    return NULL;
}

char *
signet_value_set_queue_limit(const char *value, gpointer field)
{
    guint64 limit = 0;

    if (!g_ascii_string_to_unsigned(value, 10, 1, QUEUE_LIMIT_MAX, &limit, NULL))
        return g_strdup_printf("not a number from 1 to %d", QUEUE_LIMIT_MAX);
    *(guint *)field = (guint)limit;
    return NULL;
}

char *
signet_value_set_boolean(const char *value, gpointer field)
{
    gboolean is_true = g_str_equal(value, "yes") || g_str_equal(value, "true");

    if (!is_true && !g_str_equal(value, "no") && !g_str_equal(value, "false"))
        return g_strdup("write yes or no");
    *(gboolean *)field = is_true;
    return NULL;
}

/* "66.7%": digits, at most one point, and the sign. */
static gboolean
parse_percent(const char *value, double *ret_percent)
{
    gsize whole = strspn(value, "0123456789");
    gsize point = value[whole] == '.' ? 1 : 0;
    gsize rest = point ? strspn(value + whole + 1, "0123456789") : 0;

    if (whole == 0 || whole > 3 || rest > 6 || (point && rest == 0) ||
        !g_str_equal(value + whole + point + rest, "%"))
        return FALSE;
    *ret_percent = g_ascii_strtod(value, NULL);
    return TRUE;
}

char *
signet_value_set_jitter(const char *value, gpointer field)
{
    double percent;

    if (!parse_percent(value, &percent) || percent > 50)
        return g_strdup("not a percentage from 0% to 50%");
    *(double *)field = percent;
    return NULL;
}

char *
signet_value_set_renew(const char *value, gpointer field)
{
    SignetRotationProfile *profile = field;
    double percent;
    gint64 seconds;

    if (g_str_equal(value, "auto")) {
        profile->renew_kind = SIGNET_RENEW_AUTO;
        return NULL;
    }
    if (parse_percent(value, &percent) && percent >= 1 && percent <= 99) {
        profile->renew_kind = SIGNET_RENEW_PERCENT;
        profile->renew_percent = percent;
        return NULL;
    }
    if (signet_duration_parse(value, &seconds) && seconds > 0) {
        profile->renew_kind = SIGNET_RENEW_BEFORE;
        profile->renew_before_s = seconds;
        return NULL;
    }
    return g_strdup("write auto, a part of the lifetime from 1% to 99%, or a time before expiry "
                    "like 21d");
}

char *
signet_value_set_new_key(const char *value, gpointer field)
{
    SignetRotationProfile *profile = field;
    gint64 seconds = 0;

    if (g_str_equal(value, "always")) {
        profile->new_key = SIGNET_NEW_KEY_ALWAYS;
    } else if (g_str_equal(value, "never")) {
        profile->new_key = SIGNET_NEW_KEY_NEVER;
    } else if (g_str_has_prefix(value, "age:") &&
               signet_duration_parse(value + strlen("age:"), &seconds) && seconds > 0) {
        profile->new_key = SIGNET_NEW_KEY_AGE;
        profile->new_key_age_s = seconds;
    } else {
        return g_strdup("write always, never, or the age of a key that is old enough like age:90d");
    }
    return NULL;
}
