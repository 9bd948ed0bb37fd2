/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One enrolment as a value: request, grants, outcome, and its text for the enroller. */

#include "agent/enroll/job.h"

#include <string.h>

#include "agent/enroll/grant.h"
#include "agent/enroll/grant-scep.h"
#include "agent/enroll/remote.h"
#include "provider/wire/wire.h"

#define GROUP   "Job"
#define VERSION 1

struct SignetJob {
    gatomicrefcount refs;
    SignetJobRequest request; /* its pointers are (owned) here */

    guint n_decryptions;
    guint n_certifications;
    SignetOutcome outcome;
    GPtrArray *chain;   /* (owned, nullable) of GBytes */
    GPtrArray *anchors; /* (owned, nullable) of GBytes */
    guint retry_after_s;
    char *message; /* (owned, nullable) */
    GBytes *state; /* (owned, nullable) */
};

static const char *const *
dup_list(const char *const *list)
{
    static const char *const empty[] = {NULL};

    return (const char *const *)g_strdupv((char **)(list ? list : empty));
}

static GBytes *
ref_bytes(GBytes *bytes)
{
    return bytes ? g_bytes_ref(bytes) : NULL;
}

SignetJob *
signet_job_new(const SignetJobRequest *request)
{
    SignetJob *job = g_new0(SignetJob, 1);

    g_atomic_ref_count_init(&job->refs);
    job->request = *request;
    job->request.identity = g_strdup(request->identity);
    job->request.ca_identity = g_strdup(request->ca_identity);
    job->request.protocol = g_strdup(request->protocol);
    job->request.subject = g_strdup(request->subject);
    job->request.dns = dup_list(request->dns);
    job->request.ip = dup_list(request->ip);
    job->request.uri = dup_list(request->uri);
    job->request.email = dup_list(request->email);
    job->request.permanent = g_strdup(request->permanent);
    job->request.spki = ref_bytes(request->spki);
    job->request.ca_certificate = ref_bytes(request->ca_certificate);
    job->request.ca_protocol = g_strdup(request->ca_protocol);
    job->request.certificates = ref_bytes(request->certificates);
    signet_remote_copy(&job->request.remote, &request->remote);
    return job;
}

SignetJob *
signet_job_ref(SignetJob *job)
{
    g_atomic_ref_count_inc(&job->refs);
    return job;
}

void
signet_job_unref(SignetJob *job)
{
    if (!g_atomic_ref_count_dec(&job->refs))
        return;
    g_free((char *)job->request.identity);
    g_free((char *)job->request.ca_identity);
    g_free((char *)job->request.protocol);
    g_free((char *)job->request.subject);
    g_strfreev((char **)job->request.dns);
    g_strfreev((char **)job->request.ip);
    g_strfreev((char **)job->request.uri);
    g_strfreev((char **)job->request.email);
    g_free((char *)job->request.permanent);
    g_clear_pointer(&job->request.spki, g_bytes_unref);
    g_clear_pointer(&job->request.ca_certificate, g_bytes_unref);
    g_free((char *)job->request.ca_protocol);
    g_clear_pointer(&job->request.certificates, g_bytes_unref);
    signet_remote_clear(&job->request.remote);
    g_clear_pointer(&job->state, g_bytes_unref);
    g_clear_pointer(&job->chain, g_ptr_array_unref);
    g_clear_pointer(&job->anchors, g_ptr_array_unref);
    g_free(job->message);
    g_free(job);
}

const SignetJobRequest *
signet_job_get_request(const SignetJob *job)
{
    return &job->request;
}

static void
put_list(GKeyFile *file, const char *key, const char *const *list)
{
    if (list[0])
        g_key_file_set_string_list(file, GROUP, key, list, g_strv_length((char **)list));
}

static void
put_bytes(GKeyFile *file, const char *key, GBytes *bytes)
{
    if (!bytes)
        return;
    gsize size = 0;
    const guchar *data = g_bytes_get_data(bytes, &size);
    g_autofree char *text = g_base64_encode(data, size);
    g_key_file_set_string(file, GROUP, key, text);
}

static void
put_purposes(GKeyFile *file, guint purposes)
{
    const char *names[32];
    gsize n = 0;

    for (guint bit = 0; bit < G_N_ELEMENTS(names); bit++) {
        const char *name =
            purposes & (1u << bit) ? signet_purpose_name((SignetPurpose)(1u << bit)) : NULL;

        if (name)
            names[n++] = name;
    }
    g_key_file_set_string_list(file, GROUP, "Purposes", names, n);
}

