/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One libcurl handle per request, or per conversation. */

#include "agent/enroller/http.h"

#include <curl/curl.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroller/http-tls.h"

#define HEADERS_MAX      65536u
#define REDIRECTIONS_MAX 3
#define CONNECT_MAX_MS   20000
/* A server that sends less than this for so long has gone to sleep. */
#define LOW_SPEED_BYTES 32L
#define LOW_SPEED_S     20L
#define TIMEOUT_MS      120000u
#define PASSWORD_MAX    1024

struct SignetHttp {
    SignetCrypto *crypto;          /* (unowned): outlives us */
    const SignetJobRemote *remote; /* (unowned): outlives us */
    SignetHttpTls tls;             /* (owned) */
    SignetSecret *password;        /* (owned, nullable) */
    CURL *kept;                    /* (owned, nullable) with the connection of the last request */
    gint64 deadline_us;            /* monotonic */
};

/* One request and its answer. */
typedef struct {
    SignetHttp *http;
    const SignetHttpRequest *request;
    SignetHttpResponse *response;
    const char *url;            /* where it goes now: redirections */
    CURL *curl;                 /* (owned) */
    CURLU *target;              /* (owned) url, taken apart */
    char *server;               /* (owned) of target: "https://ca.example.org:8443" */
    struct curl_slist *headers; /* (owned) */
    GBytes *made;               /* (owned, nullable) the body that was made for it */
    gsize n_sent;               /* of made */
    GError *failure;            /* (owned, nullable) why it could not be made */
    char words[CURL_ERROR_SIZE];
    gboolean is_too_large;
} Exchange;

static void
exchange_clear(Exchange *exchange)
{
    if (exchange->request->is_kept)
        exchange->http->kept = exchange->curl;
    else
        curl_easy_cleanup(exchange->curl);
    curl_url_cleanup(exchange->target);
    curl_slist_free_all(exchange->headers);
    g_clear_pointer(&exchange->made, g_bytes_unref);
    g_clear_error(&exchange->failure);
    g_free(exchange->server);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Exchange, exchange_clear)

/* --- the server's name --- */

static char *
take_part(CURLU *target, CURLUPart part)
{
    char *text = NULL;
    char *copy;

    if (curl_url_get(target, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return NULL;
    copy = g_strdup(text);
    curl_free(text);
    return copy;
}

/* Scheme, host and port: what has to stay the same through redirections. NULL when it is no URL. */
static char *
dup_server(CURLU *target)
{
    g_autofree char *scheme = take_part(target, CURLUPART_SCHEME);
    g_autofree char *host = take_part(target, CURLUPART_HOST);
    g_autofree char *port = take_part(target, CURLUPART_PORT);

    if (!scheme || !host || !port)
        return NULL;
    g_autofree char *server = g_strdup_printf("%s://%s:%s", scheme, host, port);
    return g_ascii_strdown(server, -1);
}

static gboolean
set_target(Exchange *exchange, GError **error)
{
    const SignetHttpRequest *request = exchange->request;

    exchange->target = curl_url();
    if (curl_url_set(exchange->target, CURLUPART_URL, exchange->url, 0) == CURLUE_OK)
        exchange->server = dup_server(exchange->target);
    if (!exchange->server)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "'%s' is not a URL",
                                exchange->url);
    if (g_str_has_prefix(exchange->server, "https://") ||
        (request->is_plain_enough && g_str_has_prefix(exchange->server, "http://")))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "'%s' is not https", exchange->server);
}

/* --- the answer --- */

static size_t
on_body(char *data, size_t size, size_t count, void *user)
{
    Exchange *exchange = user;
    GByteArray *body = exchange->response->body;
    gsize max = exchange->request->body_max ? exchange->request->body_max : SIGNET_HTTP_BODY_MAX;

    exchange->is_too_large = size * count > max - MIN(body->len, max);
    if (exchange->is_too_large)
        return 0;
    g_byte_array_append(body, (const guint8 *)data, (guint)(size * count));
    return size * count;
}

