/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The inside of cmp-server.py: a CA that speaks CMP (libcrypto's server side), honest or as it is
 * told.
 *
 *   cmp-ca DIR REFERENCE SECRET
 *
 * DIR is a CA of testca.py; DIR/others.pem, where it is there, whose certificates it takes beside
 * its own. stdin has frames: size (4 bytes, big endian) of what follows, size of the mode (1 byte),
 * mode, request in DER; stdout likewise, with a note for the log in place of the mode and the
 * answer. */

#include <glib.h>
#include <openssl/cmp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "provider/wire/der.h"

#define FRAME_MAX (1 << 20)
#define DAY_S     86400L

typedef STACK_OF(X509) Certificates;

typedef struct {
    X509 *root, *sub, *signer;
    EVP_PKEY *sub_key, *signer_key;
} Authority;

/* One transaction. */
typedef struct {
    OSSL_CMP_SRV_CTX *server;
    OSSL_CMP_MSG *waiting; /* (owned, nullable) the request that is thought over */
} Talk;

static Authority honest, other;
static X509 *device;
static EVP_PKEY *device_key;
static const char *place, *reference, *secret;
static GHashTable *talks; /* transaction in hexadecimal to Talk */
static const char *mode;
static GString *note;

static void
require(gboolean holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "cmp-ca: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* --- the CA --- */

static gpointer
load(const char *directory, const char *name, gboolean is_key)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    FILE *file = fopen(path, "re");
    gpointer found = NULL;

    require(file != NULL, path);
    found = is_key ? (gpointer)PEM_read_PrivateKey(file, NULL, NULL, NULL)
                   : (gpointer)PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    require(found != NULL, path);
    return found;
}

static void
load_authority(Authority *authority, const char *directory)
{
    authority->root = load(directory, "root.pem", FALSE);
    authority->sub = load(directory, "sub.pem", FALSE);
    authority->sub_key = load(directory, "sub.key", TRUE);
    authority->signer = load(directory, "cmp.pem", FALSE);
    authority->signer_key = load(directory, "cmp.key", TRUE);
}

/* What is asked for: of a CertTemplate or a PKCS#10. */
typedef struct {
    const X509_NAME *subject;
    EVP_PKEY *key;                         /* (owned) */
    const STACK_OF(X509_EXTENSION) * list; /* borrowed */
    STACK_OF(X509_EXTENSION) * owned;
} Wish;

static void
wish_clear(Wish *wish)
{
    EVP_PKEY_free(wish->key);
    sk_X509_EXTENSION_pop_free(wish->owned, X509_EXTENSION_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wish, wish_clear)

/* libcrypto 3.0 does not give the key away. */
static EVP_PKEY *
key_of_template(const OSSL_CRMF_CERTTEMPLATE *template)
{
    guint8 *der = NULL;
    int size = i2d_OSSL_CRMF_CERTTEMPLATE(template, &der);
    struct signet_bytes rest = {der, (size_t)MAX(size, 0)};
    struct signet_der whole, field;
    EVP_PKEY *key = NULL;

    require(signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &whole), "a template");
    while (signet_der_next(&whole.content, &field)) {
        if (field.tag != SIGNET_DER_CONTEXT(6))
            continue;
        g_autofree guint8 *copy = g_memdup2(field.whole.data, field.whole.size);
        const guint8 *at = copy;

        copy[0] = SIGNET_DER_SEQUENCE;
        key = d2i_PUBKEY(NULL, &at, (long)field.whole.size);
    }
    OPENSSL_free(der);
    return key;
}

static void
wish_read(Wish *wish, const OSSL_CRMF_MSG *crm, const X509_REQ *csr)
{
    if (csr) {
        wish->subject = X509_REQ_get_subject_name(csr);
        wish->key = X509_REQ_get_pubkey((X509_REQ *)csr);
        wish->list = wish->owned = X509_REQ_get_extensions((X509_REQ *)csr);
        return;
    }
    const OSSL_CRMF_CERTTEMPLATE *template = OSSL_CRMF_MSG_get0_tmpl(crm);
    wish->subject = OSSL_CRMF_CERTTEMPLATE_get0_subject(template);
    wish->key = key_of_template(template);
    wish->list = OSSL_CRMF_CERTTEMPLATE_get0_extensions(template);
}

static gboolean
is_mode(const char *name)
{
    return strcmp(mode, name) == 0;
}

static X509_NAME *
make_subject(const Wish *wish)
{
    X509_NAME *name = wish->subject && !is_mode("someone-else") && !is_mode("other-names")
                          ? X509_NAME_dup(wish->subject)
                          : X509_NAME_new();

    if (is_mode("someone-else") || is_mode("other-names"))
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guint8 *)"somebody.else", -1,
                                   -1, 0);
    return name;
}

