/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Codec of the private socket's packets: one request, one reply, each one SOCK_SEQPACKET message of
 * at most SIGNET_WIRE_PACKET_MAX bytes. Big endian. PROTOCOL.md is normative. libc only, no
 * allocation except by the caller. */

#pragma once

#include "provider/wire/catalogue.h"
#include "provider/wire/limits.h"

/* Bytes that belong to somebody else: to the packet they come from, or to whoever encodes. */
struct signet_bytes {
    const uint8_t *data;
    size_t size;
};

/* Header of every packet, 8 bytes: u8 version, u8 op, u16 status (0 in requests), u32 serial
 * (echoed in the reply). */
#define SIGNET_WIRE_HEADER_SIZE 8u
struct signet_wire_header {
    uint8_t version;
    uint8_t op;
    uint16_t status;
    uint32_t serial;
};

/* clang-format off */

/* Messages as data: F(KIND, field, limit).
 *
 *   U8, U16, U32: fixed size, limit unused
 *   NAME:         u8 length, characters of an identity's name
 *   TEXT:         u16 length, UTF-8
 *   BYTES:        u32 length, bytes
 *
 * A decoder accepts a message only if every field is within its limit and nothing is left over. */

#define SIGNET_WIRE_HELLO_REQUEST(F) \
    F(U8, version, 0)                \
    F(TEXT, program, 64)
#define SIGNET_WIRE_HELLO_REPLY(F) \
    F(U8, version, 0)              \
    F(TEXT, agent, 64)

/* names > after, in strcmp order, at most SIGNET_WIRE_LIST_MAX; empty: no more */
#define SIGNET_WIRE_LIST_REQUEST(F) F(NAME, after, SIGNET_WIRE_NAME_MAX)
#define SIGNET_WIRE_LIST_REPLY(F)   F(BYTES, names, 60000) /* each as u8 length, characters */

/* generation 0: the current one. spki not empty: instead, the usable generation with this key. */
#define SIGNET_WIRE_LOOKUP_REQUEST(F)       \
    F(NAME, identity, SIGNET_WIRE_NAME_MAX) \
    F(U32, generation, 0)                   \
    F(BYTES, spki, SIGNET_WIRE_SPKI_MAX)
/* spki: DER SubjectPublicKeyInfo; chain: DER certificates in a row, leaf first, may be empty */
#define SIGNET_WIRE_LOOKUP_REPLY(F)      \
    F(U32, generation, 0)                \
    F(U8, key_type, 0)                   \
    F(BYTES, spki, SIGNET_WIRE_SPKI_MAX) \
    F(BYTES, chain, SIGNET_WIRE_CHAIN_MAX)

/* data: the message (sign-message) or the digest (sign-digest) */
#define SIGNET_WIRE_SIGN_REQUEST(F)         \
    F(NAME, identity, SIGNET_WIRE_NAME_MAX) \
    F(U32, generation, 0)                   \
    F(U8, scheme, 0)                        \
    F(U8, hash, 0)                          \
    F(U8, mgf1_hash, 0) /* RSA_PSS */       \
    F(U16, salt_len, 0) /* RSA_PSS */       \
    F(BYTES, data, SIGNET_WIRE_MESSAGE_MAX)
#define SIGNET_WIRE_SIGN_REPLY(F) F(BYTES, signature, SIGNET_WIRE_SIGNATURE_MAX)

/* scheme RSA_PKCS1 or RSA_OAEP */
#define SIGNET_WIRE_DECRYPT_REQUEST(F)                \
    F(NAME, identity, SIGNET_WIRE_NAME_MAX)           \
    F(U32, generation, 0)                             \
    F(U8, scheme, 0)                                  \
    F(U8, hash, 0)                         /* OAEP */ \
    F(U8, mgf1_hash, 0)                    /* OAEP */ \
    F(BYTES, label, SIGNET_WIRE_LABEL_MAX) /* OAEP */ \
    F(BYTES, ciphertext, SIGNET_WIRE_CIPHERTEXT_MAX)
#define SIGNET_WIRE_DECRYPT_REPLY(F) F(BYTES, plaintext, SIGNET_WIRE_CIPHERTEXT_MAX)

