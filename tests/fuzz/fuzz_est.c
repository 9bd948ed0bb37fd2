/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of EST's csrattrs: whatever a CA wants to see in a request, it gets no more than the
 * job has. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enroller/est-attributes.h"
#include "tests/fuzz/fuzz.h"

static const char *const dns[] = {"host.example", NULL};
static const char *const ip[] = {"192.0.2.7", NULL};

static void
require(gboolean holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

static GBytes *
make_spki(EVP_PKEY *key)
{
    guint8 *bytes = NULL;
    int size = i2d_PUBKEY(key, &bytes);
    GBytes *spki = g_bytes_new(bytes, (gsize)size);

    OPENSSL_free(bytes);
    EVP_PKEY_free(key);
    return spki;
}

static void
check(GBytes *der, const SignetJobRequest *job, guint usages)
{
    SignetRequestWishes wishes = {0};
    const SignetRequestWishes none = {0};
    g_autoptr(GError) error = NULL;
    gboolean is_good = signet_est_attributes_read(der, job, &wishes, &error);

    require(is_good == (error == NULL), "an error, or none");
    require((wishes.key_usage & ~usages) == 0, "usages that the job allows");
    require(wishes.key_usage == 0 || wishes.key_usage & 1u << SIGNET_KU_DIGITAL_SIGNATURE,
            "it may sign");
    require(is_good || memcmp(&wishes, &none, sizeof(wishes)) == 0, "no wish beside an error");
    require(!error || g_utf8_validate(error->message, -1, NULL), "an error in words");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static GBytes *ec, *rsa;
    g_autoptr(GBytes) der = g_bytes_new(data, size);

    if (!ec) {
        ec = make_spki(EVP_EC_gen("P-256"));
        rsa = make_spki(EVP_RSA_gen(2048));
    }
    const SignetJobRequest named = {.subject = "CN=host,O=Example",
                                    .dns = dns,
                                    .ip = ip,
                                    .purposes = SIGNET_PURPOSE_TLS_CLIENT,
                                    .spki = ec};
    const SignetJobRequest nameless = {.subject = "", .purposes = SIGNET_PURPOSE_ANY, .spki = rsa};
    check(der, &named, 1u << SIGNET_KU_DIGITAL_SIGNATURE | 1u << SIGNET_KU_KEY_AGREEMENT);
    check(der, &nameless,
          1u << SIGNET_KU_DIGITAL_SIGNATURE | 1u << SIGNET_KU_NON_REPUDIATION |
              1u << SIGNET_KU_KEY_ENCIPHERMENT | 1u << SIGNET_KU_DATA_ENCIPHERMENT);
    return 0;
}