static void
set_validity(X509 *certificate)
{
    long begin = -60, end = DAY_S;

    if (is_mode("expired")) {
        begin = -3 * DAY_S;
        end = -DAY_S;
    } else if (is_mode("not-yet-valid")) {
        begin = DAY_S;
        end = 3 * DAY_S;
    } else if (is_mode("one-minute")) {
        end = 60;
    } else if (g_str_has_prefix(mode, "lifetime-")) {
        end = atol(mode + 9);
    } else if (is_mode("fifty-years")) {
        end = 50 * 365 * DAY_S;
    }
    X509_gmtime_adj(X509_getm_notBefore(certificate), begin);
    X509_gmtime_adj(X509_getm_notAfter(certificate), end);
}

static void
add_extensions(X509 *certificate, const Wish *wish)
{
    X509_EXTENSION *basic =
        X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:FALSE");

    X509_add_ext(certificate, basic, -1);
    X509_EXTENSION_free(basic);
    for (int i = 0; i < sk_X509_EXTENSION_num(wish->list); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(wish->list, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

        if (!(is_mode("no-eku") && nid == NID_ext_key_usage))
            X509_add_ext(certificate, extension, -1);
    }
}

static X509 *
issue(const Wish *wish)
{
    const Authority *authority = is_mode("other-ca") ? &other : &honest;
    X509 *certificate = X509_new();
    BIGNUM *serial = BN_new();
    X509_NAME *subject = make_subject(wish);
    gboolean is_wrong = is_mode("wrong-key") || is_mode("someone-else");
    EVP_PKEY *key = is_wrong ? device_key : wish->key;

    BN_rand(serial, 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate));
    X509_set_version(certificate, X509_VERSION_3);
    X509_set_subject_name(certificate, subject);
    X509_set_issuer_name(certificate, X509_get_subject_name(authority->sub));
    X509_set_pubkey(certificate, key);
    set_validity(certificate);
    add_extensions(certificate, wish);
    require(X509_sign(certificate, authority->sub_key, EVP_sha256()) > 0, "signing");
    BN_free(serial);
    X509_NAME_free(subject);
    return certificate;
}

static void
push(Certificates *list, X509 *certificate)
{
    X509_up_ref(certificate);
    sk_X509_push(list, certificate);
}

/* Certificates of a file of the CA's directory; empty without it. */
static Certificates *
read_list(const char *name)
{
    Certificates *list = sk_X509_new_null();
    g_autofree char *path = g_build_filename(place, name, NULL);
    FILE *file = fopen(path, "re");
    X509 *one;

    while (file && (one = PEM_read_X509(file, NULL, NULL, NULL)) != NULL)
        sk_X509_push(list, one);
    if (file)
        fclose(file);
    ERR_clear_error();
    return list;
}

/* --- the server's callbacks --- */

static OSSL_CMP_PKISI *
refuse(void)
{
    return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_rejection, 1 << atoi(mode + 7),
                                   "because the test says so");
}

/* From now on somebody else answers. */
static void
swap_signer(OSSL_CMP_CTX *cmp)
{
    gboolean is_device = is_mode("device-signs");

    if (is_device || is_mode("other-signs")) {
        OSSL_CMP_CTX_set1_secretValue(cmp, NULL, 0);
        OSSL_CMP_CTX_set1_cert(cmp, is_device ? device : other.signer);
        OSSL_CMP_CTX_set1_pkey(cmp, is_device ? device_key : other.signer_key);
    }
    if (is_mode("other-secret"))
        OSSL_CMP_CTX_set1_secretValue(cmp, (const guint8 *)"another", 7);
    if (is_mode("unprotected"))
        OSSL_CMP_CTX_set_option(cmp, OSSL_CMP_OPT_UNPROTECTED_SEND, 1);
}