static size_t
on_header(char *data, size_t size, size_t count, void *user)
{
    Exchange *exchange = user;
    GString *headers = exchange->response->headers;

    /* What came before (100 Continue) was another answer. */
    if (size * count > 5 && memcmp(data, "HTTP/", 5) == 0)
        g_string_truncate(headers, 0);
    exchange->is_too_large = size * count > HEADERS_MAX - headers->len;
    if (exchange->is_too_large)
        return 0;
    g_string_append_len(headers, data, (gssize)(size * count));
    return size * count;
}

static CURLcode
on_context(CURL *curl, void *context, void *user)
{
    Exchange *exchange = user;

    exchange->http->tls.is_provisional = exchange->request->is_provisional;
    if (signet_http_tls_prepare(&exchange->http->tls, context))
        return CURLE_OK;
    g_autofree char *reason = signet_openssl_dup_reason();
    g_snprintf(exchange->words, sizeof(exchange->words),
               "the certificate that authenticates this machine cannot be used: %s", reason);
    return CURLE_SSL_CERTPROBLEM;
}

/* --- the request --- */

static gboolean
make_body(Exchange *exchange)
{
    const SignetHttpRequest *request = exchange->request;
    const SignetHttpTls *tls = &exchange->http->tls;
    g_autoptr(GBytes) unique = g_bytes_new(tls->unique, tls->unique_size);

    if (tls->unique_size == 0)
        return signet_error_set(&exchange->failure, SIGNET_ERROR_UNSUPPORTED,
                                "the connection to %s has nothing that a request can be tied to",
                                exchange->server);
    exchange->made = request->make_body(unique, request->make_data, &exchange->failure);
    if (!exchange->made || g_bytes_get_size(exchange->made) == request->body_size)
        return exchange->made != NULL;
    return signet_error_set(&exchange->failure, SIGNET_ERROR_FAILED,
                            "the request has another size than was said");
}

static size_t
on_read(char *buffer, size_t size, size_t count, void *user)
{
    Exchange *exchange = user;
    gsize made_size = 0;

    if (!exchange->made && !make_body(exchange))
        return CURL_READFUNC_ABORT;
    const guint8 *made = g_bytes_get_data(exchange->made, &made_size);
    gsize n = MIN(size * count, made_size - exchange->n_sent);
    memcpy(buffer, made + exchange->n_sent, n);
    exchange->n_sent += n;
    return n;
}

static void
add_header(Exchange *exchange, const char *name, const char *value)
{
    g_autofree char *line = g_strdup_printf("%s: %s", name, value);

    exchange->headers = curl_slist_append(exchange->headers, line);
}

static void
set_headers(Exchange *exchange)
{
    const SignetHttpRequest *request = exchange->request;

    if (request->body || request->make_body)
        add_header(exchange, "Content-Type", request->content_type);
    if (request->accept)
        add_header(exchange, "Accept", request->accept);
    /* no waiting for "100 Continue" */
    exchange->headers = curl_slist_append(exchange->headers, "Expect:");
    for (const char *const *line = request->headers; line && *line; line++)
        exchange->headers = curl_slist_append(exchange->headers, *line);
    curl_easy_setopt(exchange->curl, CURLOPT_HTTPHEADER, exchange->headers);
}

