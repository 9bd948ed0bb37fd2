/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Writes the seed corpus of fuzz_wire: one packet of every message and a reference of every kind,
 * into the directory named. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider/wire/reference.h"

static const uint8_t bytes[] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02};

static uint32_t
seed_number(size_t limit)
{
    return 3;
}

static struct signet_bytes
seed_text(size_t limit)
{
    return signet_bytes_from_string("wifi");
}

static struct signet_bytes
seed_bytes(size_t limit)
{
    return (struct signet_bytes) {bytes, sizeof(bytes)};
}

#define seed_U8    seed_number
#define seed_U16   seed_number
#define seed_U32   seed_number
#define seed_NAME  seed_text
#define seed_TEXT  seed_text
#define seed_BYTES seed_bytes

static const char *directory;

static void
save(const char *name, const uint8_t *data, size_t size)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

static void
save_reference(const char *name, uint32_t generation, uint8_t family)
{
    uint8_t der[SIGNET_REFERENCE_DER_MAX];
    struct signet_reference reference = {
        .identity = "wifi", .generation = generation, .family = family};
    save(name, der, signet_reference_to_der(&reference, der, sizeof(der)));
}

/* the formatter takes the field lists for statements */
/* clang-format off */
#define SEED(kind, field, limit) message.field = seed_##kind(limit);
#define M(symbol, fields)                                                                    \
    static void save_##symbol(void)                                                          \
    {                                                                                        \
        uint8_t packet[1024];                                                                \
        struct signet_wire_##symbol message;                                                 \
        struct signet_wire_header header = {                                                 \
            .version = SIGNET_WIRE_VERSION, .op = SIGNET_WIRE_OP_SIGN_MESSAGE, .serial = 7}; \
        struct signet_wire_writer w = {.data = packet, .capacity = sizeof(packet)};          \
        fields(SEED)                                                                         \
        signet_wire_put_header(&w, &header);                                                 \
        signet_wire_put_##symbol(&w, &message);                                              \
        save(#symbol, packet, w.size);                                                       \
    }
SIGNET_WIRE_MESSAGES(M)
#undef M
/* clang-format on */

static void
save_list(void)
{
    uint8_t packet[1024], names[64];
    struct signet_wire_header header = {.version = SIGNET_WIRE_VERSION, .op = SIGNET_WIRE_OP_LIST};
    struct signet_wire_writer list = {.data = names, .capacity = sizeof(names)};
    struct signet_wire_writer w = {.data = packet, .capacity = sizeof(packet)};
    signet_wire_put_list_name(&list, "vpn");
    signet_wire_put_list_name(&list, "wifi");
    struct signet_wire_list_reply reply = {.names = {names, list.size}};
    signet_wire_put_header(&w, &header);
    signet_wire_put_list_reply(&w, &reply);
    save("list_of_names", packet, w.size);

    struct signet_wire_writer bare = {.data = packet, .capacity = sizeof(packet)};
    signet_wire_put_header(&bare, &header);
    save("header", packet, bare.size);
    memcpy(packet + bare.size, names, list.size);
    save("bare_names", packet, bare.size + list.size);
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return EXIT_FAILURE;
    }
    directory = argv[1];
#define M(symbol, fields) save_##symbol();
    SIGNET_WIRE_MESSAGES(M)
#undef M
    save_list();
    save_reference("reference_ec", 7, SIGNET_FAMILY_EC);
    save_reference("reference_rsa", 0x80000000u, SIGNET_FAMILY_RSA);
    save_reference("reference_current", 0, SIGNET_FAMILY_EC);
    save_reference("reference_ed25519", 7, SIGNET_FAMILY_ED25519);
    return EXIT_SUCCESS;
}