/* peer: uncompressed point, SEC 1 2.3.3 */
#define SIGNET_WIRE_DERIVE_REQUEST(F)       \
    F(NAME, identity, SIGNET_WIRE_NAME_MAX) \
    F(U32, generation, 0)                   \
    F(BYTES, peer, SIGNET_WIRE_POINT_MAX)
#define SIGNET_WIRE_DERIVE_REPLY(F) F(BYTES, secret, SIGNET_WIRE_POINT_MAX)

/* factory: from here on the connection can only adopt.
 * adopt: carries one socket by SCM_RIGHTS and has no reply. */
#define SIGNET_WIRE_FACTORY_REQUEST(F)
#define SIGNET_WIRE_FACTORY_REPLY(F)
#define SIGNET_WIRE_ADOPT_REQUEST(F)

/* an enroller's fd only. job: GKeyFile text */
#define SIGNET_WIRE_JOB_REQUEST(F)
#define SIGNET_WIRE_JOB_REPLY(F) F(BYTES, job, SIGNET_WIRE_JOB_MAX)
/* either an error, or a chain (DER, leaf first), or a time to ask again. state: for the next job of
 * the same generation */
#define SIGNET_WIRE_RESULT_REQUEST(F)                         \
    F(TEXT, error, SIGNET_WIRE_TEXT_MAX)                      \
    F(U8, transient, 0)      /* the error is worth a retry */ \
    F(U32, retry_after_s, 0) /* CA pending; 0 otherwise */    \
    F(BYTES, chain, SIGNET_WIRE_CHAIN_MAX)                    \
    F(BYTES, anchors, 8192)                                   \
    F(BYTES, state, SIGNET_WIRE_STATE_MAX)
#define SIGNET_WIRE_RESULT_REPLY(F)

/* seen: the state of an earlier answer, which is told apart from that of now; empty: of none */
#define SIGNET_WIRE_WATCH_REQUEST(F) F(BYTES, seen, SIGNET_WIRE_VIEW_MAX)
#define SIGNET_WIRE_WATCH_REPLY(F)   F(BYTES, state, SIGNET_WIRE_VIEW_MAX)

/* an enroller's fd only. challenge: an ACME challenge's token. TPMS_ATTEST, TPMT_SIGNATURE,
 * TPMT_PUBLIC of the new key; chain: of the attestation key (DER, leaf first), may be empty */
#define SIGNET_WIRE_CERTIFY_REQUEST(F) F(TEXT, challenge, SIGNET_WIRE_CHALLENGE_MAX)
#define SIGNET_WIRE_CERTIFY_REPLY(F)                 \
    F(BYTES, attestation, SIGNET_WIRE_STRUCTURE_MAX) \
    F(BYTES, signature, SIGNET_WIRE_STRUCTURE_MAX)   \
    F(BYTES, key, SIGNET_WIRE_STRUCTURE_MAX)         \
    F(BYTES, chain, SIGNET_WIRE_CHAIN_MAX)

/* every reply whose status is not OK */
#define SIGNET_WIRE_ERROR_REPLY(F) F(TEXT, message, SIGNET_WIRE_TEXT_MAX)

/* clang-format on */

/* M(symbol, struct name, field list) */
#define SIGNET_WIRE_MESSAGES(M)                     \
    M(hello_request, SIGNET_WIRE_HELLO_REQUEST)     \
    M(hello_reply, SIGNET_WIRE_HELLO_REPLY)         \
    M(list_request, SIGNET_WIRE_LIST_REQUEST)       \
    M(list_reply, SIGNET_WIRE_LIST_REPLY)           \
    M(lookup_request, SIGNET_WIRE_LOOKUP_REQUEST)   \
    M(lookup_reply, SIGNET_WIRE_LOOKUP_REPLY)       \
    M(sign_request, SIGNET_WIRE_SIGN_REQUEST)       \
    M(sign_reply, SIGNET_WIRE_SIGN_REPLY)           \
    M(decrypt_request, SIGNET_WIRE_DECRYPT_REQUEST) \
    M(decrypt_reply, SIGNET_WIRE_DECRYPT_REPLY)     \
    M(derive_request, SIGNET_WIRE_DERIVE_REQUEST)   \
    M(derive_reply, SIGNET_WIRE_DERIVE_REPLY)       \
    M(job_reply, SIGNET_WIRE_JOB_REPLY)             \
    M(result_request, SIGNET_WIRE_RESULT_REQUEST)   \
    M(watch_request, SIGNET_WIRE_WATCH_REQUEST)     \
    M(watch_reply, SIGNET_WIRE_WATCH_REPLY)         \
    M(certify_request, SIGNET_WIRE_CERTIFY_REQUEST) \
    M(certify_reply, SIGNET_WIRE_CERTIFY_REPLY)     \
    M(error_reply, SIGNET_WIRE_ERROR_REPLY)

