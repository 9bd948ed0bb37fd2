/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What an EST server wants of a request: taken where the policy has it, refused in words where it
 * has not, ignored where it is unknown. */

#include <check.h>
#include <openssl/conf.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enroller/est-attributes.h"

static const char *const dns[] = {"host.example", "www.host.example", NULL};
static GBytes *spki;

static void
set_key(EVP_PKEY *key)
{
    guint8 *der = NULL;
    int size = i2d_PUBKEY(key, &der);

    g_clear_pointer(&spki, g_bytes_unref);
    spki = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}

static void
set_up(void)
{
    set_key(EVP_EC_gen("P-256"));
}

static void
tear_down(void)
{
    g_clear_pointer(&spki, g_bytes_unref);
}

static SignetJobRequest
make_job(void)
{
    return (SignetJobRequest) {.subject = "CN=host,O=Example",
                               .dns = dns,
                               .purposes = SIGNET_PURPOSE_TLS_CLIENT,
                               .spki = spki};
}

/* DER of [default] asn1 in the syntax of ASN1_generate_nconf(3), with sections that many use. */
static GBytes *
make_der(const char *text)
{
    static const char sections[] =
        "\n[curve384]\nc=OID:secp384r1\n[curve256]\nc=OID:prime256v1\n[bits]\nb=INT:3072\n"
        "[none]\n[client]\na=OID:clientAuth\n[both]\na=OID:clientAuth\nb=OID:serverAuth\n";
    g_autofree char *all = g_strconcat(text, sections, NULL);
    g_autoptr(BIO) in = BIO_new_mem_buf(all, -1);
    CONF *conf = NCONF_new(NULL);
    long line = 0;
    guint8 *der = NULL;

    ck_assert_msg(NCONF_load_bio(conf, in, &line) == 1, "line %ld of %s", line, all);
    ASN1_TYPE *value = ASN1_generate_nconf(NCONF_get_string(conf, NULL, "asn1"), conf);
    ck_assert_msg(value != NULL, "cannot generate %s", all);
    int size = i2d_ASN1_TYPE(value, &der);
    GBytes *bytes = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    ASN1_TYPE_free(value);
    NCONF_free(conf);
    return bytes;
}

static char *
read_attributes(const char *text, const SignetJobRequest *job, SignetRequestWishes *wishes)
{
    g_autoptr(GBytes) der = make_der(text);
    g_autoptr(GError) error = NULL;

    if (signet_est_attributes_read(der, job, wishes, &error))
        return g_strdup("taken");
    return g_strdup(error->message);
}

#define LIST "asn1=SEQUENCE:list\n[list]\n"
#define EXTENSIONS                                                                           \
    LIST "a=SEQUENCE:attribute\n[attribute]\ntype=OID:extReq\nvalues=SET:values\n[values]\n" \
         "v=SEQUENCE:extensions\n[extensions]\n"
#define TEMPLATE                                                                           \
    LIST "o=OID:secp521r1\nk=SEQUENCE:ignored\na=SEQUENCE:attribute\n"                     \
         "[ignored]\ntype=OID:rsaEncryption\nvalues=SET:none\n"                            \
         "[attribute]\ntype=OID:1.2.840.113549.1.9.16.2.61\nvalues=SET:values\n[values]\n" \
         "v=SEQUENCE:template\n[template]\nversion=INT:0\n"

