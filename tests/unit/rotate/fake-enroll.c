/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A CA in memory in the place of signet-enroll. */

#include "tests/unit/rotate/fake-enroll.h"

#include "agent/enroll/names.h"
#include "tests/support/fake-token.h"

#define HOUR_S 3600

struct SignetEnroll {
    FakeCa *ca;
    GPtrArray *runs; /* (owned) of Run (owned) */
};

typedef struct {
    SignetEnroll *enroll;
    SignetJob *job; /* (owned) */
    SignetEnrollDone done;
    gpointer data;
    guint source;
} Run;

static void
run_free(gpointer data)
{
    Run *run = data;

    if (run->source)
        g_source_remove(run->source);
    signet_job_unref(run->job);
    run->enroll->ca->running--;
    g_free(run);
}

SignetEnroll *
signet_enroll_new(const SignetEnrollSettings *settings, SignetEnrollAttach attach, gpointer data)
{
    SignetEnroll *enroll = g_new0(SignetEnroll, 1);

    enroll->ca = data;
    enroll->runs = g_ptr_array_new_with_free_func(run_free);
    return enroll;
}

void
signet_enroll_free(SignetEnroll *enroll)
{
    g_ptr_array_unref(enroll->runs);
    g_free(enroll);
}

static EVP_PKEY *
private_key(const SignetKey *key)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(key->blob, &size);

    return d2i_AutoPrivateKey(NULL, &der, (long)size);
}

static EVP_PKEY *
public_key(GBytes *spki)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(spki, &size);

    return d2i_PUBKEY(NULL, &der, (long)size);
}

static void
add_text_extension(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
}

