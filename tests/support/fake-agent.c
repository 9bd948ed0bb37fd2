/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A stand-in for signetd in the tests of what applications load: software keys, two generations of
 * each identity, every request allowed and written to a log.
 *
 *   fake-agent --socket PATH --live DIR --log FILE NAME=TYPE...
 *
 * TYPE is that of Key= ("ec:P-256", "rsa:2048"), or "denied". Keys are kept in DIR/keys, so that a
 * second start has the same; DIR/NAME/GENERATION/ gets the files an application is given;
 * DIR/ca.pem is the issuer of all. Generation 2 is current, after SIGUSR1 generation 1. Writes
 * "ready" to stdout when it listens. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "provider/wire/reference.h"
#include "provider/wire/wire.h"

#define GENERATIONS    2u
#define IDENTITIES_MAX 64

struct generation {
    EVP_PKEY *key;
    uint8_t *spki;
    size_t spki_size;
    uint8_t *chain;
    size_t chain_size;
};

struct identity {
    char name[SIGNET_WIRE_NAME_MAX + 1];
    uint32_t type; /* 0: denied */
    struct generation generations[GENERATIONS];
};

static struct identity identities[IDENTITIES_MAX];
static size_t identity_count;
static EVP_PKEY *ca_key;
static X509 *ca_cert;
static int log_fd = -1;
static const char *live_dir;
static volatile sig_atomic_t current = GENERATIONS;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static FILE *
create(const char *path)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        die("%s: %s", path, strerror(errno));
    return file;
}

static EVP_PKEY *
generate(uint32_t type)
{
    if (signet_key_type_is_rsa(type))
        return EVP_RSA_gen(signet_key_type_bits(type));
    if (type == SIGNET_KEY_ED25519)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return EVP_EC_gen(signet_key_type_name(type) + strlen("ec:"));
}

static EVP_PKEY *
kept_key(const char *name, unsigned number, uint32_t type)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/keys/%s-%u.pem", live_dir, name, number);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
        return key;
    }
    EVP_PKEY *key = generate(type);
    file = create(path);
    if (key == NULL || !PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL))
        die("cannot make a key for %s", name);
    fclose(file);
    return key;
}

static void
add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, ca_cert != NULL ? ca_cert : cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (extension == NULL || !X509_add_ext(cert, extension, -1))
        die("cannot add an extension");
    X509_EXTENSION_free(extension);
}

static X509 *
issue(const char *name, unsigned serial, EVP_PKEY *key)
{
    bool is_ca = ca_cert == NULL;
    X509 *cert = X509_new();
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(is_ca ? cert : ca_cert));
    X509_set_pubkey(cert, key);
    add_extension(cert, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(cert, NID_key_usage,
                  is_ca ? "critical,keyCertSign,cRLSign"
                        : "critical,digitalSignature,keyEncipherment,keyAgreement");
    if (!is_ca)
        add_extension(cert, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,email:a@example.org");
    if (!X509_sign(cert, is_ca ? key : ca_key, EVP_sha256()))
        die("cannot issue a certificate for %s", name);
    return cert;
}

static void
append_der(struct generation *g, X509 *cert)
{
    uint8_t *der = NULL;
    int size = i2d_X509(cert, &der);
    g->chain = OPENSSL_realloc(g->chain, g->chain_size + (size_t)size);
    memcpy(g->chain + g->chain_size, der, (size_t)size);
    g->chain_size += (size_t)size;
    OPENSSL_free(der);
}

static void
write_reference(FILE *file, const uint8_t *der, size_t size)
{
    fputs("This is no private key, but the name of one that the Signet agent keeps.\n", file);
    PEM_write(file, PEM_STRING_PKCS8INF, "", der, (long)size);
}

static void
write_live(const struct identity *identity, uint32_t number, X509 *leaf)
{
    char dir[512], path[600];
    snprintf(dir, sizeof(dir), "%s/%s", live_dir, identity->name);
    mkdir(dir, 0755);
    snprintf(dir, sizeof(dir), "%s/%s/%u", live_dir, identity->name, number);
    mkdir(dir, 0755);

    struct signet_reference reference = {.generation = number,
                                         .family = (uint8_t)signet_key_type_family(identity->type)};
    strcpy(reference.identity, identity->name);
    uint8_t der[SIGNET_REFERENCE_DER_MAX];
    size_t size = signet_reference_to_der(&reference, der, sizeof(der));
    static const char *const names[] = {"key.pem", "key.der", "cert.pem", "fullchain.pem",
                                        "identity.pem"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        FILE *file = create(path);
        bool with_key = strncmp(names[i], "key", 3) == 0 || strcmp(names[i], "identity.pem") == 0;
        if (strcmp(names[i], "key.der") == 0)
            fwrite(der, 1, size, file);
        else if (with_key)
            write_reference(file, der, size);
        if (strncmp(names[i], "key", 3) != 0)
            PEM_write_X509(file, leaf);
        if (strcmp(names[i], "fullchain.pem") == 0 || strcmp(names[i], "identity.pem") == 0)
            PEM_write_X509(file, ca_cert);
        fclose(file);
    }
}

static void
make_ca(void)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/keys", live_dir);
    mkdir(live_dir, 0755);
    mkdir(path, 0700);
    ca_key = kept_key("ca", 0, SIGNET_KEY_EC_P256);
    ca_cert = issue("Signet test CA", 1, ca_key);
    snprintf(path, sizeof(path), "%s/ca.pem", live_dir);
    FILE *file = create(path);
    PEM_write_X509(file, ca_cert);
    fclose(file);
}