static void
put_check(GKeyFile *file, const SignetJobRequest *request)
{
    const char *names[8];
    gsize n = 0;

    for (guint bit = 0; bit < G_N_ELEMENTS(names); bit++) {
        const char *name =
            request->looks & (1u << bit) ? signet_look_name((SignetLook)(1u << bit)) : NULL;

        if (name)
            names[n++] = name;
    }
    if (n > 0)
        g_key_file_set_string_list(file, GROUP, "Looks", names, n);
    if (request->reason)
        g_key_file_set_uint64(file, GROUP, "Reason", request->reason);
    if (request->ca_protocol)
        g_key_file_set_string(file, GROUP, "CaProtocol", request->ca_protocol);
    put_bytes(file, "Certificates", request->certificates);
}

GBytes *
signet_job_to_text(const SignetJob *job)
{
    const SignetJobRequest *request = &job->request;
    g_autoptr(GKeyFile) file = g_key_file_new();
    gsize size = 0;

    g_key_file_set_integer(file, GROUP, "Version", VERSION);
    g_key_file_set_string(file, GROUP, "Protocol", request->protocol);
    g_key_file_set_string(file, GROUP, "Identity", request->identity);
    g_key_file_set_uint64(file, GROUP, "NewGeneration", request->new_generation);
    g_key_file_set_uint64(file, GROUP, "CurrentGeneration", request->current_generation);
    if (request->ca_identity)
        g_key_file_set_string(file, GROUP, "CaIdentity", request->ca_identity);
    put_bytes(file, "CaCertificate", request->ca_certificate);
    g_key_file_set_boolean(file, GROUP, "IsCa", request->is_ca);
    g_key_file_set_string(file, GROUP, "Subject", request->subject ? request->subject : "");
    put_list(file, "Dns", request->dns);
    put_list(file, "Ip", request->ip);
    put_list(file, "Uri", request->uri);
    put_list(file, "Email", request->email);
    if (request->permanent)
        g_key_file_set_string(file, GROUP, "PermanentIdentifier", request->permanent);
    put_purposes(file, request->purposes);
    put_bytes(file, "PublicKey", request->spki);
    g_key_file_set_int64(file, GROUP, "Lifetime", request->lifetime_s);
    g_key_file_set_int64(file, GROUP, "MinLifetime", request->min_lifetime_s);
    g_key_file_set_int64(file, GROUP, "MaxLifetime", request->max_lifetime_s);
    put_check(file, request);
    if (g_strcmp0(request->protocol, "local") != 0)
        signet_remote_to_file(&request->remote, file);

    g_autofree char *text = g_key_file_to_data(file, &size, NULL);
    g_autoptr(GBytes) bytes = signet_remote_append_secret(&request->remote, text, size);
    return g_bytes_get_size(bytes) <= SIGNET_WIRE_JOB_MAX ? g_steal_pointer(&bytes) : NULL;
}

/* Reading: each sticky, so that the caller checks *error once. A key that is absent is not an error
 * here. */

static char *
take_string(GKeyFile *file, const char *key)
{
    return g_key_file_get_string(file, GROUP, key, NULL);
}

static char **
take_list(GKeyFile *file, const char *key)
{
    return g_key_file_get_string_list(file, GROUP, key, NULL, NULL);
}

static GBytes *
take_bytes(GKeyFile *file, const char *key)
{
    g_autofree char *text = take_string(file, key);
    gsize size = 0;

    if (!text)
        return NULL;
    guchar *data = g_base64_decode(text, &size);
    return g_bytes_new_take(data, size);
}

static gint64
take_number(GKeyFile *file, const char *key, gint64 max, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (*error || !g_key_file_has_key(file, GROUP, key, NULL))
        return 0;
    gint64 number = g_key_file_get_int64(file, GROUP, key, &local);
    if (local || number < 0 || number > max)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "job: %s= is not a number from 0 to %" G_GINT64_FORMAT, key, max);
    return number;
}

static guint
take_purposes(GKeyFile *file, GError **error)
{
    g_auto(GStrv) names = take_list(file, "Purposes");
    guint purposes = 0;

    for (char **name = names; name && *name && !*error; name++) {
        guint purpose = signet_purpose_from_name(*name);

        if (purpose == 0)
            signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                             "job: Purposes= names '%s', which is unknown", *name);
        purposes |= purpose;
    }
    return purposes;
}