static void
set_body(Exchange *exchange)
{
    const SignetHttpRequest *request = exchange->request;
    gsize size = 0;

    if (request->body) {
        const char *data = g_bytes_get_data(request->body, &size);

        curl_easy_setopt(exchange->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
        curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDS, data ? data : "");
    } else if (request->make_body) {
        curl_easy_setopt(exchange->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->body_size);
        curl_easy_setopt(exchange->curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(exchange->curl, CURLOPT_READDATA, exchange);
    } else if (g_strcmp0(request->method, "HEAD") == 0) {
        curl_easy_setopt(exchange->curl, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(exchange->curl, CURLOPT_HTTPGET, 1L);
    }
    if (request->method)
        curl_easy_setopt(exchange->curl, CURLOPT_CUSTOMREQUEST, request->method);
}

/* A connection of its own, to the named server, by our own rules. */
static void
set_connection(Exchange *exchange)
{
    CURL *curl = exchange->curl;
    const SignetJobRemote *remote = exchange->http->remote;

    curl_easy_setopt(curl, CURLOPT_CURLU, exchange->target);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
                     exchange->request->is_plain_enough ? "https,http" : "https");
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, exchange->request->is_kept ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, exchange->request->is_kept ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_PROXY, remote->proxy ? remote->proxy : "");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPPROXYTUNNEL,
                     g_str_has_prefix(exchange->server, "https:") ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "signet-enroll");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->words);
}

static void
set_tls(Exchange *exchange)
{
    CURL *curl = exchange->curl;

    long newest = exchange->request->make_body ? CURL_SSLVERSION_MAX_TLSv1_2 : 0;

    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2 | newest);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_context);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, exchange);
}

/* FALSE: no time is left. */
static gboolean
set_limits(Exchange *exchange)
{
    CURL *curl = exchange->curl;
    gint64 left_ms = signet_http_get_time_left(exchange->http);

    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CLAMP(left_ms, 1, CONNECT_MAX_MS));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)MAX(left_ms, 1));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    return left_ms > 0;
}

static void
set_password(Exchange *exchange)
{
    gsize size = 0;
    char text[PASSWORD_MAX + 1];
    const char *secret;

    if (!exchange->http->password || exchange->request->is_provisional ||
        !g_str_has_prefix(exchange->server, "https:"))
        return;
    secret = signet_secret_get(exchange->http->password, &size);
    memcpy(text, secret, size);
    text[size] = '\0';
    char *colon = strchr(text, ':');
    *colon = '\0';
    curl_easy_setopt(exchange->curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(exchange->curl, CURLOPT_USERNAME, text);
    curl_easy_setopt(exchange->curl, CURLOPT_PASSWORD, colon + 1);
    OPENSSL_cleanse(text, sizeof(text));
}

/* --- what went wrong --- */

/* A server that does not want a certificate says so by an alert, which gets lost where it closes
 * the connection at once: in TLS 1.3 we are sending by then. */
static const char *
find_refusal(const Exchange *exchange, CURLcode code)
{
    const SignetHttpTls *tls = &exchange->http->tls;
    gboolean is_broken_off = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
                             code == CURLE_GOT_NOTHING || code == CURLE_SSL_CONNECT_ERROR;

    if (tls->refusal)
        return tls->refusal;
    if (is_broken_off && tls->key && tls->is_believed && exchange->response->headers->len == 0)
        return "it breaks the connection off";
    return NULL;
}

/* libcurl's codes are not an enum of ours: what is not named here is a connection that failed. */
static gboolean
explain(const Exchange *exchange, CURLcode code, GError **error)
{
    const char *server = exchange->server;
    const char *refusal = find_refusal(exchange, code);
    const char *words = exchange->words[0] ? exchange->words : curl_easy_strerror(code);

    if (exchange->failure) {
        g_propagate_error(error, g_error_copy(exchange->failure));
        return FALSE;
    }
    if (exchange->is_too_large)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the answer of %s is larger than it may be", server);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return signet_error_set(error, SIGNET_ERROR_TIMED_OUT, "%s does not answer in time: %s",
                                server, words);
    if (code == CURLE_PARTIAL_FILE ||
        (code == CURLE_RECV_ERROR && exchange->response->headers->len > 0))
        return signet_error_set(error, SIGNET_ERROR_CA_UNREACHABLE, "the answer of %s breaks off",
                                server);
    if (exchange->http->tls.distrust)
        return signet_error_set(error, SIGNET_ERROR_CA_UNREACHABLE,
                                "the certificate of %s is not trusted: %s; see Trust= and Pin= of "
                                "the CA",
                                server, exchange->http->tls.distrust);
    if (refusal)
        return signet_error_set(error, SIGNET_ERROR_DENIED, "%s does not accept %s: %s", server,
                                exchange->http->tls.key ? "this machine's certificate"
                                                        : "clients without a certificate",
                                refusal);
    return signet_error_set(error, SIGNET_ERROR_CA_UNREACHABLE, "cannot talk to %s: %s", server,
                            words);
}