static void
note_old(const OSSL_CRMF_MSG *crm)
{
    const OSSL_CRMF_CERTID *old = crm ? OSSL_CRMF_MSG_get0_regCtrl_oldCertID(crm) : NULL;
    BIGNUM *serial = old ? ASN1_INTEGER_to_BN(OSSL_CRMF_CERTID_get0_serialNumber(old), NULL) : NULL;
    char *text = serial ? BN_bn2hex(serial) : NULL;

    g_string_append_printf(note, " old=%s", text ? text : "-");
    OPENSSL_free(text);
    BN_free(serial);
}

static OSSL_CMP_PKISI *
on_request(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, int id, const OSSL_CRMF_MSG *crm,
           const X509_REQ *csr, X509 **ret_certificate, Certificates **ret_chain,
           Certificates **ret_authorities)
{
    g_auto(Wish) wish = {0};

    note_old(crm);
    swap_signer(OSSL_CMP_SRV_CTX_get0_cmp_ctx(server));
    if (g_str_has_prefix(mode, "refuse-"))
        return refuse();
    if (g_str_has_prefix(mode, "pending"))
        return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_waiting, 0, "a person has to decide");
    wish_read(&wish, crm, csr);
    *ret_certificate = issue(&wish);
    *ret_chain = sk_X509_new_null();
    push(*ret_chain, is_mode("other-ca") ? other.sub : honest.sub);
    for (int i = 0; is_mode("long-chain") && i < 198; i++)
        sk_X509_push(*ret_chain, issue(&wish));
    *ret_authorities = sk_X509_new_null();
    push(*ret_authorities, is_mode("other-ca") ? other.root : honest.root);
    g_string_append(note, " issued");
    return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
}

static int
on_confirm(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, int id,
           const ASN1_OCTET_STRING *hash, const OSSL_CMP_PKISI *info)
{
    char text[OSSL_CMP_PKISI_BUFLEN] = "accepted";

    swap_signer(OSSL_CMP_SRV_CTX_get0_cmp_ctx(server));
    if (info)
        OSSL_CMP_snprint_PKIStatusInfo(info, text, sizeof(text));
    g_string_append_printf(note, " %s", text);
    return !g_str_has_prefix(mode, "refuse-");
}

static OSSL_CMP_MSG *
copy_message(const OSSL_CMP_MSG *message)
{
    BIO *bio = BIO_new(BIO_s_mem());
    OSSL_CMP_MSG *copy;

    i2d_OSSL_CMP_MSG_bio(bio, message);
    copy = d2i_OSSL_CMP_MSG_bio(bio, NULL);
    BIO_free(bio);
    return copy;
}

static int
on_poll(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, int id, OSSL_CMP_MSG **ret_request,
        int64_t *ret_check_after)
{
    Talk *talk = OSSL_CMP_SRV_CTX_get0_custom_ctx(server);

    *ret_request = NULL;
    *ret_check_after = 0;
    if (g_str_has_prefix(mode, "pending"))
        *ret_check_after = mode[7] ? atoi(mode + 8) : 1;
    else
        *ret_request = copy_message(talk->waiting);
    return 1;
}

static void
on_error(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, const OSSL_CMP_PKISI *info,
         const ASN1_INTEGER *code, const OSSL_CMP_PKIFREETEXT *details)
{
    char text[OSSL_CMP_PKISI_BUFLEN] = "";

    OSSL_CMP_snprint_PKIStatusInfo(info, text, sizeof(text));
    g_string_append_printf(note, " error %s", text);
}

#if OPENSSL_VERSION_PREREQ(3, 2)
static OSSL_CMP_ITAV *
make_general(gboolean is_root, Certificates *certificates)
{
    if (!is_root)
        return OSSL_CMP_ITAV_new_caCerts(certificates);
    return OSSL_CMP_ITAV_new_rootCaKeyUpdate(sk_X509_value(certificates, 0),
                                             sk_X509_value(certificates, 1), NULL);
}
#else
static void
append(GByteArray *out, X509 *certificate, gboolean is_tagged)
{
    guint8 *der = NULL;
    int size = i2d_X509(certificate, &der);
    guint8 head[16];
    guint8 *at = head;

    ASN1_put_object(&at, 1, size, 0, V_ASN1_CONTEXT_SPECIFIC);
    if (is_tagged)
        g_byte_array_append(out, head, (guint)(at - head));
    g_byte_array_append(out, der, (guint)size);
    OPENSSL_free(der);
}