static guint
take_looks(GKeyFile *file, GError **error)
{
    g_auto(GStrv) names = take_list(file, "Looks");
    guint looks = 0;

    for (char **name = names; name && *name && !*error; name++) {
        guint look = signet_look_from_name(*name);

        if (look == 0)
            signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                             "job: Looks= names '%s', which is unknown", *name);
        looks |= look;
    }
    return looks;
}

static void
check_read(const SignetJobRequest *request, gint64 version, GError **error)
{
    if (*error)
        return;
    if (version != VERSION)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "job: Version=%" G_GINT64_FORMAT
                         ", this signet-enroll knows %d; agent and signet-enroll must be of "
                         "one release",
                         version, VERSION);
    else if (!request->identity ||
             !signet_wire_name_is_valid(request->identity, strlen(request->identity)))
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "job: Identity= is missing or not a name");
    else if (request->ca_identity &&
             !signet_wire_name_is_valid(request->ca_identity, strlen(request->ca_identity)))
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: CaIdentity= is not a name");
    else if (!request->protocol || request->new_generation == 0 || !request->spki)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "job: Protocol=, NewGeneration= or PublicKey= is missing");
}

SignetJob *
signet_job_new_from_text(GBytes *text, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) problem = NULL;

    if (!g_key_file_load_from_bytes(file, text, G_KEY_FILE_NONE, &problem)) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: %s", problem->message);
        return NULL;
    }
    g_autofree char *identity = take_string(file, "Identity");
    g_autofree char *ca_identity = take_string(file, "CaIdentity");
    g_autofree char *protocol = take_string(file, "Protocol");
    g_autofree char *subject = take_string(file, "Subject");
    g_auto(GStrv) dns = take_list(file, "Dns");
    g_auto(GStrv) ip = take_list(file, "Ip");
    g_auto(GStrv) uri = take_list(file, "Uri");
    g_auto(GStrv) email = take_list(file, "Email");
    g_autofree char *permanent = take_string(file, "PermanentIdentifier");
    g_autoptr(GBytes) spki = take_bytes(file, "PublicKey");
    g_autoptr(GBytes) ca_certificate = take_bytes(file, "CaCertificate");
    g_autofree char *ca_protocol = take_string(file, "CaProtocol");
    g_autoptr(GBytes) certificates = take_bytes(file, "Certificates");
    gint64 version = take_number(file, "Version", G_MAXINT64, &problem);
    SignetJobRequest request = {
        .identity = identity,
        .new_generation = (guint32)take_number(file, "NewGeneration", G_MAXUINT32, &problem),
        .current_generation =
            (guint32)take_number(file, "CurrentGeneration", G_MAXUINT32, &problem),
        .ca_identity = ca_identity,
        .ca_certificate = ca_certificate,
        .protocol = protocol,
        .is_ca = g_key_file_get_boolean(file, GROUP, "IsCa", NULL),
        .subject = subject,
        .dns = (const char *const *)dns,
        .ip = (const char *const *)ip,
        .uri = (const char *const *)uri,
        .email = (const char *const *)email,
        .permanent = permanent,
        .purposes = take_purposes(file, &problem),
        .spki = spki,
        .lifetime_s = take_number(file, "Lifetime", G_MAXINT64, &problem),
        .min_lifetime_s = take_number(file, "MinLifetime", G_MAXINT64, &problem),
        .max_lifetime_s = take_number(file, "MaxLifetime", G_MAXINT64, &problem),
        .looks = take_looks(file, &problem),
        .reason = (guint)take_number(file, "Reason", G_MAXUINT8, &problem),
        .ca_protocol = ca_protocol,
        .certificates = certificates,
    };
    g_auto(SignetJobRemote) remote = {0};
    if (!problem)
        signet_remote_from_file(&remote, file, &problem);
    request.remote = remote;
    check_read(&request, version, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    return signet_job_new(&request);
}

static gboolean
is_new_key(const SignetJobRequest *request, const char *identity, guint32 generation)
{
    return g_strcmp0(identity, request->identity) == 0 && generation != 0 &&
           generation == request->new_generation;
}

static gboolean
is_current_key(const SignetJobRequest *request, const char *identity, guint32 generation)
{
    return g_strcmp0(identity, request->identity) == 0 && generation != 0 &&
           generation == request->current_generation;
}

/* Which of its generations is current is the broker's business. */
static gboolean
is_bootstrap_key(const SignetJobRequest *request, const char *identity)
{
    return request->remote.bootstrap_identity && request->remote.rungs & SIGNET_RUNG_IDENTITY &&
           g_strcmp0(identity, request->remote.bootstrap_identity) == 0;
}

