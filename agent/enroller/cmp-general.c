/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One question after the other; an answer counts when it is protected as any other answer. */

#include "agent/enroller/cmp-general.h"

#include "agent/base/error.h"
#include "agent/enroller/cmp-genp.h"
#include "agent/enroller/cmp-wire.h"

#define ROOTS_MAX 4

typedef STACK_OF(OSSL_CMP_ITAV) Infos;

static OSSL_CMP_ITAV *
make_question(X509 *root)
{
#if OPENSSL_VERSION_PREREQ(3, 2)
    return root ? OSSL_CMP_ITAV_new_rootCaCert(root) : OSSL_CMP_ITAV_new_caCerts(NULL);
#else
    ASN1_TYPE *value = NULL;
    guint8 *der = NULL;
    int size = root ? i2d_X509(root, &der) : 0;

    if (root) {
        ASN1_STRING *text = ASN1_STRING_type_new(V_ASN1_SEQUENCE);

        value = ASN1_TYPE_new();
        ASN1_STRING_set(text, der, MAX(size, 0));
        ASN1_TYPE_set(value, V_ASN1_SEQUENCE, text);
        OPENSSL_free(der);
    }
    return OSSL_CMP_ITAV_create(OBJ_txt2obj(root ? "1.3.6.1.5.5.7.4.20" : "1.3.6.1.5.5.7.4.17", 1),
                                value);
#endif
}

/* (nullable) The answer, in DER; owned by the caller. */
static GBytes *
ask(SignetCmpBase *base, SignetRung rung, X509 *root, GError **error)
{
    g_auto(SignetCmpWire)
        wire = {.http = base->context->http, .url = base->context->job->remote.url};
    g_autoptr(OSSL_CMP_CTX) client = signet_cmp_context_new_general(base, rung, error);
    OSSL_CMP_ITAV *question = client ? make_question(root) : NULL;

    if (!client)
        return NULL;
    if (!question || !OSSL_CMP_CTX_push0_genm_ITAV(client, question)) {
        OSSL_CMP_ITAV_free(question);
        signet_crypto_fail(error, "cannot ask the CA about itself");
        return NULL;
    }
    signet_cmp_wire_connect(&wire, client);
    Infos *infos = OSSL_CMP_exec_GENM_ses(client);
    gboolean is_answered = infos && wire.general;
    sk_OSSL_CMP_ITAV_pop_free(infos, OSSL_CMP_ITAV_free);
    if (is_answered) {
        ERR_clear_error();
        return g_steal_pointer(&wire.general);
    }
    g_autofree char *reason = signet_openssl_dup_reason();
    if (wire.failure)
        g_propagate_error(error, g_steal_pointer(&wire.failure));
    else
        signet_error_set(error, SIGNET_ERROR_CA_REFUSED, "the CA does not say: %s",
                         wire.complaint ? wire.complaint : reason);
    return NULL;
}

static struct signet_bytes
span_of(GBytes *bytes)
{
    gsize size = 0;
    const guint8 *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    return (struct signet_bytes) {data, size};
}

static gboolean
is_root(X509 *certificate)
{
    return X509_self_signed(certificate, 0) == 1;
}

static gboolean
has(const SignetX509Stack *list, X509 *certificate)
{
    for (int i = 0; i < sk_X509_num(list); i++) {
        if (X509_cmp(sk_X509_value(list, i), certificate) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
push(SignetX509Stack *list, X509 *certificate)
{
    if (sk_X509_push(list, certificate) > 0)
        X509_up_ref(certificate);
}

/* A root is believed for no other reason than that another one, which is, has signed it. */
static void
add_believed(SignetX509Stack *all, const SignetX509Stack *shown, const SignetX509Stack *anchors)
{
    for (int i = 0; i < sk_X509_num(shown); i++) {
        X509 *certificate = sk_X509_value(shown, i);

        if (X509_check_ca(certificate) > 0 && (!is_root(certificate) || has(anchors, certificate)))
            push(all, certificate);
    }
}

SignetX509Stack *
signet_cmp_prove_roots(SignetCmpBase *base, SignetRung rung)
{
    SignetX509Stack *proven = sk_X509_new_null();

    for (int i = 0; i < MIN(sk_X509_num(base->anchors), ROOTS_MAX); i++) {
        X509 *known = sk_X509_value(base->anchors, i);
        g_autoptr(GBytes) answer = is_root(known) ? ask(base, rung, known, NULL) : NULL;
        struct signet_bytes value;
        g_autoptr(X509) root =
            answer && signet_cmp_genp_find(span_of(answer), SIGNET_CMP_ROOT_KEY_UPDATE, &value)
                ? signet_cmp_genp_prove_root(value, known, base->context->now_s)
                : NULL;

        if (root && !has(proven, root))
            push(proven, root);
    }
    ERR_clear_error();
    return proven;
}

SignetX509Stack *
signet_cmp_get_authorities(const SignetProtocolContext *context, GError **error)
{
    g_auto(SignetCmpBase) base = {0};
    g_autoptr(SignetX509Stack) all = sk_X509_new_null();
    struct signet_bytes value;

    if (!signet_cmp_base_init(&base, context, error))
        return NULL;
    g_autoptr(GBytes) answer = ask(&base, SIGNET_RUNG_CURRENT, NULL, error);
    if (!answer)
        return NULL;
    g_autoptr(SignetX509Stack) shown =
        signet_cmp_genp_find(span_of(answer), SIGNET_CMP_CA_CERTS, &value)
            ? signet_cmp_genp_read_certificates(value)
            : NULL;
    add_believed(all, shown, base.anchors);
    g_autoptr(SignetX509Stack) proven = signet_cmp_prove_roots(&base, SIGNET_RUNG_CURRENT);
    for (int i = 0; i < sk_X509_num(proven); i++)
        push(all, sk_X509_value(proven, i));
    if (sk_X509_num(all) > 0)
        return g_steal_pointer(&all);
    signet_error_set(error, SIGNET_ERROR_CA_REFUSED, "the CA does not show its certificates");
    return NULL;
}
