/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Status and words of an answer as an error. */

#include "agent/enroller/refusal.h"

#include "agent/base/error.h"

#define WORDS_MAX 200

/* One line of plain characters. */
static char *
dup_words(const SignetHttpResponse *response)
{
    GString *words = g_string_new(NULL);

    if (g_strcmp0(response->content_type, "text/plain") != 0)
        return g_string_free(words, FALSE);
    for (guint i = 0; i < response->body->len && words->len < WORDS_MAX; i++) {
        guint8 byte = response->body->data[i];

        g_string_append_c(words, g_ascii_isprint(byte) ? (char)byte : ' ');
    }
    g_strstrip(words->str);
    if (words->str[0])
        g_string_prepend(words, ": ");
    return g_string_free(words, FALSE);
}

gboolean
signet_refusal_set(const SignetHttpResponse *response, const char *operation, GError **error)
{
    g_autofree char *words = dup_words(response);
    gboolean is_transient =
        response->status >= 500 || response->status == 408 || response->status == 429;

    return signet_error_set(
        error, is_transient ? SIGNET_ERROR_CA_UNREACHABLE : SIGNET_ERROR_CA_REFUSED,
        "the server answers %s with status %ld%s", operation, response->status, words);
}