/* Protocol= of the CA, whatever is done with it. */
static gboolean
speaks(const SignetJobRequest *request, const char *protocol)
{
    gboolean is_about = g_strcmp0(request->protocol, SIGNET_JOB_REVOKE) == 0 ||
                        g_strcmp0(request->protocol, SIGNET_JOB_CHECK) == 0;

    return g_strcmp0(is_about ? request->ca_protocol : request->protocol, protocol) == 0;
}

static gboolean
is_account_key(const SignetJobRequest *request, const char *identity)
{
    return request->remote.account_identity && speaks(request, "acme") &&
           g_strcmp0(identity, request->remote.account_identity) == 0;
}

static gboolean
is_ca_key(const SignetJobRequest *request, const char *identity, guint32 generation)
{
    if (request->is_ca)
        return is_new_key(request, identity, generation);
    return request->ca_identity && g_strcmp0(request->protocol, "local") == 0 &&
           g_strcmp0(identity, request->ca_identity) == 0 && generation != 0;
}

static gboolean
deny(const SignetJobRequest *request, const char *identity, guint32 generation,
     SignetPurpose purpose, GError **error)
{
    const char *word = signet_purpose_name(purpose);

    return signet_error_set(
        error, SIGNET_ERROR_DENIED,
        "the job of '%s' may not sign with generation %u of '%s' for purpose '%s'",
        request->identity, generation, identity, word ? word : "unknown");
}

static gboolean
allows_canary(const SignetJobRequest *request, const char *identity, guint32 generation,
              SignetPurpose purpose, GError **error)
{
    return (purpose == SIGNET_PURPOSE_TLS_CLIENT && is_new_key(request, identity, generation)) ||
           deny(request, identity, generation, purpose, error);
}

/* Questions to the CA about itself. */
static gboolean
allows_check(const SignetJobRequest *request, const char *identity, guint32 generation,
             SignetPurpose purpose, GBytes *message, GError **error)
{
    if (purpose == 0 && speaks(request, SIGNET_JOB_CMP) &&
        is_current_key(request, identity, generation))
        return signet_grant_allows_pki_message(request, message, error);
    return deny(request, identity, generation, purpose, error);
}

static gboolean
allows_revocation(const SignetJobRequest *request, const char *identity, guint32 generation,
                  SignetPurpose purpose, GBytes *message, GError **error)
{
    if (purpose == 0 && speaks(request, SIGNET_JOB_CMP) &&
        is_current_key(request, identity, generation))
        return signet_grant_allows_pki_message(request, message, error);
    if (purpose == 0 && is_account_key(request, identity))
        return signet_grant_allows_jws(request, message, error);
    return deny(request, identity, generation, purpose, error);
}

/* Messages of CMP are recognised as no purpose: to everybody else they are unknown bytes. */
static gboolean
allows_cmp(const SignetJobRequest *request, const char *identity, guint32 generation,
           SignetPurpose purpose, GBytes *message, GError **error)
{
    gboolean is_new = is_new_key(request, identity, generation);

    if (purpose == SIGNET_PURPOSE_CSR && is_new)
        return signet_grant_allows_csr(request, message, error);
    if (purpose == 0 && is_new)
        return signet_grant_allows_cert_request(request, message, error);
    if (purpose == 0 &&
        (is_current_key(request, identity, generation) || is_bootstrap_key(request, identity)))
        return signet_grant_allows_pki_message(request, message, error);
    return deny(request, identity, generation, purpose, error);
}

/* The names of the answer's recipients are the CA's choice, but it is one answer. */
#define DECRYPTIONS_MAX 4

static gboolean
is_scep(const SignetJobRequest *request)
{
    return g_strcmp0(request->protocol, "scep") == 0;
}

gboolean
signet_job_allows_decryption(SignetJob *job, const char *identity, guint32 generation,
                             GError **error)
{
    const SignetJobRequest *request = &job->request;

    if (is_scep(request) && job->n_decryptions < DECRYPTIONS_MAX &&
        (is_new_key(request, identity, generation) ||
         is_current_key(request, identity, generation))) {
        job->n_decryptions++;
        return TRUE;
    }
    return deny(request, identity, generation, SIGNET_PURPOSE_DECRYPT, error);
}

/* One order has one challenge of this kind; a few more for servers that want another try. */
#define CERTIFICATIONS_MAX 8

