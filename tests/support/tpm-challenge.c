/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* tpm2_createek and tpm2_makecredential. */

#include "tests/support/tpm-challenge.h"

#define MAGIC_SIZE 8 /* before what tpm2_makecredential writes */

static GBytes *
read_file(const Swtpm *swtpm, const char *name)
{
    g_autofree char *path = g_build_filename(swtpm->dir, name, NULL);
    char *content = NULL;
    gsize size = 0;

    if (!g_file_get_contents(path, &content, &size, NULL))
        g_error("there is no %s", path);
    return g_bytes_new_take(content, size);
}

void
tpm_challenge_make(const Swtpm *swtpm, GBytes *attester, const char *endorsement,
                   SignetTokenChallenge *ret_challenge)
{
    g_autofree char *path = g_build_filename(swtpm->dir, "attester", NULL);
    g_autofree char *out = NULL, *command = NULL;
    g_autoptr(GBytes) written = NULL;
    const guint8 *data;
    gsize size, credential_size;

    g_file_set_contents(path, g_bytes_get_data(attester, NULL), (gssize)g_bytes_get_size(attester),
                        NULL);
    command = g_strdup_printf(
        "cd \"$dir\" && tpm2_createek -Q -c ek.ctx -G %s -u ek.pub && tpm2_flushcontext -t && "
        "tpm2_print -t TPM2B_PUBLIC -f pem ek.pub > ek.pem && "
        "printf " TPM_CHALLENGE_ANSWER " > hidden && tpm2_makecredential -Q -u ek.pub -s hidden "
        "-n 000b$(sha256sum attester | cut -d' ' -f1) -o challenge && "
        "openssl pkey -pubin -in ek.pem -outform DER -out ek.der",
        endorsement);
    out = swtpm_shell(swtpm, command);
    if (!out)
        g_error("cannot make a challenge");
    written = read_file(swtpm, "challenge");
    data = g_bytes_get_data(written, &size);
    credential_size = 2 + ((gsize)data[MAGIC_SIZE] << 8 | data[MAGIC_SIZE + 1]);
    ret_challenge->endorsement = read_file(swtpm, "ek.der");
    ret_challenge->credential = g_bytes_new(data + MAGIC_SIZE, credential_size);
    ret_challenge->secret =
        g_bytes_new(data + MAGIC_SIZE + credential_size, size - MAGIC_SIZE - credential_size);
}

void
tpm_challenge_clear(SignetTokenChallenge *challenge)
{
    g_clear_pointer(&challenge->endorsement, g_bytes_unref);
    g_clear_pointer(&challenge->credential, g_bytes_unref);
    g_clear_pointer(&challenge->secret, g_bytes_unref);
}