static const struct {
    const char *text;
    const char *says;
} rows[] = {
    /* a list */
    {LIST, "taken"},
    {LIST "a=OID:1.2.3.4.5\nb=OID:secp521r1\n", "taken"},
    {LIST "a=SEQUENCE:k\n[k]\nt=OID:id-ecPublicKey\nv=SET:curve384\n",
     "asks for an EC key on secp384r1; change Key="},
    {LIST "a=SEQUENCE:k\nb=SEQUENCE:l\n[k]\nt=OID:rsaEncryption\nv=SET:bits\n"
          "[l]\nt=OID:id-ecPublicKey\nv=SET:curve256\n",
     "taken"},
    {LIST "a=SEQUENCE:k\n[k]\nt=OID:rsaEncryption\nv=SET:bits\n", "an RSA key of 3072 bits"},
    {LIST "a=SEQUENCE:k\n[k]\nt=OID:1.2.3.4\nv=SET:bits\n", "taken"},
    {LIST "a=INT:5\n", "cannot be read"},
    {LIST "a=SEQUENCE:k\n[k]\nt=OID:1.2.3.4\n", "cannot be read"},
    /* extensions: object identifiers of them, as RFC 7030 has it */
    {LIST "a=SEQUENCE:k\n[k]\nt=OID:extReq\nv=SET:m\n[m]\na=OID:1.3.6.1.1.1.1.22\n", "taken"},
    {LIST "a=SEQUENCE:k\n[k]\nt=OID:extReq\nv=SET:m\n[m]\na=OID:subjectAltName\n", "taken"},
    {LIST "a=SEQUENCE:k\n[k]\nt=OID:extReq\nv=SET:m\n[m]\na=INT:3\n", "cannot be read"},
    /* extensions with values */
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:extendedKeyUsage\nv=OCTWRAP,SEQUENCE:client\n", "taken"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:extendedKeyUsage\nv=OCTWRAP,SEQUENCE:both\n",
     "key usage 'TLS Web Server Authentication', which Purposes="},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:extendedKeyUsage\nv=OCTWRAP,SEQUENCE:other\n"
                "[other]\na=OID:codeSigning\n",
     "'Code Signing', which Purposes="},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:keyUsage\nc=BOOL:TRUE\nv=FORMAT:HEX,OCT:03020780\n",
     "taken"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:keyUsage\nv=FORMAT:HEX,OCT:03020106\n",
     "asks for key usage keyCertSign"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:keyUsage\nv=FORMAT:HEX,OCT:030205A0\n",
     "asks for key usage keyEncipherment"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:keyUsage\nv=FORMAT:HEX,OCT:03020308\n",
     "without digitalSignature"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:keyUsage\nv=FORMAT:HEX,OCT:0302078000\n",
     "'keyUsage' that cannot be read"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:basicConstraints\nv=FORMAT:HEX,OCT:30030101FF\n",
     "another CA's certificate"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:certificatePolicies\nv=FORMAT:HEX,OCT:3000\n", "taken"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:subjectAltName\nv=OCTWRAP,SEQUENCE:n\n"
                "[n]\na=IMPLICIT:2C,IA5:www.host.example\n",
     "taken"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:subjectAltName\nv=OCTWRAP,SEQUENCE:n\n"
                "[n]\na=IMPLICIT:2C,IA5:bank.example\n",
     "'DNS:bank.example', which is not one of Dns="},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:subjectAltName\nv=OCTWRAP,SEQUENCE:n\n"
                "[n]\na=IMPLICIT:2C,IA5:\n",
     "taken"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:subjectAltName\nv=OCTWRAP,SEQUENCE:n\n"
                "[n]\na=IMPLICIT:6C,IA5:\n",
     "write Uri= of the identity"},
    {EXTENSIONS "a=SEQUENCE:x\n[x]\nt=OID:subjectAltName\nv=INT:1\n", "cannot be read"},
    /* a template */
    {TEMPLATE "a=IMPLICIT:1C,SET:none\n", "taken"},
    {TEMPLATE, "cannot be read"},
    {TEMPLATE "s=SEQUENCE:dn\na=IMPLICIT:1C,SET:none\n[dn]\na=SET:r\n[r]\na=SEQUENCE:p\n"
              "[p]\nt=OID:commonName\n",
     "taken"},
    {TEMPLATE "s=SEQUENCE:dn\na=IMPLICIT:1C,SET:none\n[dn]\na=SET:r\n[r]\na=SEQUENCE:p\n"
              "[p]\nt=OID:organizationName\nv=UTF8:Example\n",
     "taken"},
    {TEMPLATE "s=SEQUENCE:dn\na=IMPLICIT:1C,SET:none\n[dn]\na=SET:r\n[r]\na=SEQUENCE:p\n"
              "[p]\nt=OID:organizationName\nv=UTF8:Bank\n",
     "'organizationName' = 'Bank' in the subject, which Subject="},
    {TEMPLATE "s=SEQUENCE:dn\na=IMPLICIT:1C,SET:none\n[dn]\na=SET:r\n[r]\na=SEQUENCE:p\n"
              "[p]\nt=OID:organizationalUnitName\n",
     "'organizationalUnitName' in the subject; write it into Subject="},
    {TEMPLATE "k=IMPLICIT:0C,SEQUENCE:key\na=IMPLICIT:1C,SET:none\n[key]\na=SEQUENCE:alg\n"
              "[alg]\na=OID:id-ecPublicKey\nb=OID:prime256v1\n",
     "taken"},
    {TEMPLATE "k=IMPLICIT:0C,SEQUENCE:key\na=IMPLICIT:1C,SET:none\n[key]\na=SEQUENCE:alg\n"
              "[alg]\na=OID:id-ecPublicKey\nb=OID:secp521r1\n",
     "asks for an EC key on secp521r1"},
    {TEMPLATE "a=IMPLICIT:1C,SET:x\n[x]\na=SEQUENCE:y\n[y]\nt=OID:1.2.840.113549.1.9.16.2.62\n"
              "v=SET:z\n[z]\na=SEQUENCE:e\n[e]\na=SEQUENCE:f\n[f]\nt=OID:subjectAltName\n",
     "taken"},
    {TEMPLATE "a=IMPLICIT:1C,SET:x\n[x]\na=SEQUENCE:y\n[y]\nt=OID:1.2.840.113549.1.9.16.2.62\n"
              "v=SET:z\n[z]\na=SEQUENCE:e\n[e]\na=SEQUENCE:f\n[f]\nt=OID:extendedKeyUsage\n"
              "v=OCTWRAP,SEQUENCE:both\n",
     "which Purposes="},
};