/* --- all of it --- */

static char *
dup_content_type(CURL *curl)
{
    char *type = NULL;

    if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK || !type)
        return NULL;
    g_autofree char *bare = g_strndup(type, strcspn(type, "; \t"));
    return g_ascii_strdown(bare, -1);
}

static void
read_answer(Exchange *exchange)
{
    SignetHttpResponse *response = exchange->response;
    curl_off_t retry_after_s = 0;

    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &response->status);
    curl_easy_getinfo(exchange->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    response->retry_after_s = (guint)CLAMP(retry_after_s, 0, G_MAXINT32);
    response->content_type = dup_content_type(exchange->curl);
}

static CURL *
take_handle(Exchange *exchange)
{
    CURL *kept = exchange->request->is_kept ? g_steal_pointer(&exchange->http->kept) : NULL;

    if (!kept)
        return curl_easy_init();
    curl_easy_reset(kept); /* all but its connections */
    return kept;
}

static gboolean
perform(Exchange *exchange, GError **error)
{
    CURLcode code;

    signet_http_response_clear(exchange->response);
    exchange->response->body = g_byte_array_new();
    exchange->response->headers = g_string_new(NULL);
    exchange->http->tls.distrust = exchange->http->tls.refusal = NULL;
    exchange->http->tls.is_believed = FALSE;
    if (!set_target(exchange, error))
        return FALSE;
    exchange->curl = take_handle(exchange);
    set_connection(exchange);
    set_tls(exchange);
    set_headers(exchange);
    set_body(exchange);
    set_password(exchange);
    code = set_limits(exchange) ? curl_easy_perform(exchange->curl) : CURLE_OPERATION_TIMEDOUT;
    ERR_clear_error();
    if (code != CURLE_OK)
        return explain(exchange, code, error);
    read_answer(exchange);
    return TRUE;
}

/* Where the answer sends us; NULL: nowhere. Owned by the caller. */
static char *
dup_redirection(const Exchange *exchange)
{
    long status = exchange->response->status;
    char *url = NULL;

    if (status != 301 && status != 302 && status != 307 && status != 308)
        return NULL;
    curl_easy_getinfo(exchange->curl, CURLINFO_REDIRECT_URL, &url);
    return g_strdup(url);
}

static gboolean
is_same_server(const Exchange *exchange, const char *url)
{
    CURLU *target = curl_url();
    g_autofree char *server =
        curl_url_set(target, CURLUPART_URL, url, 0) == CURLUE_OK ? dup_server(target) : NULL;

    curl_url_cleanup(target);
    return g_strcmp0(server, exchange->server) == 0;
}

gboolean
signet_http_do(SignetHttp *http, const SignetHttpRequest *request, SignetHttpResponse *response,
               GError **error)
{
    g_autofree char *url = g_strdup(request->url);

    for (guint i = 0; i <= REDIRECTIONS_MAX; i++) {
        g_auto(Exchange)
            exchange = {.http = http, .request = request, .response = response, .url = url};
        g_autofree char *next = NULL;

        if (!perform(&exchange, error))
            return FALSE;
        next = dup_redirection(&exchange);
        if (!next)
            return TRUE;
        if (!is_same_server(&exchange, next))
            return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                    "%s redirects to another server; if that is right, write it "
                                    "as Url= of the CA",
                                    exchange.server);
        g_free(url);
        url = g_steal_pointer(&next);
    }
    return signet_error_set(error, SIGNET_ERROR_CORRUPT, "'%s' redirects without end",
                            request->url);
}

/* --- making one --- */

