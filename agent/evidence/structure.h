/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads what a TPM has said (TCG TPM 2.0 part 2). The bytes are anybody's: bounded, strict, to the
 * last byte; whatever else is CORRUPT. Pure. */

#pragma once

#include <glib.h>

/* Bits of objectAttributes (part 2, 8.3). */
#define SIGNET_TPM_FIXED_TPM    (1u << 1)
#define SIGNET_TPM_FIXED_PARENT (1u << 4)
#define SIGNET_TPM_ORIGIN       (1u << 5) /* sensitiveDataOrigin */
#define SIGNET_TPM_RESTRICTED   (1u << 16)
#define SIGNET_TPM_DECRYPT      (1u << 17)
#define SIGNET_TPM_SIGN         (1u << 18)

/* An algorithm's number and a digest by it. */
typedef struct {
    guint8 bytes[2 + 64];
    gsize size;
} SignetTpmName;

/* TPMT_PUBLIC (12.2.4) of an RSA or EC key. */
typedef struct {
    guint32 attributes;
    GBytes *spki; /* (owned) SubjectPublicKeyInfo, DER */
    SignetTpmName name;
} SignetTpmPublic;

gboolean signet_tpm_public_read(SignetTpmPublic *area, GBytes *bytes, GError **error);
void signet_tpm_public_clear(SignetTpmPublic *area);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetTpmPublic, signet_tpm_public_clear)
gboolean signet_tpm_name_equal(const SignetTpmName *a, const SignetTpmName *b);

/* TPMS_ATTEST (10.12.12) whose type is TPM_ST_ATTEST_CERTIFY. */
typedef struct {
    GBytes *extra;      /* (owned) extraData */
    SignetTpmName name; /* of the certified object */
    guint64 clock_ms;
    guint32 reset_count;
    guint64 firmware;
} SignetTpmAttestation;

/* Each deviation has its own sentence: no TPM has made it (magic), it says something else (type).
 */
gboolean
signet_tpm_attestation_read(SignetTpmAttestation *attestation, GBytes *bytes, GError **error);
void signet_tpm_attestation_clear(SignetTpmAttestation *attestation);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetTpmAttestation, signet_tpm_attestation_clear)

/* TPMT_SIGNATURE (11.3.4) by ECDSA, RSASSA or RSAPSS with SHA-256, SHA-384 or SHA-512. */
typedef struct {
    gboolean is_pss;
    gboolean is_rsa;
    const char *digest; /* libcrypto's name */
    GBytes *signature;  /* (owned) DER for ECDSA */
} SignetTpmSignature;

gboolean signet_tpm_signature_read(SignetTpmSignature *signature, GBytes *bytes, GError **error);
void signet_tpm_signature_clear(SignetTpmSignature *signature);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetTpmSignature, signet_tpm_signature_clear)
