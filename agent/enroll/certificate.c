/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A CA's answer is checked here before anything is replaced. */

#include "agent/enroll/certificate.h"

#include "agent/base/error.h"
#include "agent/enroll/names.h"
#include "agent/enroll/parse.h"

#define CHAIN_MAX 10u
/* A certificate that begins this little in the future points at a wrong clock. */
#define CLOCK_SKEW_S 600
/* RSA-2048, SHA-256 and better: 112 bits */
#define SECURITY_LEVEL 2

static char *
time_to_text(gint64 time_s)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_s);

    return time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%SZ") : g_strdup("an impossible time");
}

static SignetX509Stack *
parse_all(GPtrArray *certificates, const char *word, GError **error)
{
    g_autoptr(SignetX509Stack) stack = sk_X509_new_null();
    guint n = certificates ? certificates->len : 0;

    if (n == 0 || n > CHAIN_MAX) {
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "%s of %u certificates, 1 to %u are taken",
                         word, n, CHAIN_MAX);
        return NULL;
    }
    for (guint i = 0; i < n; i++) {
        X509 *certificate = signet_parse_certificate(g_ptr_array_index(certificates, i), error);
        if (!certificate) {
            g_prefix_error(error, "%s, certificate %u: ", word, i + 1);
            return NULL;
        }
        sk_X509_push(stack, certificate);
    }
    return g_steal_pointer(&stack);
}

static gboolean
check_validity(const SignetJobRequest *request, X509 *leaf, gint64 now_s, GError **error)
{
    gint64 not_before = signet_parse_time(X509_get0_notBefore(leaf));
    gint64 not_after = signet_parse_time(X509_get0_notAfter(leaf));

    if (not_before == G_MININT64 || not_after == G_MININT64)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the certificate's validity cannot be read");
    g_autofree char *begin = time_to_text(not_before);
    g_autofree char *end = time_to_text(not_after);
    g_autofree char *now = time_to_text(now_s);
    if (not_before > now_s && not_before <= now_s + CLOCK_SKEW_S)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate is not yet valid: it begins at %s, this machine's "
                                "clock says %s; check the "
                                "clocks of this machine and of the CA",
                                begin, now);
    if (not_before > now_s)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate is not yet valid: it begins at %s, now is %s",
                                begin, now);
    if (not_after <= now_s)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate is expired: it expires at %s, before now, %s", end,
                                now);
    if (not_after - now_s < request->min_lifetime_s) {
        g_autofree char *least = time_to_text(now_s + request->min_lifetime_s);
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate expires at %s, before %s, the earliest allowed",
                                end, least);
    }
    if (request->max_lifetime_s && not_after - now_s > request->max_lifetime_s) {
        g_autofree char *latest = time_to_text(now_s + request->max_lifetime_s);
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate expires at %s, after %s, the latest allowed", end,
                                latest);
    }
    return TRUE;
}

static gboolean
check_authority(const SignetJobRequest *request, X509 *leaf, GError **error)
{
    gboolean is_broken = FALSE;
    g_autoptr(BASIC_CONSTRAINTS) basic =
        signet_parse_extension(X509_get0_extensions(leaf), NID_basic_constraints, &is_broken);
    gboolean is_ca = basic && basic->ca;

    if (is_broken)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the certificate's basic constraints are malformed");
    if (is_ca && !request->is_ca)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate is a CA's, asked for was none");
    if (!is_ca && request->is_ca)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate is not a CA's, asked for was one");
    /* Without the extension libcrypto says that everything is allowed. */
    guint32 usage = X509_get_key_usage(leaf);
    if (request->is_ca ? !(usage & X509v3_KU_KEY_CERT_SIGN)
                       : !(usage & X509v3_KU_DIGITAL_SIGNATURE))
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate's key usage does not allow %s",
                                request->is_ca ? "to sign certificates" : "signatures");
    return TRUE;
}

static gboolean
check_extended_usage(const SignetJobRequest *request, X509 *leaf, GError **error)
{
    g_autoptr(EXTENDED_KEY_USAGE) asked =
        signet_names_make_eku(request->is_ca ? 0 : request->purposes);
    gboolean is_broken = FALSE;
    g_autoptr(EXTENDED_KEY_USAGE) found =
        signet_parse_extension(X509_get0_extensions(leaf), NID_ext_key_usage, &is_broken);

    if (is_broken)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the certificate's extended key usage is malformed");
    for (int i = 0; i < sk_ASN1_OBJECT_num(asked); i++) {
        const ASN1_OBJECT *object = sk_ASN1_OBJECT_value(asked, i);
        gboolean is_there = FALSE;

        for (int k = 0; found && k < sk_ASN1_OBJECT_num(found); k++)
            is_there = is_there || OBJ_cmp(sk_ASN1_OBJECT_value(found, k), object) == 0;
        if (!is_there)
            return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                    "the certificate's extended key usage lacks '%s'%s",
                                    OBJ_nid2sn(OBJ_obj2nid(object)), found ? "" : ": it has none");
    }
    return TRUE;
}

