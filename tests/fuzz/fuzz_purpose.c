/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of the purpose recogniser: what a peer sends to be signed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider/wire/der.h"
#include "agent/broker/purpose.h"
#include "tests/fuzz/fuzz.h"

#define TLS13_SIZE_MAX (64 + 34 + 64)

static void
require(gboolean holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

static gboolean
is_document_purpose(SignetPurpose purpose)
{
    return purpose == SIGNET_PURPOSE_CSR || purpose == SIGNET_PURPOSE_CERTIFICATE;
}

/* One byte more is another message; only in TLS 1.3 the length alone tells how long the hash is. */
static void
check_longer(const uint8_t *data, size_t size)
{
    guint8 *longer = malloc(size + 1);

    memcpy(longer, data, size);
    longer[size] = data[0];
    require(signet_purpose_recognise(longer, size + 1) == 0 ||
                (data[0] == ' ' && size < TLS13_SIZE_MAX),
            "a form ends with its last byte");
    free(longer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SignetPurpose purpose = signet_purpose_recognise(data, size);
    gboolean is_document = signet_der_is_document((struct signet_bytes) {data, size});

    if (purpose == 0)
        return 0;
    require((purpose & (purpose - 1)) == 0 && signet_purpose_name(purpose), "one known purpose");
    require(purpose != SIGNET_PURPOSE_ANY && purpose != SIGNET_PURPOSE_DECRYPT &&
                purpose != SIGNET_PURPOSE_DERIVE,
            "a purpose that a message can have");
    require(is_document == is_document_purpose(purpose),
            "documents are documents, nothing else is");
    check_longer(data, size);
    return 0;
}
