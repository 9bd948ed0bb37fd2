/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is about to be signed? Recognised from the bytes alone.
 *
 * A peer that may sign for one purpose chooses the bytes, so what counts is not only that every
 * honest message is recognised but that nothing else can be dressed up as one: each form is
 * followed to its last byte, and bytes that fit two forms are none. */

#include "agent/broker/purpose.h"

#include <string.h>

#include "provider/wire/der.h"

/* --- bytes --- */

typedef struct signet_bytes Span;

static gboolean
take(Span *span, gsize size, Span *ret_taken)
{
    if (size > span->size)
        return FALSE;
    *ret_taken = (Span) {span->data, size};
    span->data += size;
    span->size -= size;
    return TRUE;
}

/* width: 1 to 4 bytes, big endian */
static gboolean
take_number(Span *span, gsize width, guint32 *ret_number)
{
    Span bytes;
    guint32 number = 0;

    if (!take(span, width, &bytes))
        return FALSE;
    for (gsize i = 0; i < width; i++)
        number = number << 8 | bytes.data[i];
    *ret_number = number;
    return TRUE;
}

/* A vector of TLS or a string of SSH: a length of that width, then as many bytes. */
static gboolean
take_vector(Span *span, gsize width, Span *ret_vector)
{
    guint32 size;

    return take_number(span, width, &size) && take(span, size, ret_vector);
}

static gboolean
span_is(Span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.data, text, span.size) == 0;
}

/* --- TLS 1.3, RFC 8446 4.4.3 --- */

#define CONTEXT_SPACES 64
#define CONTEXT_CLIENT "TLS 1.3, client CertificateVerify"
#define CONTEXT_SERVER "TLS 1.3, server CertificateVerify"

G_STATIC_ASSERT(sizeof CONTEXT_CLIENT == sizeof CONTEXT_SERVER);

static SignetPurpose
recognise_tls13(Span message)
{
    Span spaces, context;

    /* sizeof counts the 0 that ends the context */
    if (!take(&message, CONTEXT_SPACES, &spaces) ||
        !take(&message, sizeof CONTEXT_CLIENT, &context))
        return 0;
    for (gsize i = 0; i < spaces.size; i++) {
        if (spaces.data[i] != ' ')
            return 0;
    }
    if (message.size != 32 && message.size != 48 && message.size != 64)
        return 0;
    if (memcmp(context.data, CONTEXT_CLIENT, context.size) == 0)
        return SIGNET_PURPOSE_TLS_CLIENT;
    if (memcmp(context.data, CONTEXT_SERVER, context.size) == 0)
        return SIGNET_PURPOSE_TLS_SERVER;
    return 0;
}

/* --- TLS 1.2, a client's CertificateVerify: RFC 5246 7.4.8 --- */

enum {
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    CERTIFICATE = 11,
    SERVER_KEY_EXCHANGE = 12,
    CERTIFICATE_REQUEST = 13,
    SERVER_HELLO_DONE = 14,
    CLIENT_KEY_EXCHANGE = 16,
    CERTIFICATE_STATUS = 22, /* RFC 6066 section 8 */
    SUPPLEMENTAL_DATA = 23,  /* RFC 4680 */
};

#define TLS12_VERSION 0x0303
#define RANDOM_SIZE   32