START_TEST(what_is_asked_for_is_there_or_refused_in_words)
{
    const SignetJobRequest job = make_job();
    SignetRequestWishes wishes = {0};
    g_autofree char *found = read_attributes(rows[_i].text, &job, &wishes);

    ck_assert_msg(strstr(found, rows[_i].says) != NULL, "row %d: '%s' is not '%s'", _i, found,
                  rows[_i].says);
    ck_assert(!wishes.is_linked);
}
END_TEST

START_TEST(wishes_are_what_the_job_leaves_open)
{
    const SignetJobRequest job = make_job();
    SignetRequestWishes wishes = {0};
    g_autofree char *found =
        read_attributes(EXTENSIONS "a=SEQUENCE:u\nb=SEQUENCE:b\nc=SEQUENCE:k\n[u]\nt=OID:keyUsage\n"
                                   "v=FORMAT:HEX,OCT:03020388\n[b]\nt=OID:basicConstraints\n"
                                   "v=FORMAT:HEX,OCT:3000\n[k]\nt=OID:subjectKeyIdentifier\n"
                                   "v=FORMAT:HEX,OCT:0400\n",
                        &job, &wishes);

    ck_assert_str_eq(found, "taken");
    ck_assert_uint_eq(wishes.key_usage,
                      1u << SIGNET_KU_DIGITAL_SIGNATURE | 1u << SIGNET_KU_KEY_AGREEMENT);
    ck_assert(wishes.has_constraints && wishes.has_key_id);
    ck_assert_ptr_null(wishes.digest);
}
END_TEST

START_TEST(an_identity_without_names_is_asked_for_them)
{
    SignetJobRequest job = make_job();
    SignetRequestWishes wishes = {0};

    job.dns = NULL;
    job.subject = "";
    g_autofree char *names = read_attributes(
        LIST "a=SEQUENCE:k\n[k]\nt=OID:extReq\nv=SET:m\n[m]\na=OID:subjectAltName\n", &job,
        &wishes);
    ck_assert_ptr_nonnull(strstr(names, "asks for alternative names; write Dns="));
    g_autofree char *subject = read_attributes(
        TEMPLATE "s=SEQUENCE:dn\na=IMPLICIT:1C,SET:none\n[dn]\na=SET:r\n[r]\na=SEQUENCE:p\n"
                 "[p]\nt=OID:commonName\n",
        &job, &wishes);
    ck_assert_ptr_nonnull(strstr(subject, "write it into Subject="));
}
END_TEST