static void
add_extensions(X509 *x509, const SignetJobRequest *request)
{
    g_autoptr(EXTENDED_KEY_USAGE) eku =
        signet_names_make_eku(request->is_ca ? 0 : request->purposes);
    g_autoptr(GENERAL_NAMES) alt = signet_names_make_alt(request, NULL);

    add_text_extension(x509, NID_basic_constraints,
                       request->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_text_extension(x509, NID_key_usage,
                       request->is_ca ? "critical,keyCertSign" : "critical,digitalSignature");
    if (sk_ASN1_OBJECT_num(eku) > 0)
        X509_add1_ext_i2d(x509, NID_ext_key_usage, eku, 0, 0);
    if (sk_GENERAL_NAME_num(alt) > 0)
        X509_add1_ext_i2d(x509, NID_subject_alt_name, alt, 0, 0);
}

static GBytes *
to_der(X509 *x509)
{
    unsigned char *der = NULL;
    int size = i2d_X509(x509, &der);
    GBytes *bytes = g_bytes_new(der, (gsize)size);

    OPENSSL_free(der);
    return bytes;
}

static X509 *
issue(FakeCa *ca, const SignetJobRequest *request, GBytes *spki)
{
    static int serial = 1;
    const char *signer_name = request->is_ca ? request->identity : request->ca_identity;
    const SignetGeneration *signer = signet_inventory_get(
        ca->inventory, signer_name, request->is_ca ? request->new_generation : 0);
    g_autoptr(X509_NAME) subject = signet_names_parse_subject(request->subject, NULL);
    EVP_PKEY *key = private_key(signer->key), *public = public_key(spki);
    X509 *x509 = X509_new();
    time_t now_s = (time_t)signet_clock_now(ca->clock);

    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_set_subject_name(x509, subject);
    X509_set_issuer_name(x509, subject);
    if (!request->is_ca) {
        gsize size;
        const unsigned char *der = g_bytes_get_data(request->ca_certificate, &size);
        g_autoptr(X509) issuer = d2i_X509(NULL, &der, (long)size);

        X509_set_issuer_name(x509, X509_get_subject_name(issuer));
    }
    ASN1_TIME_set(X509_getm_notBefore(x509), now_s);
    ASN1_TIME_set(X509_getm_notAfter(x509), now_s + (time_t)request->lifetime_s);
    X509_set_pubkey(x509, public);
    add_extensions(x509, request);
    X509_sign(x509, key, EVP_sha256());
    EVP_PKEY_free(key);
    EVP_PKEY_free(public);
    return x509;
}

static void
answer_issued(FakeCa *ca, SignetJob *job, GBytes *spki)
{
    const SignetJobRequest *request = signet_job_get_request(job);
    g_autoptr(X509) x509 = issue(ca, request, spki);
    g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(GPtrArray) anchors = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    g_ptr_array_add(chain, to_der(x509));
    g_ptr_array_add(
        anchors, g_bytes_ref(request->is_ca ? (GBytes *)chain->pdata[0] : request->ca_certificate));
    signet_job_set_result(job, SIGNET_OUTCOME_ISSUED, chain, anchors, 0, NULL);
}

static void
answer_garbage(SignetJob *job)
{
    g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    g_ptr_array_add(chain, g_bytes_new_static("garbage", 7));
    signet_job_set_result(job, SIGNET_OUTCOME_ISSUED, chain, chain, 0, NULL);
}

static FakeCaMood
mood_of(FakeCa *ca, const SignetJobRequest *request)
{
    if (g_str_equal(request->protocol, SIGNET_JOB_CANARY)) {
        ca->canaries++;
        return ca->canary;
    }
    return request->is_ca ? FAKE_CA_ISSUES : ca->mood;
}

static gboolean
is_remote(const SignetJobRequest *request)
{
    return !request->is_ca && !g_str_equal(request->protocol, "local") &&
           !g_str_equal(request->protocol, SIGNET_JOB_CANARY);
}

static void
answer(FakeCa *ca, SignetJob *job)
{
    const SignetJobRequest *request = signet_job_get_request(job);
    g_autoptr(SignetKey) other = NULL;

    if (ca->remote && is_remote(request)) {
        ca->remote(job, ca->remote_data);
        return;
    }
    switch (mood_of(ca, request)) {
    case FAKE_CA_ISSUES:
        if (g_str_equal(request->protocol, SIGNET_JOB_CANARY))
            signet_job_set_result(job, SIGNET_OUTCOME_ISSUED, NULL, NULL, 0, NULL);
        else
            answer_issued(ca, job, request->spki);
        break;
    case FAKE_CA_PENDING:
        signet_job_set_result(job, SIGNET_OUTCOME_PENDING, NULL, NULL, HOUR_S, "code 4711");
        break;
    case FAKE_CA_REFUSES:
        signet_job_set_result(job, SIGNET_OUTCOME_REFUSED, NULL, NULL, 0, "not in the list");
        break;
    case FAKE_CA_FAILS:
        signet_job_set_result(job, SIGNET_OUTCOME_FAILED, NULL, NULL, 0, "no route to host");
        break;
    case FAKE_CA_WRONG_KEY:
        other = fake_token_make_key(SIGNET_KEY_EC_P256);
        answer_issued(ca, job, other->spki);
        break;
    case FAKE_CA_GARBAGE:
        answer_garbage(job);
        break;
    case FAKE_CA_SILENT:
        break;
    }
}

static gboolean
on_idle(gpointer data)
{
    Run *run = data;
    SignetEnroll *enroll = run->enroll;
    g_autoptr(SignetJob) job = signet_job_ref(run->job);
    SignetEnrollDone done = run->done;
    gpointer done_data = run->data;

    run->source = 0;
    answer(enroll->ca, job);
    g_ptr_array_remove(enroll->runs, run);
    done(job, done_data);
    return G_SOURCE_REMOVE;
}

void
signet_enroll_start(SignetEnroll *enroll, SignetJob *job, SignetEnrollDone done, gpointer data)
{
    FakeCa *ca = enroll->ca;
    const SignetJobRequest *request = signet_job_get_request(job);
    Run *run = g_new0(Run, 1);

    *run = (Run) {enroll, signet_job_ref(job), done, data, 0};
    g_ptr_array_add(enroll->runs, run);
    if (ca->order)
        g_ptr_array_add(ca->order, g_strdup(request->identity));
    ca->started++;
    ca->running++;
    ca->most_running = MAX(ca->most_running, ca->running);
    if (request->is_ca || ca->mood != FAKE_CA_SILENT)
        run->source = g_idle_add(on_idle, run);
}

void
signet_enroll_cancel(SignetEnroll *enroll, SignetJob *job)
{
    for (guint i = 0; i < enroll->runs->len; i++) {
        if (((Run *)enroll->runs->pdata[i])->job == job) {
            g_ptr_array_remove_index(enroll->runs, i);
            return;
        }
    }
}