/* libcrypto 3.0 knows neither: their value is any SEQUENCE. */
static OSSL_CMP_ITAV *
make_general(gboolean is_root, Certificates *certificates)
{
    g_autoptr(GByteArray) list = g_byte_array_new();
    guint8 head[16];
    guint8 *at = head;
    ASN1_TYPE *value = NULL;

    for (int i = 0; i < sk_X509_num(certificates); i++)
        append(list, sk_X509_value(certificates, i), is_root && i == 1);
    ASN1_put_object(&at, 1, (int)list->len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    g_byte_array_prepend(list, head, (guint)(at - head));
    if (sk_X509_num(certificates) > 0) {
        const guint8 *der = list->data;

        value = d2i_ASN1_TYPE(NULL, &der, (long)list->len);
        require(value != NULL, "a value");
    }
    return OSSL_CMP_ITAV_create(
        OBJ_txt2obj(is_root ? "1.3.6.1.5.5.7.4.18" : "1.3.6.1.5.5.7.4.17", 1), value);
}
#endif

/* id-it-caCerts: what DIR/shown.pem holds; id-it-rootCaKeyUpdate: newWithNew and newWithOld of
 * DIR/update.pem. */
static int
on_general(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message,
           const STACK_OF(OSSL_CMP_ITAV) * in, STACK_OF(OSSL_CMP_ITAV) * *ret_out)
{
    char text[64] = "";

    if (sk_OSSL_CMP_ITAV_num(in) != 1)
        return 0;
    OBJ_obj2txt(text, sizeof(text), OSSL_CMP_ITAV_get0_type(sk_OSSL_CMP_ITAV_value(in, 0)), 1);
    gboolean is_root = g_str_has_suffix(text, ".20");
    Certificates *list = read_list(is_root ? "update.pem" : "shown.pem");
    OSSL_CMP_ITAV *answer = make_general(is_root, list);
    sk_X509_pop_free(list, X509_free);
    require(answer != NULL, "a general answer");
    g_string_append_printf(note, " info=%s", text);
    swap_signer(OSSL_CMP_SRV_CTX_get0_cmp_ctx(server));
    *ret_out = sk_OSSL_CMP_ITAV_new_null();
    sk_OSSL_CMP_ITAV_push(*ret_out, answer);
    return 1;
}

static OSSL_CMP_PKISI *
on_revocation(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, const X509_NAME *issuer,
              const ASN1_INTEGER *serial)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *text = number ? BN_bn2hex(number) : NULL;
    gboolean is_ours = X509_NAME_cmp(issuer, X509_get_subject_name(honest.sub)) == 0;

    g_string_append_printf(note, " old=%s", text ? text : "-");
    OPENSSL_free(text);
    BN_free(number);
    swap_signer(OSSL_CMP_SRV_CTX_get0_cmp_ctx(server));
    if (g_str_has_prefix(mode, "refuse-"))
        return refuse();
    g_string_append(note, is_ours ? " revoked" : " whose?");
    return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
}

/* --- transactions --- */

static void
talk_free(gpointer data)
{
    Talk *talk = data;

    OSSL_CMP_MSG_free(talk->waiting);
    OSSL_CMP_SRV_CTX_free(talk->server);
    g_free(talk);
}

static Talk *
talk_new(void)
{
    Talk *talk = g_new0(Talk, 1);
    X509_STORE *store = X509_STORE_new();

    talk->server = OSSL_CMP_SRV_CTX_new(NULL, NULL);
    require(talk->server && OSSL_CMP_SRV_CTX_init(talk->server, talk, on_request, on_revocation,
                                                  on_general, on_error, on_confirm, on_poll),
            "a server");
    OSSL_CMP_CTX *cmp = OSSL_CMP_SRV_CTX_get0_cmp_ctx(talk->server);
    OSSL_CMP_SRV_CTX_set_grant_implicit_confirm(talk->server, 1);
    X509_STORE_add_cert(store, honest.root);
    Certificates *others = read_list("others.pem");
    for (int i = 0; i < sk_X509_num(others); i++)
        X509_STORE_add_cert(store, sk_X509_value(others, i));
    OSSL_CMP_CTX_set0_trustedStore(cmp, store);
    OSSL_CMP_CTX_set1_cert(cmp, honest.signer);
    OSSL_CMP_CTX_set1_pkey(cmp, honest.signer_key);
    OSSL_CMP_CTX_set_option(cmp, OSSL_CMP_OPT_MAC_ALGNID, NID_hmacWithSHA256);
    OSSL_CMP_CTX_set1_referenceValue(cmp, (const guint8 *)reference, (int)strlen(reference));
    OSSL_CMP_CTX_set1_secretValue(cmp, (const guint8 *)secret, (int)strlen(secret));
    Certificates *extra = sk_X509_new_null();
    push(extra, honest.sub);
    for (int i = 0; i < sk_X509_num(others); i++)
        push(extra, sk_X509_value(others, i));
    OSSL_CMP_CTX_set1_extraCertsOut(cmp, extra);
    sk_X509_pop_free(extra, X509_free);
    sk_X509_pop_free(others, X509_free);
    return talk;
}