static void
add_identity(const char *argument)
{
    const char *equals = strchr(argument, '=');
    if (equals == NULL || identity_count == IDENTITIES_MAX ||
        !signet_wire_name_is_valid(argument, (size_t)(equals - argument)))
        die("not NAME=TYPE: %s", argument);
    struct identity *identity = &identities[identity_count];
    memcpy(identity->name, argument, (size_t)(equals - argument));
    identity->type = signet_key_type_from_name(equals + 1);
    identity_count++;
    if (identity->type == 0 && strcmp(equals + 1, "denied") != 0)
        die("not a key type: %s", equals + 1);
    for (uint32_t i = 0; i < GENERATIONS && identity->type != 0; i++) {
        struct generation *g = &identity->generations[i];
        g->key = kept_key(identity->name, i + 1, identity->type);
        g->spki_size = (size_t)i2d_PUBKEY(g->key, &g->spki);
        X509 *leaf = issue(identity->name, (unsigned)identity_count * 16 + i + 1, g->key);
        append_der(g, leaf);
        append_der(g, ca_cert);
        write_live(identity, i + 1, leaf);
        X509_free(leaf);
    }
}

/* One request being answered. */
struct exchange {
    uint8_t op;
    int fd;
    struct signet_wire_reader *in;
    struct signet_wire_writer *out;
    enum signet_wire_status status;
    char text[SIGNET_WIRE_TEXT_MAX];
};

static void __attribute__((format(printf, 3, 4)))
refuse(struct exchange *x, enum signet_wire_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    x->status = status;
    vsnprintf(x->text, sizeof(x->text), format, arguments);
    va_end(arguments);
}

static void __attribute__((format(printf, 1, 2))) log_line(const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (log_fd >= 0 && write(log_fd, line, (size_t)size) != size)
        die("cannot write to the log");
}

static struct generation *
find(struct exchange *x, struct signet_bytes name, uint32_t *number, struct signet_bytes spki)
{
    struct identity *identity = NULL;
    for (size_t i = 0; i < identity_count; i++)
        if (signet_bytes_equal_string(name, identities[i].name))
            identity = &identities[i];
    if (identity == NULL) {
        refuse(x, SIGNET_WIRE_STATUS_NOT_FOUND, "there is no identity '%.*s'", (int)name.size,
               (const char *)name.data);
        return NULL;
    }
    if (identity->type == 0) {
        refuse(x, SIGNET_WIRE_STATUS_DENIED, "policy says no");
        return NULL;
    }
    for (uint32_t i = 0; i < GENERATIONS; i++) {
        struct generation *g = &identity->generations[i];
        bool is_it = spki.size > 0
                         ? g->spki_size == spki.size && memcmp(g->spki, spki.data, spki.size) == 0
                         : (*number == 0 ? (uint32_t)current : *number) == i + 1;
        if (is_it) {
            *number = i + 1;
            return g;
        }
    }
    refuse(x, SIGNET_WIRE_STATUS_NOT_FOUND, "'%s' has no such generation", identity->name);
    return NULL;
}