static gboolean
check_library(GError **error)
{
    const curl_version_info_data *info;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return signet_error_set(error, SIGNET_ERROR_FAILED, "cannot start libcurl");
    info = curl_version_info(CURLVERSION_NOW);
    if (info->ssl_version && g_str_has_prefix(info->ssl_version, "OpenSSL/"))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                            "libcurl uses '%s', but keys in a token need the one with OpenSSL",
                            info->ssl_version ? info->ssl_version : "no TLS");
}

SignetHttp *
signet_http_new(SignetCrypto *crypto, const SignetJobRemote *remote, GError **error)
{
    g_autoptr(SignetHttp) http = g_new0(SignetHttp, 1);
    gint64 timeout_ms = remote->timeout_s ? (gint64)remote->timeout_s * 1000 : TIMEOUT_MS;

    http->crypto = crypto;
    http->remote = remote;
    http->deadline_us = g_get_monotonic_time() + timeout_ms * 1000;
    http->tls.anchors = sk_X509_new_null();
    http->tls.is_system = remote->is_system;
    http->tls.pins = remote->pins;
    if (!check_library(error))
        return NULL;
    if (remote->anchors && !signet_http_tls_add_anchors(&http->tls, remote->anchors, error))
        return NULL;
    return g_steal_pointer(&http);
}

void
signet_http_free(SignetHttp *http)
{
    curl_easy_cleanup(http->kept);
    signet_http_tls_clear(&http->tls);
    g_clear_pointer(&http->password, signet_secret_unref);
    g_free(http);
}

gint64
signet_http_get_time_left(const SignetHttp *http)
{
    return (http->deadline_us - g_get_monotonic_time()) / 1000;
}

void
signet_http_add_anchor(SignetHttp *http, X509 *anchor)
{
    if (sk_X509_push(http->tls.anchors, anchor) > 0)
        X509_up_ref(anchor);
}

gboolean
signet_http_has_anchors(const SignetHttp *http)
{
    return sk_X509_num(http->tls.anchors) > 0 || http->tls.is_system;
}

gboolean
signet_http_is_pinned(const SignetHttp *http, X509 *certificate)
{
    return signet_http_tls_is_pinned(http->tls.pins, certificate);
}

X509 *
signet_http_get_certificate(const SignetHttp *http)
{
    return http->tls.chain ? sk_X509_value(http->tls.chain, 0) : NULL;
}

gboolean
signet_http_use_identity(SignetHttp *http, const char *identity, guint32 generation, GError **error)
{
    g_clear_pointer(&http->tls.chain, signet_x509_stack_free);
    g_clear_pointer(&http->tls.key, EVP_PKEY_free);
    if (!identity)
        return TRUE;
    return signet_crypto_load_identity(http->crypto, identity, generation, &http->tls.key,
                                       &http->tls.chain, error);
}

gboolean
signet_http_use_password(SignetHttp *http, SignetSecret *secret, GError **error)
{
    gsize size = 0;
    const char *text = secret ? signet_secret_get(secret, &size) : NULL;

    g_clear_pointer(&http->password, signet_secret_unref);
    if (!secret)
        return TRUE;
    if (size > PASSWORD_MAX || !memchr(text, ':', size) || memchr(text, '\0', size))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "the CA's secret is not of the form user:password");
    http->password = signet_secret_ref(secret);
    return TRUE;
}

/* --- answers --- */

void
signet_http_response_clear(SignetHttpResponse *response)
{
    g_clear_pointer(&response->body, g_byte_array_unref);
    g_clear_pointer(&response->content_type, g_free);
    if (response->headers)
        g_string_free(response->headers, TRUE);
    *response = (SignetHttpResponse) {0};
}

char *
signet_http_response_dup_header(const SignetHttpResponse *response, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(response->headers ? response->headers->str : "", "\n", -1);
    gsize length = strlen(name);

    for (char **line = lines; *line; line++) {
        if (g_ascii_strncasecmp(*line, name, length) == 0 && (*line)[length] == ':')
            return g_strstrip(g_strdup(*line + length + 1));
    }
    return NULL;
}
