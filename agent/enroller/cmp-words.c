/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* PKIStatusInfo in words. */

#include "agent/enroller/cmp-words.h"

#include "provider/wire/der.h"

#define TEXT_MAX  200
#define TEXTS_MAX 4

/* F(bit's name, meaning) in the order of the bits */
#define FAILURES(F)                                                                       \
    F(badAlg, "it does not know, or not accept, an algorithm")                            \
    F(badMessageCheck, "it could not verify the request: signature, or shared secret")    \
    F(badRequest, "it does not accept requests of this kind")                             \
    F(badTime, "the clocks differ too much")                                              \
    F(badCertId, "it does not know the certificate that is replaced")                     \
    F(badDataFormat, "it could not read the request")                                     \
    F(wrongAuthority, "the request is for another CA")                                    \
    F(incorrectData, "something in the request is wrong")                                 \
    F(missingTimeStamp, "it wants a time stamp")                                          \
    F(badPOP, "the proof that the key is there did not convince it")                      \
    F(certRevoked, "the certificate is revoked")                                          \
    F(certConfirmed, "the certificate has been confirmed already")                        \
    F(wrongIntegrity, "it wants a signature in place of a shared secret, or the reverse") \
    F(badRecipientNonce, "it lost the thread: wrong nonce")                               \
    F(timeNotAvailable, "it does not know the time")                                      \
    F(unacceptedPolicy, "it does not have the policy that is asked for")                  \
    F(unacceptedExtension, "it does not accept an extension that is asked for")           \
    F(addInfoNotAvailable, "it lacks further information")                                \
    F(badSenderNonce, "it does not accept our nonce")                                     \
    F(badCertTemplate, "the request lacks something, or has what it may not")             \
    F(signerNotTrusted, "it does not trust the certificate that signed the request")      \
    F(transactionIdInUse, "it has another conversation of that number")                   \
    F(unsupportedVersion, "it does not know the version of the message")                  \
    F(notAuthorized, "the sender may not ask for this")                                   \
    F(systemUnavail, "it is not available now")                                           \
    F(systemFailure, "something is broken at the CA")                                     \
    F(duplicateCertReq, "there is such a certificate already")

static const struct {
    const char *name;
    const char *meaning;
} failures[] = {
#define F(name, meaning) {#name, meaning},
    FAILURES(F)
#undef F
};

G_STATIC_ASSERT(G_N_ELEMENTS(failures) == OSSL_CMP_PKIFAILUREINFO_MAX + 1);

static const char *
status_name(int status)
{
    static const char *const names[] = {"accepted",
                                        "granted with changes",
                                        "rejection",
                                        "waiting",
                                        "a warning of revocation",
                                        "a notification of revocation",
                                        "a warning of a key update"};

    return status >= 0 && status < (int)G_N_ELEMENTS(names) ? names[status] : "an unknown status";
}

static void
append_failures(GString *words, int fail_info)
{
    for (gsize bit = 0; fail_info > 0 && bit < G_N_ELEMENTS(failures); bit++) {
        if (fail_info & (1 << bit))
            g_string_append_printf(words, ", %s (%s)", failures[bit].name, failures[bit].meaning);
    }
}

/* One line of plain characters, whatever was sent. */
static void
append_text(GString *words, const guint8 *text, gsize size)
{
    g_string_append(words, ": '");
    for (gsize i = 0; i < MIN(size, TEXT_MAX); i++)
        g_string_append_c(words, g_ascii_isprint(text[i]) ? (char)text[i] : ' ');
    g_string_append_c(words, '\'');
}

char *
signet_cmp_words(int status, int fail_info, const STACK_OF(ASN1_UTF8STRING) * texts)
{
    GString *words = g_string_new(status_name(status));

    append_failures(words, fail_info);
    for (int i = 0; texts && i < MIN(sk_ASN1_UTF8STRING_num(texts), TEXTS_MAX); i++) {
        const ASN1_UTF8STRING *text = sk_ASN1_UTF8STRING_value(texts, i);

        append_text(words, ASN1_STRING_get0_data(text), (gsize)ASN1_STRING_length(text));
    }
    return g_string_free(words, FALSE);
}

/* PKIFailureInfo: bit 0 is the highest of the first byte. */
static int
read_failures(struct signet_bytes bits)
{
    int fail_info = 0;

    for (gsize bit = 0; bit < G_N_ELEMENTS(failures) && bit / 8 + 1 < bits.size; bit++) {
        if (bits.data[1 + bit / 8] & (0x80 >> bit % 8))
            fail_info |= 1 << bit;
    }
    return fail_info;
}

char *
signet_cmp_words_of_error(const guint8 *der, gsize size)
{
    struct signet_bytes rest = {der, size};
    struct signet_der message, header, body, content, info, status, texts, text, bits;
    GString *words;

    if (!signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &message) ||
        !signet_der_expect(&message.content, SIGNET_DER_SEQUENCE, &header) ||
        !signet_der_expect(&message.content, SIGNET_DER_CONTEXT(23), &body) ||
        !signet_der_expect(&body.content, SIGNET_DER_SEQUENCE, &content) ||
        !signet_der_expect(&content.content, SIGNET_DER_SEQUENCE, &info) ||
        !signet_der_expect(&info.content, SIGNET_DER_INTEGER, &status))
        return NULL;
    gboolean has_texts = signet_der_expect(&info.content, SIGNET_DER_SEQUENCE, &texts);
    gboolean is_known = status.content.size == 1 && status.content.data[0] < 0x80;
    words = g_string_new(status_name(is_known ? status.content.data[0] : -1));
    if (signet_der_expect(&info.content, SIGNET_DER_BIT_STRING, &bits))
        append_failures(words, read_failures(bits.content));
    for (int i = 0; has_texts && i < TEXTS_MAX && signet_der_next(&texts.content, &text); i++)
        append_text(words, text.content.data, text.content.size);
    return g_string_free(words, FALSE);
}

gboolean
signet_cmp_is_about_sender(int fail_info)
{
    const int bits = OSSL_CMP_CTX_FAILINFO_badMessageCheck | OSSL_CMP_CTX_FAILINFO_certRevoked |
                     OSSL_CMP_CTX_FAILINFO_wrongIntegrity | OSSL_CMP_CTX_FAILINFO_badCertId |
                     OSSL_CMP_CTX_FAILINFO_signerNotTrusted | OSSL_CMP_CTX_FAILINFO_notAuthorized;

    return fail_info > 0 && (fail_info & bits);
}

gboolean
signet_cmp_is_transient(int fail_info)
{
    const int bits = OSSL_CMP_CTX_FAILINFO_systemUnavail | OSSL_CMP_CTX_FAILINFO_systemFailure |
                     OSSL_CMP_CTX_FAILINFO_timeNotAvailable;

    return fail_info > 0 && (fail_info & bits);
}