static const struct {
    const char *text;
    const char *digest;
    gboolean is_linked;
} hints[] = {
    {LIST "a=OID:challengePassword\n", NULL, TRUE},
    {LIST "a=OID:sha384\nb=OID:sha512\n", "SHA384", FALSE},
    {LIST "a=OID:md5\nb=OID:sha1\n", NULL, FALSE},
    {LIST "a=OID:sha384WithRSAEncryption\nb=OID:ecdsa-with-SHA512\n", "SHA512", FALSE},
    {LIST "a=OID:ecdsa-with-SHA1\n", NULL, FALSE},
    {TEMPLATE "a=IMPLICIT:1C,SET:none\n", NULL, FALSE},
    /* libest's own list: macAddress, challengePassword, secp384r1, SHA-384 */
    {LIST "a=OID:1.3.6.1.1.1.1.22\nb=OID:challengePassword\nc=OID:secp384r1\nd=OID:sha384\n",
     "SHA384", TRUE},
};

START_TEST(an_object_identifier_alone_is_a_hint)
{
    const SignetJobRequest job = make_job();
    SignetRequestWishes wishes = {0};
    g_autofree char *found = read_attributes(hints[_i].text, &job, &wishes);

    ck_assert_str_eq(found, "taken");
    ck_assert_pstr_eq(wishes.digest, hints[_i].digest);
    ck_assert_int_eq(wishes.is_linked, hints[_i].is_linked);
}
END_TEST

START_TEST(the_size_of_an_rsa_key_stands_in_a_placeholder)
{
    SignetJobRequest job = make_job();
    SignetRequestWishes wishes = {0};
    g_autofree char *modulus = g_strnfill(2048 / 4, 'F');
    g_autofree char *text = g_strconcat(
        TEMPLATE "k=IMPLICIT:0C,SEQUENCE:key\na=IMPLICIT:1C,SET:none\n[key]\na=SEQUENCE:alg\n"
                 "b=BITWRAP,SEQUENCE:rsa\n[alg]\na=OID:rsaEncryption\nb=NULL\n[rsa]\nn=INT:0x",
        modulus, "\ne=INT:65537\n", NULL);

    g_autofree char *other = read_attributes(text, &job, &wishes);
    ck_assert_ptr_nonnull(strstr(other, "asks for an RSA key of 2048 bits"));
    set_key(EVP_RSA_gen(2048));
    job.spki = spki;
    g_autofree char *fitting = read_attributes(text, &job, &wishes);
    ck_assert_str_eq(fitting, "taken");
}
END_TEST

START_TEST(long_lists_are_not_read)
{
    const SignetJobRequest job = make_job();
    SignetRequestWishes wishes = {0};
    g_autoptr(GString) text = g_string_new(LIST);

    for (int i = 0; i < 65; i++)
        g_string_append_printf(text, "a%d=OID:1.2.3.%d\n", i, i);
    g_autofree char *found = read_attributes(text->str, &job, &wishes);
    ck_assert_ptr_nonnull(strstr(found, "cannot be read"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroller/est");
    TCase *tcase = tcase_create("attributes");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, what_is_asked_for_is_there_or_refused_in_words, 0,
                        G_N_ELEMENTS(rows));
    tcase_add_test(tcase, wishes_are_what_the_job_leaves_open);
    tcase_add_test(tcase, an_identity_without_names_is_asked_for_them);
    tcase_add_loop_test(tcase, an_object_identifier_alone_is_a_hint, 0, G_N_ELEMENTS(hints));
    tcase_add_test(tcase, the_size_of_an_rsa_key_stands_in_a_placeholder);
    tcase_add_test(tcase, long_lists_are_not_read);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