gboolean
signet_job_allows_certification(SignetJob *job, GError **error)
{
    const SignetJobRequest *request = &job->request;

    if (request->permanent && request->remote.account_identity &&
        g_strcmp0(request->protocol, "acme") == 0 && job->n_certifications < CERTIFICATIONS_MAX) {
        job->n_certifications++;
        return TRUE;
    }
    return signet_error_set(error, SIGNET_ERROR_DENIED,
                            "the job of '%s' has no evidence of its key to give (any more)",
                            request->identity);
}

/* What is recognised as nothing else can be a message's attributes. */
static gboolean
allows_scep(const SignetJobRequest *request, const char *identity, guint32 generation,
            GBytes *message, GError **error)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(message, &size);

    return (is_new_key(request, identity, generation) ||
            is_current_key(request, identity, generation)) &&
           signet_grant_is_scep_attributes(data, size, error);
}

gboolean
signet_job_allows(const SignetJob *job, const char *identity, guint32 generation,
                  SignetPurpose purpose, GBytes *message, gint64 now_s, GError **error)
{
    const SignetJobRequest *request = &job->request;

    if (g_strcmp0(request->protocol, SIGNET_JOB_CHECK) == 0)
        return allows_check(request, identity, generation, purpose, message, error);
    if (g_strcmp0(request->protocol, SIGNET_JOB_CANARY) == 0)
        return allows_canary(request, identity, generation, purpose, error);
    if (g_strcmp0(request->protocol, SIGNET_JOB_REVOKE) == 0)
        return allows_revocation(request, identity, generation, purpose, message, error);
    if (g_strcmp0(request->protocol, SIGNET_JOB_CMP) == 0)
        return allows_cmp(request, identity, generation, purpose, message, error);
    if (purpose == SIGNET_PURPOSE_CSR && is_new_key(request, identity, generation))
        return signet_grant_allows_csr(request, message, error);
    if (purpose == SIGNET_PURPOSE_TLS_CLIENT &&
        (is_current_key(request, identity, generation) || is_bootstrap_key(request, identity)))
        return TRUE;
    if (purpose == SIGNET_PURPOSE_CERTIFICATE && is_ca_key(request, identity, generation))
        return signet_grant_allows_certificate(request, message, now_s, error);
    if (purpose == 0 && is_account_key(request, identity))
        return signet_grant_allows_jws(request, message, error);
    if (is_scep(request) && purpose == SIGNET_PURPOSE_CERTIFICATE &&
        is_new_key(request, identity, generation))
        return signet_grant_allows_scep_certificate(request, message, now_s, error);
    if (is_scep(request) && purpose == 0 &&
        allows_scep(request, identity, generation, message, NULL))
        return TRUE;
    return deny(request, identity, generation, purpose, error);
}

gboolean
signet_job_names(const SignetJob *job, const char *identity)
{
    return g_strcmp0(identity, job->request.identity) == 0 ||
           is_bootstrap_key(&job->request, identity) || is_account_key(&job->request, identity) ||
           (job->request.ca_identity && g_strcmp0(identity, job->request.ca_identity) == 0);
}

void
signet_job_set_state(SignetJob *job, GBytes *state)
{
    if (job->outcome != SIGNET_OUTCOME_NONE)
        return;
    g_clear_pointer(&job->state, g_bytes_unref);
    job->state = ref_bytes(state);
}

GBytes *
signet_job_get_state(const SignetJob *job)
{
    return job->state;
}

void
signet_job_set_result(SignetJob *job, SignetOutcome outcome, GPtrArray *chain, GPtrArray *anchors,
                      guint retry_after_s, const char *message)
{
    if (job->outcome != SIGNET_OUTCOME_NONE)
        return;
    job->outcome = outcome;
    job->chain = chain ? g_ptr_array_ref(chain) : NULL;
    job->anchors = anchors ? g_ptr_array_ref(anchors) : NULL;
    job->retry_after_s = retry_after_s;
    job->message = g_strdup(message);
}

SignetOutcome
signet_job_get_outcome(const SignetJob *job)
{
    return job->outcome;
}

const char *
signet_job_get_message(const SignetJob *job)
{
    return job->message;
}

guint
signet_job_get_retry_after(const SignetJob *job)
{
    return job->retry_after_s;
}

GPtrArray *
signet_job_get_chain(const SignetJob *job)
{
    return job->chain;
}

GPtrArray *
signet_job_get_anchors(const SignetJob *job)
{
    return job->anchors;
}
