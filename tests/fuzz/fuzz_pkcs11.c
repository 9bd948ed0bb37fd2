/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target: whatever the PKCS#11 module makes of an agent's answer stays within that answer.
 * Input: key type, size of the key in two bytes, the key, the chain. */

#include <stdlib.h>
#include <string.h>

#include "provider/wire/der.h"
#include "provider/pkcs11/identity.h"
#include "tests/fuzz/fuzz.h"

static void
require(bool condition)
{
    if (!condition)
        abort();
}

static void
require_inside(struct signet_bytes inner, struct signet_bytes outer)
{
    require(inner.data != NULL && inner.data >= outer.data &&
            inner.data + inner.size <= outer.data + outer.size);
}

static void
check_identity(const struct signet_identity *identity)
{
    if (signet_identity_family(identity) == SIGNET_FAMILY_RSA) {
        require_inside(identity->modulus, identity->spki);
        require_inside(identity->exponent, identity->spki);
        require(identity->modulus.size == signet_identity_width(identity));
    } else {
        require_inside(identity->ec_params, identity->spki);
        struct signet_bytes rest = identity->ec_point;
        struct signet_der point;
        require(signet_der_expect(&rest, SIGNET_DER_OCTET_STRING, &point) && rest.size == 0);
        size_t width = signet_identity_width(identity);
        bool is_ec = signet_identity_family(identity) == SIGNET_FAMILY_EC;
        require(point.content.size == (is_ec ? 1 + 2 * width : width));
    }
    for (unsigned i = 0; i < identity->certificate_count; i++) {
        const struct signet_certificate *certificate = &identity->certificates[i];
        require_inside(certificate->der, identity->chain);
        require_inside(certificate->serial, certificate->der);
        require_inside(certificate->issuer, certificate->der);
        require_inside(certificate->subject, certificate->der);
        require_inside(certificate->spki, certificate->der);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t raw[132];
    signet_der_split_ecdsa((struct signet_bytes) {data, size}, 66, raw);
    if (size < 3)
        return 0;
    size_t key = (size_t)data[1] << 8 | data[2], rest = size - 3;
    key = key < rest ? key : rest;
    struct signet_wire_lookup_reply reply = {
        .generation = 1,
        .key_type = data[0],
        .spki = {data + 3, key},
        .chain = {data + 3 + key, rest - key},
    };
    bool malformed;
    struct signet_identity *identity =
        signet_identity_new(signet_bytes_from_string("wifi"), &reply, &malformed);
    require((identity == NULL) == malformed);
    if (identity != NULL)
        check_identity(identity);
    signet_identity_unref(identity);
    return 0;
}
