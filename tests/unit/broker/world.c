/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A small world for the tests of broker and door. */

#include "tests/unit/broker/world.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "policy/parse.h"

#define IDENTITY(key, access) "[Identity]\nToken=fake\nKey=" key "\n[Access]\n" access

static const SignetPolicyFile files[] = {
#define FILE_OF(path, text)         \
    {                               \
        path, text, sizeof text - 1 \
    }
    FILE_OF(
        "signet.conf",
        "[Token fake]\nType=pkcs11\nUri=pkcs11:token=fake\n[Token lost]\nType=tpm\nTcti=none\n"),
    FILE_OF("ca.d/local.conf", "[Ca]\nProtocol=local\nToken=fake\n"),
    FILE_OF("identities.d/app.conf",
            IDENTITY("ec:P-256", "Allow=user:nobody\nPurposes=tls-client\n")),
    FILE_OF("identities.d/web.conf",
            IDENTITY("ec:P-256", "Allow=user:www-data\nPurposes=tls-server\n")),
    FILE_OF("identities.d/all.conf", IDENTITY("rsa:2048", "Allow=user:nobody\nPurposes=any\n")),
    FILE_OF("identities.d/ed25519.conf", IDENTITY("ed25519", "Purposes=any\n")),
    FILE_OF("identities.d/edge.conf", IDENTITY("ed25519", "Purposes=tls-client\n")),
    FILE_OF("identities.d/own.conf", IDENTITY("ec:P-256", "Purposes=any\n")),
    FILE_OF("identities.d/unit.conf",
            IDENTITY("ec:P-256", "Allow=unit:signet-test.service\nPurposes=tls-client\n")),
    FILE_OF("identities.d/empty.conf", IDENTITY("ec:P-256", "Allow=user:nobody\n")),
    FILE_OF("identities.d/gone.conf",
            "[Identity]\nToken=lost\nKey=ec:P-256\n[Access]\nAllow=user:nobody\n"),
#undef FILE_OF
};

static gint64
world_now_s(gpointer data)
{
    return ((World *)data)->now_s;
}

static void
add_generation(World *world, const char *identity, guint32 number, const char *token, guint32 type)
{
    g_autoptr(SignetKey) key = fake_token_make_key(type);
    g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(SignetGeneration) generation =
        signet_generation_new(number, token, key, world->now_s, chain, NULL);

    signet_inventory_put(world->inventory, identity, generation);
}

static void
add_generations(World *world)
{
    for (guint32 number = 1; number <= 3; number++)
        add_generation(world, "app", number, "fake", SIGNET_KEY_EC_P256);
    signet_inventory_set_current(world->inventory, "app", 2);
    add_generation(world, "web", 1, "fake", SIGNET_KEY_EC_P256);
    signet_inventory_set_current(world->inventory, "web", 1);
    add_generation(world, "all", 1, "fake", SIGNET_KEY_RSA_2048);
    signet_inventory_set_current(world->inventory, "all", 1);
    add_generation(world, "ed25519", 1, "fake", SIGNET_KEY_ED25519);
    signet_inventory_set_current(world->inventory, "ed25519", 1);
    add_generation(world, "edge", 1, "fake", SIGNET_KEY_ED25519);
    signet_inventory_set_current(world->inventory, "edge", 1);
    add_generation(world, "own", 1, "fake", SIGNET_KEY_EC_P256);
    signet_inventory_set_current(world->inventory, "own", 1);
    add_generation(world, "unit", 1, "fake", SIGNET_KEY_EC_P256);
    signet_inventory_set_current(world->inventory, "unit", 1);
    add_generation(world, "gone", 1, "lost", SIGNET_KEY_EC_P256);
    signet_inventory_set_current(world->inventory, "gone", 1);
    add_generation(world, "ca.local", 1, "fake", SIGNET_KEY_EC_P256);
    signet_inventory_set_current(world->inventory, "ca.local", 1);
}

World *
world_new(void)
{
    World *world = g_new0(World, 1);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    SignetTokenSettings settings = {.name = "fake", .queue_limit = 64, .client_limit = 64};
    FakeTokenOptions options = {.control = &world->control};
    SignetToken *token = fake_token_new(&settings, &options);
    SignetBrokerContext context;

    world->now_s = 1800000000;
    world->clock = (SignetClock) {world_now_s, world};
    world->policy = signet_policy_parse(files, G_N_ELEMENTS(files), problems);
    if (!world->policy)
        g_error("%s", (char *)problems->pdata[0]);
    world->inventory = signet_inventory_new();
    add_generations(world);
    world->tokens = signet_tokens_new();
    signet_tokens_add(world->tokens, token);
    context = (SignetBrokerContext) {world->inventory, world->tokens, &world->clock};
    world->broker = signet_broker_new(&context);
    signet_broker_set_policy(world->broker, world->policy);
    return world;
}

void
world_free(World *world)
{
    signet_broker_free(world->broker);
    signet_tokens_free(world->tokens);
    signet_token_wait_left(10000);
    signet_inventory_free(world->inventory);
    signet_policy_unref(world->policy);
    g_free(world);
}

GBytes *
world_tls13_message(const char *who)
{
    g_autofree char *context = g_strdup_printf("TLS 1.3, %s CertificateVerify", who);
    GByteArray *message = g_byte_array_new();
    guint8 hash[32] = {1, 2, 3};

    for (int i = 0; i < 64; i++)
        g_byte_array_append(message, (const guint8 *)" ", 1);
    g_byte_array_append(message, (const guint8 *)context, (guint)strlen(context) + 1);
    g_byte_array_append(message, hash, sizeof hash);
    return g_byte_array_free_to_bytes(message);
}

gboolean
world_verify(World *world, const char *identity, guint32 number, GBytes *message, GBytes *signature)
{
    SignetGeneration *generation = signet_inventory_get(world->inventory, identity, number);
    gsize size, message_size, signature_size;
    const guint8 *der = g_bytes_get_data(generation->key->spki, &size);
    const guint8 *message_data = g_bytes_get_data(message, &message_size);
    const guint8 *signature_data = g_bytes_get_data(signature, &signature_size);
    EVP_PKEY *key = d2i_PUBKEY(NULL, &der, (long)size);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
    int rc = EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) > 0
                 ? EVP_DigestVerify(ctx, signature_data, signature_size, message_data, message_size)
                 : -1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return rc == 1;
}