static gboolean
check_names(const SignetJobRequest *request, X509 *leaf, GError **error)
{
    gboolean is_broken = FALSE;
    g_autoptr(GENERAL_NAMES) alt =
        signet_parse_extension(X509_get0_extensions(leaf), NID_subject_alt_name, &is_broken);

    if (is_broken)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the certificate's alternative names are malformed");
    /* Other CAs add names of their own (a 'www.' …); ours has no reason to. */
    guint rule =
        g_strcmp0(request->protocol, "local") == 0 ? SIGNET_NAMES_EXACT : SIGNET_NAMES_MAY_ADD;
    /* An ACME CA certifies names of servers, and says in the subject what it likes. */
    if (g_strcmp0(request->protocol, "acme") == 0)
        rule |= SIGNET_NAMES_ANY_SUBJECT;
    g_autofree char *difference =
        signet_names_dup_difference(request, X509_get_subject_name(leaf), alt, rule);
    if (difference)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate's names are wrong: %s", difference);
    return TRUE;
}

static gboolean
check_leaf(const SignetJobRequest *request, X509 *leaf, gint64 now_s, GError **error)
{
    g_autoptr(GBytes) spki = signet_parse_dup_spki(X509_get_X509_PUBKEY(leaf));

    if (!spki || !request->spki || !g_bytes_equal(spki, request->spki))
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate's public key is not the new key's");
    return check_validity(request, leaf, now_s, error) && check_names(request, leaf, error) &&
           check_authority(request, leaf, error) && check_extended_usage(request, leaf, error);
}

/* A local CA's certificate is known beforehand: no other anchor counts. */
static gboolean
check_anchors(const SignetJobRequest *request, GPtrArray *anchors, GError **error)
{
    if (!request->ca_certificate)
        return TRUE;
    for (guint i = 0; anchors && i < anchors->len; i++)
        if (!g_bytes_equal(request->ca_certificate, g_ptr_array_index(anchors, i)))
            return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                    "anchor %u is not the certificate of '%s'", i + 1,
                                    request->ca_identity);
    return TRUE;
}

static gboolean
check_path(X509 *leaf, SignetX509Stack *chain, SignetX509Stack *anchors, gint64 now_s,
           GError **error)
{
    g_autoptr(X509_STORE) store = X509_STORE_new();
    g_autoptr(X509_STORE_CTX) context = X509_STORE_CTX_new();

    for (int i = 0; i < sk_X509_num(anchors); i++)
        X509_STORE_add_cert(store, sk_X509_value(anchors, i));
    if (!X509_STORE_CTX_init(context, store, leaf, chain))
        return signet_error_set(error, SIGNET_ERROR_FAILED,
                                "cannot check the chain: out of memory");

    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(parameters, (time_t)now_s);
    X509_VERIFY_PARAM_set_depth(parameters, CHAIN_MAX);
    X509_VERIFY_PARAM_set_auth_level(parameters, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_flags(parameters,
                                X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_CHECK_SS_SIGNATURE);
    gboolean is_good = X509_verify_cert(context) == 1;
    int code = X509_STORE_CTX_get_error(context);
    int depth = X509_STORE_CTX_get_error_depth(context);
    ERR_clear_error();
    if (!is_good)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the chain does not lead to an anchor: %s (certificate %d)",
                                X509_verify_cert_error_string(code), depth + 1);
    return TRUE;
}

gboolean
signet_certificate_check(const SignetJobRequest *request, GPtrArray *chain, GPtrArray *anchors,
                         gint64 now_s, GError **error)
{
    g_autoptr(SignetX509Stack) chain_stack = parse_all(chain, "a chain", error);
    g_autoptr(SignetX509Stack) anchor_stack =
        chain_stack ? parse_all(anchors, "a list of anchors", error) : NULL;

    if (!anchor_stack || !check_leaf(request, sk_X509_value(chain_stack, 0), now_s, error))
        return FALSE;
    return check_anchors(request, anchors, error) &&
           check_path(sk_X509_value(chain_stack, 0), chain_stack, anchor_stack, now_s, error);
}

/* Without the extension every usage is allowed (RFC 5280 4.2.1.12). */
static gboolean
has_extended_usage(X509 *leaf)
{
    return X509_get_ext_by_NID(leaf, NID_ext_key_usage, -1) >= 0;
}

static gboolean
check_adopted_leaf(const SignetJobRequest *request, X509 *leaf, gint64 now_s, GError **error)
{
    g_autoptr(GBytes) spki = signet_parse_dup_spki(X509_get_X509_PUBKEY(leaf));

    if (!spki || !g_bytes_equal(spki, request->spki))
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the certificate's public key is not the key's");
    return check_validity(request, leaf, now_s, error) && check_authority(request, leaf, error) &&
           (!has_extended_usage(leaf) || check_extended_usage(request, leaf, error));
}

/* Without anchors the last one of the chain is believed. */
static SignetX509Stack *
find_trusted(SignetX509Stack *chain, GPtrArray *anchors, GError **error)
{
    SignetX509Stack *trusted;
    X509 *last = sk_X509_value(chain, sk_X509_num(chain) - 1);

    if (anchors && anchors->len > 0)
        return parse_all(anchors, "a list of anchors", error);
    trusted = sk_X509_new_null();
    X509_up_ref(last);
    sk_X509_push(trusted, last);
    return trusted;
}

gboolean
signet_certificate_check_adopted(const SignetJobRequest *request, GPtrArray *chain,
                                 GPtrArray *anchors, gint64 now_s, GError **error)
{
    g_autoptr(SignetX509Stack) stack = parse_all(chain, "a chain", error);
    g_autoptr(SignetX509Stack) trusted = stack ? find_trusted(stack, anchors, error) : NULL;

    return trusted && check_adopted_leaf(request, sk_X509_value(stack, 0), now_s, error) &&
           check_path(sk_X509_value(stack, 0), stack, trusted, now_s, error);
}