static void
change(int number)
{
    current = current == 1 ? GENERATIONS : 1;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
answer_list(struct exchange *x)
{
    struct signet_wire_list_request request;
    if (!signet_wire_get_list_request(x->in, &request)) {
        refuse(x, SIGNET_WIRE_STATUS_BAD_REQUEST, "malformed");
        return;
    }
    log_line("list\n");
    char after[SIGNET_WIRE_NAME_MAX + 1] = "";
    memcpy(after, request.after.data, request.after.size);
    const char *names[IDENTITIES_MAX];
    uint8_t room[IDENTITIES_MAX * (SIGNET_WIRE_NAME_MAX + 1)];
    struct signet_wire_writer list = {room, sizeof(room), 0, false};
    for (size_t i = 0; i < identity_count; i++)
        names[i] = identities[i].name;
    qsort(names, identity_count, sizeof(names[0]), compare_names);
    unsigned count = 0; /* few, so that clients ask again */
    for (size_t i = 0; i < identity_count && count < 4; i++) {
        if (strcmp(names[i], after) <= 0)
            continue;
        signet_wire_put_list_name(&list, names[i]);
        count++;
    }
    struct signet_wire_list_reply reply = {{room, list.size}};
    signet_wire_put_list_reply(x->out, &reply);
}

static uint8_t
key_type(const struct generation *g)
{
    for (size_t i = 0; i < identity_count; i++)
        for (uint32_t k = 0; k < GENERATIONS; k++)
            if (&identities[i].generations[k] == g)
                return (uint8_t)identities[i].type;
    return 0;
}

static void
answer_lookup(struct exchange *x)
{
    struct signet_wire_lookup_request request;
    if (!signet_wire_get_lookup_request(x->in, &request)) {
        refuse(x, SIGNET_WIRE_STATUS_BAD_REQUEST, "malformed");
        return;
    }
    uint32_t number = request.generation;
    log_line("lookup %.*s %u%s\n", (int)request.identity.size, (const char *)request.identity.data,
             number, request.spki.size > 0 ? " spki" : "");
    struct generation *g = find(x, request.identity, &number, request.spki);
    if (g == NULL)
        return;
    struct signet_wire_lookup_reply reply = {
        number, key_type(g), {g->spki, g->spki_size}, {g->chain, g->chain_size}};
    signet_wire_put_lookup_reply(x->out, &reply);
}

static bool
set_scheme(EVP_PKEY_CTX *context, const struct signet_wire_sign_request *request, const EVP_MD *md)
{
    if (request->scheme == SIGNET_SCHEME_ECDSA)
        return true;
    if (md != NULL && EVP_PKEY_CTX_set_signature_md(context, md) <= 0)
        return false;
    if (request->scheme == SIGNET_SCHEME_RSA_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
    const EVP_MD *mgf1 = EVP_get_digestbyname(signet_hash_name(request->mgf1_hash));
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, request->salt_len) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, mgf1) > 0;
}

static bool
sign_digest(EVP_PKEY *key, const struct signet_wire_sign_request *request, struct signet_bytes data,
            struct signet_wire_sign_reply *reply)
{
    const EVP_MD *md = request->hash == SIGNET_HASH_NONE
                           ? NULL
                           : EVP_get_digestbyname(signet_hash_name(request->hash));
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool ok = EVP_PKEY_sign_init(context) > 0 && set_scheme(context, request, md) &&
              EVP_PKEY_sign(context, (uint8_t *)reply->signature.data, &reply->signature.size,
                            data.data, data.size) > 0;
    EVP_PKEY_CTX_free(context);
    return ok;
}

static bool
sign_message(EVP_PKEY *key, const struct signet_wire_sign_request *request,
             struct signet_wire_sign_reply *reply)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    if (request->scheme != SIGNET_SCHEME_EDDSA)
        return EVP_Digest(request->data.data, request->data.size, digest, &digest_size,
                          EVP_get_digestbyname(signet_hash_name(request->hash)), NULL) &&
               sign_digest(key, request, (struct signet_bytes) {digest, digest_size}, reply);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = request->hash == SIGNET_HASH_NONE &&
              EVP_DigestSignInit(context, NULL, NULL, NULL, key) > 0 &&
              EVP_DigestSign(context, (uint8_t *)reply->signature.data, &reply->signature.size,
                             request->data.data, request->data.size) > 0;
    EVP_MD_CTX_free(context);
    return ok;
}

static void
answer_sign(struct exchange *x)
{
    struct signet_wire_sign_request request;
    if (!signet_wire_get_sign_request(x->in, &request)) {
        refuse(x, SIGNET_WIRE_STATUS_BAD_REQUEST, "malformed");
        return;
    }
    log_line("%s %.*s %u %s %s %u %zu %d %d\n", signet_wire_op_name(x->op),
             (int)request.identity.size, (const char *)request.identity.data, request.generation,
             signet_scheme_name(request.scheme), signet_hash_name(request.hash), request.salt_len,
             request.data.size, (int)getpid(), (int)getuid());
    struct generation *g =
        find(x, request.identity, &request.generation, (struct signet_bytes) {NULL, 0});
    if (g == NULL)
        return;
    uint8_t signature[SIGNET_WIRE_SIGNATURE_MAX];
    struct signet_wire_sign_reply reply = {{signature, sizeof(signature)}};
    bool ok = x->op == SIGNET_WIRE_OP_SIGN_MESSAGE
                  ? sign_message(g->key, &request, &reply)
                  : sign_digest(g->key, &request, request.data, &reply);
    if (!ok) {
        refuse(x, SIGNET_WIRE_STATUS_BAD_REQUEST, "libcrypto would not");
        return;
    }
    signet_wire_put_sign_reply(x->out, &reply);
}