#define SIGNET_WIRE_TYPE_U8    uint8_t
#define SIGNET_WIRE_TYPE_U16   uint16_t
#define SIGNET_WIRE_TYPE_U32   uint32_t
#define SIGNET_WIRE_TYPE_NAME  struct signet_bytes
#define SIGNET_WIRE_TYPE_TEXT  struct signet_bytes
#define SIGNET_WIRE_TYPE_BYTES struct signet_bytes

#define F(kind, field, limit) SIGNET_WIRE_TYPE_##kind field;
#define M(symbol, fields)         \
    struct signet_wire_##symbol { \
        fields(F)                 \
    };
SIGNET_WIRE_MESSAGES(M)
#undef M
#undef F

/* Where a packet is written. Sticky: after the first failure nothing more is written and 'failed'
 * stays set. */
struct signet_wire_writer {
    uint8_t *data;
    size_t capacity;
    size_t size;
    bool failed;
};

/* Where a packet is read. Sticky likewise. */
struct signet_wire_reader {
    const uint8_t *data;
    size_t size;
    size_t offset;
    bool failed;
};

void signet_wire_put_header(struct signet_wire_writer *w, const struct signet_wire_header *header);
/* False when shorter than a header or of a version other than SIGNET_WIRE_VERSION; r then stands
 * behind the header. */
bool signet_wire_get_header(struct signet_wire_reader *r, struct signet_wire_header *ret_header);

/* signet_wire_put_<message>() appends the body; check w->failed once at the end.
 * signet_wire_get_<message>() reads the whole rest of the packet; false when malformed, too long or
 * with bytes left over. NAME and TEXT are checked on both ways: empty or of the alphabet of names;
 * valid UTF-8 without control characters. Where a name must not be empty is the receiver's to check
 * (PROTOCOL.md says where). */
#define M(symbol, fields)                                                      \
    void signet_wire_put_##symbol(struct signet_wire_writer *w,                \
                                  const struct signet_wire_##symbol *message); \
    bool signet_wire_get_##symbol(struct signet_wire_reader *r,                \
                                  struct signet_wire_##symbol *ret_message);
SIGNET_WIRE_MESSAGES(M)
#undef M

/* The body of a request of any kind: message is its struct, not looked at if it has no field. */
void signet_wire_put_request(struct signet_wire_writer *w, uint32_t op, const void *message);
/* The one field of a reply to sign-message, sign-digest, decrypt, derive or watch; false as above,
 * and for any other op. */
bool
signet_wire_get_result(struct signet_wire_reader *r, uint32_t op, struct signet_bytes *ret_result);

/* For messages without a field (factory, adopt, job, the reply to result): true when nothing is
 * left of the packet. */
bool signet_wire_get_end(struct signet_wire_reader *r);

/* An error_reply from any text: what is not printable UTF-8 becomes '?', and what is too long is
 * cut. */
void signet_wire_put_error_text(struct signet_wire_writer *w, const char *text);

/* List of names within list_reply: append, and iterate from *offset = 0 (false at the end or when
 * malformed). */
void signet_wire_put_list_name(struct signet_wire_writer *w, const char *name);
bool signet_wire_next_list_name(struct signet_bytes names, size_t *offset,
                                struct signet_bytes *ret_name);

/* The alphabet and length of identity names: [a-z0-9][a-z0-9_.-]{0,63}. */
bool signet_wire_name_is_valid(const char *name, size_t length);
/* UTF-8 (RFC 3629) without U+0000-001F and U+007F-009F; may be empty. */
bool signet_wire_text_is_valid(struct signet_bytes text);
bool signet_bytes_equal_string(struct signet_bytes bytes, const char *string);
struct signet_bytes signet_bytes_from_string(const char *string);
