/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A TLS server on the loopback interface, in a library context without a configuration. */

#include "agent/probe/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/probe/say.h"

#define CLIENT_TIMEOUT_S 5
#define LIFETIME_S       3600

static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

static bool
add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool is_added = extension != NULL && X509_add_ext(certificate, extension, -1) > 0;
    X509_EXTENSION_free(extension);
    return is_added;
}

/* As strict as the strictest client wants it (Python 3.13). */
static bool
add_extensions(X509 *certificate)
{
    return add_extension(certificate, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, NID_authority_key_identifier, "keyid:always") &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
}

static X509 *
make_certificate(OSSL_LIB_CTX *library, EVP_PKEY *key)
{
    X509 *certificate = X509_new_ex(library, NULL);
    if (certificate == NULL)
        return NULL;
    X509_NAME *name = X509_get_subject_name(certificate);
    bool is_made = X509_set_version(certificate, X509_VERSION_3) &&
                   ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) &&
                   X509_gmtime_adj(X509_getm_notBefore(certificate), -LIFETIME_S) != NULL &&
                   X509_gmtime_adj(X509_getm_notAfter(certificate), LIFETIME_S) != NULL &&
                   X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                              (const unsigned char *)"localhost", -1, -1, 0) &&
                   X509_set_issuer_name(certificate, name) && X509_set_pubkey(certificate, key) &&
                   add_extensions(certificate) && X509_sign(certificate, key, EVP_sha256()) > 0;
    if (is_made)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static bool
write_certificate(const char *path, X509 *certificate)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "we");
    if (file == NULL)
        return false;
    bool is_written = PEM_write_X509(file, certificate) > 0;
    return fclose(file) == 0 && is_written;
}

static SSL_CTX *
make_server(OSSL_LIB_CTX *library, const char *certificate_file)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(library, NULL, "EC", "P-256");
    X509 *certificate = key == NULL ? NULL : make_certificate(library, key);
    SSL_CTX *server = SSL_CTX_new_ex(library, NULL, TLS_server_method());
    if (server == NULL || certificate == NULL ||
        SSL_CTX_use_certificate(server, certificate) <= 0 ||
        SSL_CTX_use_PrivateKey(server, key) <= 0 ||
        !write_certificate(certificate_file, certificate)) {
        SSL_CTX_free(server);
        server = NULL;
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return server;
}

static int
listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return -1;
    signet_say("port", "%u", ntohs(address.sin_port));
    return fd;
}

static void
answer_client(SSL_CTX *server, int client)
{
    const struct timeval patience = {.tv_sec = CLIENT_TIMEOUT_S};
    char request[4096];
    SSL *ssl = SSL_new(server);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (ssl != NULL && SSL_set_fd(ssl, client) && SSL_accept(ssl) > 0 &&
        SSL_read(ssl, request, sizeof(request)) > 0 &&
        SSL_write(ssl, answer, sizeof(answer) - 1) > 0)
        SSL_shutdown(ssl);
    ERR_clear_error();
    SSL_free(ssl);
    close(client);
}

static void
serve(SSL_CTX *server, int listener)
{
    struct pollfd waits[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = listener, .events = POLLIN}};
    while (poll(waits, 2, -1) > 0 || errno == EINTR) {
        if (waits[0].revents != 0)
            return;
        int client = waits[1].revents == 0 ? -1 : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            answer_client(server, client);
    }
}

bool
signet_serve(const char *certificate_file)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *software = library == NULL ? NULL : OSSL_PROVIDER_load(library, "default");
    SSL_CTX *server = software == NULL ? NULL : make_server(library, certificate_file);
    int listener = server == NULL ? -1 : listen_on_loopback();
    if (listener >= 0) {
        serve(server, listener);
        close(listener);
    } else {
        signet_say("error", "%s", strerror(errno));
    }
    SSL_CTX_free(server);
    if (software != NULL)
        OSSL_PROVIDER_unload(software);
    OSSL_LIB_CTX_free(library);
    return listener >= 0;
}
