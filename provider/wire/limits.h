/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Sizes both sides of the private socket rely on. Bytes unless a name says otherwise. */

#pragma once

#define SIGNET_WIRE_PACKET_MAX     65536u /* one SEQPACKET message, header included */
#define SIGNET_WIRE_NAME_MAX       64u    /* an identity's name: [a-z0-9][a-z0-9_.-]* */
#define SIGNET_WIRE_TEXT_MAX       1024u  /* a message for people */
#define SIGNET_WIRE_MESSAGE_MAX    61440u /* of one sign-message; longer: hash and sign-digest */
#define SIGNET_WIRE_CIPHERTEXT_MAX 1024u
#define SIGNET_WIRE_LABEL_MAX      256u /* OAEP label */
#define SIGNET_WIRE_POINT_MAX      133u /* uncompressed point of P-521 */
#define SIGNET_WIRE_DIGEST_MAX     64u
#define SIGNET_WIRE_SIGNATURE_MAX  1024u
#define SIGNET_WIRE_SPKI_MAX       1024u
#define SIGNET_WIRE_CHAIN_MAX      49152u /* all certificates of one generation, DER */
#define SIGNET_WIRE_JOB_MAX        49152u
#define SIGNET_WIRE_STATE_MAX      6144u /* what an enroller asks to be given again */
#define SIGNET_WIRE_CHALLENGE_MAX  256u  /* an ACME challenge's token */
#define SIGNET_WIRE_STRUCTURE_MAX  1024u /* what a TPM says, in its own encoding */
#define SIGNET_WIRE_VIEW_MAX       16u   /* what watch compares */
#define SIGNET_WIRE_LIST_MAX       512u  /* identities in one list reply; ask again with 'after' */
