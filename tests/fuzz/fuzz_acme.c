/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of ACME: what a server answers, and what the account's key is asked to sign. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enroll/base64url.h"
#include "agent/enroll/grant.h"
#include "agent/enroller/acme-read.h"
#include "tests/fuzz/fuzz.h"

static void
require(gboolean holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

static gboolean
is_graph(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (!g_ascii_isgraph(*p))
            return FALSE;
    }
    return *text != '\0';
}

static void
check_words(const char *words)
{
    for (const char *p = words; p && *p; p++)
        require(g_ascii_isprint(*p), "words for people are printable");
    require(!words || strlen(words) < 8192, "and not endless");
}

static void
read_order(GBytes *json)
{
    g_auto(SignetAcmeOrder) order = {0};

    if (!signet_acme_order_read(&order, json, NULL))
        return;
    require(order.authorizations[0] && order.identifiers[0], "an order is for something");
    require(is_graph(order.authorizations[0]) && is_graph(order.finalize), "URLs are printable");
    require(order.status != SIGNET_ACME_VALID || order.certificate, "where a certificate is");
    check_words(order.problem);
}

static void
read_authorization(GBytes *json)
{
    g_auto(SignetAcmeAuthorization) authorization = {0};

    if (!signet_acme_authorization_read(&authorization, json, NULL))
        return;
    require(is_graph(authorization.value), "a name is printable");
    for (guint i = 0; i < authorization.challenges->len; i++) {
        const SignetAcmeChallenge *challenge = authorization.challenges->pdata[i];

        require(!strpbrk(challenge->token, "/.\\ %"), "a token is no path");
        check_words(challenge->problem);
    }
}

static void
read_rest(GBytes *json)
{
    g_auto(SignetAcmeDirectory) directory = {0};
    g_auto(SignetAcmeProblem) problem = {0};
    gint64 start_s = 0, end_s = 0;

    if (signet_acme_directory_read(&directory, json, NULL))
        require(is_graph(directory.new_nonce), "URLs are printable");
    signet_acme_problem_read(&problem, json);
    require(problem.type && problem.words, "a problem has a type and words");
    check_words(problem.words);
    g_autofree char *explanation = NULL;
    if (signet_acme_window_read(json, &start_s, &end_s, &explanation, NULL))
        require(start_s >= 0 && start_s < end_s, "a window begins before it ends");
}

/* The bytes as header and payload, split at the first zero. */
static GBytes *
make_jws(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, '\0', size) : NULL;
    size_t n = zero ? (size_t)(zero - data) : size;
    g_autofree char *head = signet_base64url_encode(data, n);
    g_autofree char *body = zero ? signet_base64url_encode(zero + 1, size - n - 1) : g_strdup("");
    char *text = g_strconcat(head, ".", body, NULL);

    return g_bytes_new_take(text, strlen(text));
}

static void
ask(GBytes *message)
{
    static const char *const dns[] = {"a.example", NULL};
    const SignetJobRequest request = {
        .identity = "a",
        .protocol = "acme",
        .subject = "",
        .dns = dns,
        .remote = {.url = "https://ca.example/dir", .account_identity = "acme.a"},
    };
    gsize size = 0;
    const char *text = g_bytes_get_data(message, &size);

    if (!signet_grant_allows_jws(&request, message, NULL))
        return;
    g_autoptr(GBytes) head =
        signet_base64url_decode(text, (gsize)((const char *)memchr(text, '.', size) - text));
    require(head && memmem(g_bytes_get_data(head, NULL), g_bytes_get_size(head), "nonce", 5),
            "what is signed has a nonce");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) json = g_bytes_new(data, size);
    g_autoptr(GBytes) jws = make_jws(data, size);

    read_order(json);
    read_authorization(json);
    read_rest(json);
    ask(json);
    ask(jws);
    return 0;
}