static bool
set_oaep(EVP_PKEY_CTX *context, const struct signet_wire_decrypt_request *request)
{
    if (request->scheme == SIGNET_SCHEME_RSA_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
    void *label =
        request->label.size == 0 ? NULL : OPENSSL_memdup(request->label.data, request->label.size);
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(
               context, EVP_get_digestbyname(signet_hash_name(request->hash))) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(
               context, EVP_get_digestbyname(signet_hash_name(request->mgf1_hash))) > 0 &&
           (label == NULL ||
            EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, (int)request->label.size) > 0);
}

static void
answer_decrypt(struct exchange *x)
{
    struct signet_wire_decrypt_request request;
    if (!signet_wire_get_decrypt_request(x->in, &request)) {
        refuse(x, SIGNET_WIRE_STATUS_BAD_REQUEST, "malformed");
        return;
    }
    log_line("decrypt %.*s %u %s\n", (int)request.identity.size,
             (const char *)request.identity.data, request.generation,
             signet_scheme_name(request.scheme));
    struct generation *g =
        find(x, request.identity, &request.generation, (struct signet_bytes) {NULL, 0});
    if (g == NULL)
        return;
    uint8_t plaintext[SIGNET_WIRE_CIPHERTEXT_MAX];
    size_t size = sizeof(plaintext);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(g->key, NULL);
    bool ok = EVP_PKEY_decrypt_init(context) > 0 && set_oaep(context, &request) &&
              EVP_PKEY_decrypt(context, plaintext, &size, request.ciphertext.data,
                               request.ciphertext.size) > 0;
    EVP_PKEY_CTX_free(context);
    if (!ok) {
        refuse(x, SIGNET_WIRE_STATUS_BAD_REQUEST, "the ciphertext is not for this key");
        return;
    }
    struct signet_wire_decrypt_reply reply = {{plaintext, size}};
    signet_wire_put_decrypt_reply(x->out, &reply);
}

static void
answer_derive(struct exchange *x)
{
    struct signet_wire_derive_request request;
    if (!signet_wire_get_derive_request(x->in, &request)) {
        refuse(x, SIGNET_WIRE_STATUS_BAD_REQUEST, "malformed");
        return;
    }
    log_line("derive %.*s %u\n", (int)request.identity.size, (const char *)request.identity.data,
             request.generation);
    struct generation *g =
        find(x, request.identity, &request.generation, (struct signet_bytes) {NULL, 0});
    if (g == NULL)
        return;
    uint8_t secret[SIGNET_WIRE_POINT_MAX];
    size_t size = sizeof(secret);
    EVP_PKEY *peer = EVP_PKEY_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(g->key, NULL);
    bool ok = EVP_PKEY_copy_parameters(peer, g->key) > 0 &&
              EVP_PKEY_set1_encoded_public_key(peer, request.peer.data, request.peer.size) > 0 &&
              EVP_PKEY_derive_init(context) > 0 && EVP_PKEY_derive_set_peer(context, peer) > 0 &&
              EVP_PKEY_derive(context, secret, &size) > 0;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    if (!ok) {
        refuse(x, SIGNET_WIRE_STATUS_BAD_REQUEST, "not a point on the key's curve");
        return;
    }
    struct signet_wire_derive_reply reply = {{secret, size}};
    signet_wire_put_derive_reply(x->out, &reply);
}

/* SIGUSR1 is all that ever changes. */
static void
answer_watch(struct exchange *x)
{
    struct signet_wire_watch_request request;
    if (!signet_wire_get_watch_request(x->in, &request)) {
        refuse(x, SIGNET_WIRE_STATUS_BAD_REQUEST, "malformed");
        return;
    }
    log_line("watch %zu\n", request.seen.size);
    uint8_t state = (uint8_t)current;
    struct pollfd peer = {.fd = x->fd};
    while (request.seen.size == 1 && request.seen.data[0] == state && peer.revents == 0) {
        poll(&peer, 1, 10);
        state = (uint8_t)current;
    }
    struct signet_wire_watch_reply reply = {{&state, 1}};
    signet_wire_put_watch_reply(x->out, &reply);
}