static Talk *
find_talk(const OSSL_CMP_MSG *request)
{
    const ASN1_OCTET_STRING *id =
        OSSL_CMP_HDR_get0_transactionID(OSSL_CMP_MSG_get0_header(request));
    char *key = id ? OPENSSL_buf2hexstr(ASN1_STRING_get0_data(id), ASN1_STRING_length(id)) : NULL;
    Talk *talk = g_hash_table_lookup(talks, key ? key : "");

    if (!talk) {
        talk = talk_new();
        g_hash_table_insert(talks, g_strdup(key ? key : ""), talk);
    }
    OPENSSL_free(key);
    return talk;
}

static GByteArray *
answer(const guint8 *der, gsize size)
{
    GByteArray *out = g_byte_array_new();
    BIO *in = BIO_new_mem_buf(der, (int)size);
    BIO *bio = BIO_new(BIO_s_mem());
    OSSL_CMP_MSG *request = d2i_OSSL_CMP_MSG_bio(in, NULL);
    Talk *talk = request ? find_talk(request) : NULL;
    OSSL_CMP_MSG *reply = NULL;
    char *data = NULL;

    if (talk) {
        int type = OSSL_CMP_MSG_get_bodytype(request);

        if (type == OSSL_CMP_IR || type == OSSL_CMP_CR || type == OSSL_CMP_KUR ||
            type == OSSL_CMP_P10CR) {
            OSSL_CMP_MSG_free(talk->waiting);
            talk->waiting = copy_message(request);
        }
        reply = OSSL_CMP_SRV_process_request(talk->server, request);
    }
    if (reply && i2d_OSSL_CMP_MSG_bio(bio, reply) > 0) {
        long length = BIO_get_mem_data(bio, &data);

        g_byte_array_append(out, (guint8 *)data, (guint)length);
    }
    ERR_print_errors_fp(stderr);
    OSSL_CMP_MSG_free(reply);
    OSSL_CMP_MSG_free(request);
    BIO_free(in);
    BIO_free(bio);
    return out;
}

/* --- frames --- */

static gboolean
serve_one(void)
{
    guint8 head[5];
    static char frame[FRAME_MAX];
    g_autofree char *words = NULL;

    if (fread(head, 1, sizeof(head), stdin) != sizeof(head))
        return FALSE;
    gsize size = (gsize)head[1] << 16 | (gsize)head[2] << 8 | head[3];
    require(size <= FRAME_MAX && head[4] < size, "a frame");
    require(fread(frame, 1, size - 1, stdin) == size - 1, "a whole frame");
    mode = words = g_strndup(frame, head[4]);
    g_string_truncate(note, 0);
    g_autoptr(GByteArray) out = answer((const guint8 *)frame + head[4], size - 1 - head[4]);
    g_string_truncate(note, MIN(note->len, 255));
    guint32 total = GUINT32_TO_BE((guint32)(1 + note->len + out->len));
    guint8 length = (guint8)note->len;
    fwrite(&total, 1, sizeof(total), stdout);
    fwrite(&length, 1, 1, stdout);
    fwrite(note->str, 1, note->len, stdout);
    fwrite(out->data, 1, out->len, stdout);
    return fflush(stdout) == 0;
}

int
main(int argc, char **argv)
{
    require(argc == 4, "usage: cmp-ca DIR REFERENCE SECRET");
    g_autofree char *another = g_build_filename(argv[1], "other-ca", NULL);

    place = argv[1];
    load_authority(&honest, argv[1]);
    load_authority(&other, another);
    device = load(argv[1], "server.pem", FALSE);
    device_key = load(argv[1], "server.pem", TRUE);
    reference = argv[2];
    secret = argv[3];
    talks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, talk_free);
    note = g_string_new(NULL);
    while (serve_one())
        continue;
    return 0;
}