/* Either nothing, or one vector of extensions and nothing behind it: RFC 5246 7.4.1.4. */
static gboolean
is_extensions(Span body)
{
    Span extensions, data;
    guint32 type;

    if (body.size == 0)
        return TRUE;
    if (!take_vector(&body, 2, &extensions) || body.size != 0)
        return FALSE;
    while (extensions.size > 0) {
        if (!take_number(&extensions, 2, &type) || !take_vector(&extensions, 2, &data))
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_client_hello(Span body)
{
    guint32 version;
    Span random, session, suites, compressions;

    return take_number(&body, 2, &version) && version == TLS12_VERSION &&
           take(&body, RANDOM_SIZE, &random) && take_vector(&body, 1, &session) &&
           session.size <= 32 && take_vector(&body, 2, &suites) && suites.size >= 2 &&
           suites.size % 2 == 0 && take_vector(&body, 1, &compressions) && compressions.size >= 1 &&
           is_extensions(body);
}

static gboolean
is_server_hello(Span body)
{
    guint32 version, suite, compression;
    Span random, session;

    return take_number(&body, 2, &version) && version == TLS12_VERSION &&
           take(&body, RANDOM_SIZE, &random) && take_vector(&body, 1, &session) &&
           session.size <= 32 && take_number(&body, 2, &suite) &&
           take_number(&body, 1, &compression) && compression == 0 && is_extensions(body);
}

static gboolean
is_certificate_list(Span body)
{
    Span list, certificate;

    if (!take_vector(&body, 3, &list) || list.size == 0 || body.size != 0)
        return FALSE;
    while (list.size > 0) {
        if (!take_vector(&list, 3, &certificate) || certificate.size == 0)
            return FALSE;
    }
    return TRUE;
}

/* RFC 5246 7.4.4: certificate types, signature algorithms, names of authorities */
static gboolean
is_certificate_request(Span body)
{
    Span types, algorithms, authorities, name;

    if (!take_vector(&body, 1, &types) || types.size == 0 || !take_vector(&body, 2, &algorithms) ||
        algorithms.size == 0 || algorithms.size % 2 != 0 || !take_vector(&body, 2, &authorities) ||
        body.size != 0)
        return FALSE;
    while (authorities.size > 0) {
        if (!take_vector(&authorities, 2, &name) || name.size == 0)
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_anything(Span body)
{
    return body.size > 0;
}

static gboolean
is_nothing(Span body)
{
    return body.size == 0;
}

/* The messages that a client hashes before its CertificateVerify, in their only order. */
static const struct {
    guint8 type;
    gboolean is_optional;
    gboolean (*is_body)(Span body);
} handshake[] = {
    {CLIENT_HELLO, FALSE, is_client_hello},
    {SERVER_HELLO, FALSE, is_server_hello},
    {SUPPLEMENTAL_DATA, TRUE, is_anything},
    {CERTIFICATE, FALSE, is_certificate_list},
    {CERTIFICATE_STATUS, TRUE, is_anything},
    {SERVER_KEY_EXCHANGE, TRUE, is_anything},
    {CERTIFICATE_REQUEST, FALSE, is_certificate_request},
    {SERVER_HELLO_DONE, FALSE, is_nothing},
    {SUPPLEMENTAL_DATA, TRUE, is_anything},
    {CERTIFICATE, FALSE, is_certificate_list},
    {CLIENT_KEY_EXCHANGE, FALSE, is_anything},
};

static SignetPurpose
recognise_tls12_client(Span message)
{
    for (gsize i = 0; i < G_N_ELEMENTS(handshake); i++) {
        guint32 type;
        Span body;

        if (message.size > 0 && message.data[0] != handshake[i].type && handshake[i].is_optional)
            continue;
        if (!take_number(&message, 1, &type) || type != handshake[i].type ||
            !take_vector(&message, 3, &body) || !handshake[i].is_body(body))
            return 0;
    }
    return message.size == 0 ? SIGNET_PURPOSE_TLS_CLIENT : 0;
}

/* --- TLS 1.2, ServerKeyExchange: RFC 5246 7.4.3, RFC 8422 5.4 --- */

#define NAMED_CURVE 3
#define DH_SIZE_MIN 64
#define DH_SIZE_MAX 1024

/* The size of a public key as the group's servers send it. */
static const struct {
    guint16 group;
    guint8 size;
    gboolean is_point; /* SEC 1 2.3.3, uncompressed: begins with 4 */
} groups[] = {
    {21, 57, TRUE},  /* secp224r1 */
    {22, 65, TRUE},  /* secp256k1 */
    {23, 65, TRUE},  /* secp256r1 */
    {24, 97, TRUE},  /* secp384r1 */
    {25, 133, TRUE}, /* secp521r1 */
    {26, 65, TRUE},  /* brainpoolP256r1, RFC 7027 */
    {27, 97, TRUE},  /* brainpoolP384r1 */
    {28, 129, TRUE}, /* brainpoolP512r1 */
    {29, 32, FALSE}, /* x25519 */
    {30, 56, FALSE}, /* x448 */
};

static gboolean
is_ecdh_params(Span params)
{
    guint32 curve_type, group;
    Span point;

    if (!take_number(&params, 1, &curve_type) || curve_type != NAMED_CURVE ||
        !take_number(&params, 2, &group) || !take_vector(&params, 1, &point) || params.size != 0)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (groups[i].group == group)
            return point.size == groups[i].size && (!groups[i].is_point || point.data[0] == 4);
    }
    return FALSE;
}

static gboolean
is_dh_params(Span params)
{
    Span p, g, public_key;

    return take_vector(&params, 2, &p) && p.size >= DH_SIZE_MIN && p.size <= DH_SIZE_MAX &&
           p.data[0] != 0 && p.data[p.size - 1] % 2 == 1 && take_vector(&params, 2, &g) &&
           g.size >= 1 && g.size <= p.size && take_vector(&params, 2, &public_key) &&
           public_key.size >= 1 && public_key.size <= p.size && params.size == 0;
}

/* The first 64 bytes and the public key are free for a forger to choose: enough room to make a CMS
 * signature's attributes, or any other document in DER, end like a key exchange. So a document is
 * never one. The random of an honest client looks like a document about once in 2^22 handshakes
 * (2^-15 for tag and length, 2^-7 for contents that end where they must), and that client connects
 * again. */
static SignetPurpose
recognise_key_exchange(Span message)
{
    Span whole = message, randoms;

    if (!take(&message, 2 * RANDOM_SIZE, &randoms))
        return 0;
    if (!is_ecdh_params(message) && !is_dh_params(message))
        return 0;
    return signet_der_is_document(whole) ? 0 : SIGNET_PURPOSE_TLS_SERVER;
}

/* --- PKCS#10 and X.509 --- */

/* RFC 5280 4.1.2.7 */
static gboolean
take_public_key_info(Span *der)
{
    struct signet_der info, algorithm, bits;

    return signet_der_expect(der, SIGNET_DER_SEQUENCE, &info) &&
           signet_der_expect(&info.content, SIGNET_DER_SEQUENCE, &algorithm) &&
           signet_der_expect(&info.content, SIGNET_DER_BIT_STRING, &bits) &&
           bits.content.size >= 2 && info.content.size == 0;
}

/* RFC 2986 section 4 */
static SignetPurpose
recognise_csr(Span message)
{
    struct signet_der info, version, subject, attributes;
    Span *fields = &info.content;
    gboolean ok =
        signet_der_is_document(message) &&
        signet_der_expect(&message, SIGNET_DER_SEQUENCE, &info) &&
        signet_der_expect(fields, SIGNET_DER_INTEGER, &version) && version.content.size == 1 &&
        version.content.data[0] == 0 && signet_der_expect(fields, SIGNET_DER_SEQUENCE, &subject) &&
        take_public_key_info(fields) &&
        signet_der_expect(fields, SIGNET_DER_CONTEXT(0), &attributes) && fields->size == 0;

    return ok ? SIGNET_PURPOSE_CSR : 0;
}

static gboolean
take_time(Span *der)
{
    struct signet_der time;

    return signet_der_expect(der, SIGNET_DER_UTC_TIME, &time) ||
           signet_der_expect(der, SIGNET_DER_TIME, &time);
}

static gboolean
take_validity(Span *der)
{
    struct signet_der validity;

    return signet_der_expect(der, SIGNET_DER_SEQUENCE, &validity) && take_time(&validity.content) &&
           take_time(&validity.content) && validity.content.size == 0;
}

/* RFC 5280 4.1: version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo;
 * then unique identifiers and extensions, whatever they are: all of that is a certificate to
 * whoever verifies it. */
static SignetPurpose
recognise_certificate(Span message)
{
    struct signet_der tbs, any;
    Span *fields = &tbs.content;

    if (!signet_der_is_document(message) || !signet_der_expect(&message, SIGNET_DER_SEQUENCE, &tbs))
        return 0;
    (void)signet_der_expect(fields, SIGNET_DER_CONTEXT(0), &any);
    if (!signet_der_expect(fields, SIGNET_DER_INTEGER, &any) ||
        !signet_der_expect(fields, SIGNET_DER_SEQUENCE, &any) ||
        !signet_der_expect(fields, SIGNET_DER_SEQUENCE, &any) || !take_validity(fields) ||
        !signet_der_expect(fields, SIGNET_DER_SEQUENCE, &any) || !take_public_key_info(fields))
        return 0;
    return SIGNET_PURPOSE_CERTIFICATE;
}

/* --- SSH, RFC 4252 section 7 --- */

#define USERAUTH_REQUEST 50
#define HOSTBOUND        "publickey-hostbound-v00@openssh.com"

static gboolean
is_session_id(Span id)
{
    return id.size == 20 || id.size == 32 || id.size == 48 || id.size == 64;
}

static SignetPurpose
recognise_ssh(Span message)
{
    Span session, user, service, method, algorithm, key, host_key;
    guint32 type, has_signature;

    if (!take_vector(&message, 4, &session) || !is_session_id(session) ||
        !take_number(&message, 1, &type) || type != USERAUTH_REQUEST ||
        !take_vector(&message, 4, &user) || !take_vector(&message, 4, &service) ||
        !span_is(service, "ssh-connection") || !take_vector(&message, 4, &method) ||
        !take_number(&message, 1, &has_signature) || has_signature != 1 ||
        !take_vector(&message, 4, &algorithm) || algorithm.size == 0 ||
        !take_vector(&message, 4, &key) || key.size == 0)
        return 0;
    /* OpenSSH's variant (its PROTOCOL, section 3.1) ends with the server's host key. */
    if (span_is(method, HOSTBOUND) && !take_vector(&message, 4, &host_key))
        return 0;
    if (!span_is(method, HOSTBOUND) && !span_is(method, "publickey"))
        return 0;
    return message.size == 0 ? SIGNET_PURPOSE_SSH_USERAUTH : 0;
}

SignetPurpose
signet_purpose_recognise(const guint8 *message, gsize size)
{
    static SignetPurpose (*const recognisers[])(Span message) = {
        recognise_tls13, recognise_tls12_client, recognise_key_exchange,
        recognise_csr,   recognise_certificate,  recognise_ssh,
    };
    Span span = {message, size};
    SignetPurpose found = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(recognisers); i++) {
        SignetPurpose purpose = recognisers[i](span);

        if (purpose != 0 && found != 0)
            return 0;
        if (purpose != 0)
            found = purpose;
    }
    return found;
}