static void
answer_hello(struct exchange *x)
{
    struct signet_wire_hello_request request;
    if (!signet_wire_get_hello_request(x->in, &request)) {
        refuse(x, SIGNET_WIRE_STATUS_BAD_REQUEST, "malformed");
        return;
    }
    struct signet_wire_hello_reply reply = {1, signet_bytes_from_string("fake-agent")};
    signet_wire_put_hello_reply(x->out, &reply);
}

static void
answer(struct exchange *x)
{
    switch (x->op) {
    case SIGNET_WIRE_OP_HELLO:
        answer_hello(x);
        return;
    case SIGNET_WIRE_OP_LIST:
        answer_list(x);
        return;
    case SIGNET_WIRE_OP_LOOKUP:
        answer_lookup(x);
        return;
    case SIGNET_WIRE_OP_SIGN_MESSAGE:
    case SIGNET_WIRE_OP_SIGN_DIGEST:
        answer_sign(x);
        return;
    case SIGNET_WIRE_OP_DECRYPT:
        answer_decrypt(x);
        return;
    case SIGNET_WIRE_OP_DERIVE:
        answer_derive(x);
        return;
    case SIGNET_WIRE_OP_WATCH:
        answer_watch(x);
        return;
    case SIGNET_WIRE_OP_FACTORY:
        log_line("factory\n");
        return;
    }
    refuse(x, SIGNET_WIRE_STATUS_UNSUPPORTED, "operation %u", x->op);
}

static void
start_serving(void *(*serve)(void *), int fd)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
        die("cannot start a thread");
    pthread_detach(thread);
}

static ssize_t
receive(int fd, uint8_t *packet, int *ret_passed)
{
    union {
        struct cmsghdr align;
        char data[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {packet, SIGNET_WIRE_PACKET_MAX};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    *ret_passed = -1;
    ssize_t size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); size > 0 && c != NULL;
         c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            memcpy(ret_passed, CMSG_DATA(c), sizeof(int));
    return size;
}

/* False when the connection is to be closed. */
static bool
serve_packet(int fd, const uint8_t *packet, size_t size, uint8_t *room)
{
    struct signet_wire_reader in = {packet, size, 0, false};
    struct signet_wire_writer out = {room, SIGNET_WIRE_PACKET_MAX, 0, false};
    struct signet_wire_header header;
    if (!signet_wire_get_header(&in, &header))
        return false;
    struct exchange x = {.op = header.op, .fd = fd, .in = &in, .out = &out};
    signet_wire_put_header(&out, &header);
    answer(&x);
    if (x.status != SIGNET_WIRE_STATUS_OK) {
        struct signet_wire_error_reply reply = {signet_bytes_from_string(x.text)};
        out.size = 0;
        header.status = (uint16_t)x.status;
        signet_wire_put_header(&out, &header);
        signet_wire_put_error_reply(&out, &reply);
    }
    return !out.failed && send(fd, out.data, out.size, MSG_NOSIGNAL) == (ssize_t)out.size;
}

static void *
serve(void *argument)
{
    int fd = (int)(intptr_t)argument, passed;
    uint8_t *packet = malloc(SIGNET_WIRE_PACKET_MAX), *room = malloc(SIGNET_WIRE_PACKET_MAX);
    ssize_t size;
    while ((size = receive(fd, packet, &passed)) > 0) {
        if (size >= 2 && packet[1] == SIGNET_WIRE_OP_ADOPT && passed >= 0) {
            log_line("adopt\n");
            start_serving(serve, passed);
        } else if (!serve_packet(fd, packet, (size_t)size, room)) {
            break;
        }
    }
    free(packet);
    free(room);
    close(fd);
    return NULL;
}

static int
listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        die("too long: %s", path);
    strcpy(address.sun_path, path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        chmod(path, 0666) < 0 || listen(fd, 128) < 0)
        die("%s: %s", path, strerror(errno));
    return fd;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"live", required_argument, NULL, 'l'},
                                            {"log", required_argument, NULL, 'o'},
                                            {NULL, 0, NULL, 0}};
    const char *socket_path = NULL, *log_path = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            socket_path = optarg;
        else if (option == 'l')
            live_dir = optarg;
        else if (option == 'o')
            log_path = optarg;
        else
            return 2;
    }
    if (socket_path == NULL || live_dir == NULL || log_path == NULL)
        die("--socket, --live and --log are needed");
    /* the system's configuration may name the provider that talks to us */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    make_ca();
    for (; optind < argc; optind++)
        add_identity(argv[optind]);
    struct sigaction action = {.sa_handler = change, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    int listener = listen_at(socket_path);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            start_serving(serve, fd);
    }
}
