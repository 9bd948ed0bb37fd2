/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Generations as they are told over D-Bus: the public facts of each, read from its certificate. */

#include "agent/bus/generation.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)

static X509 *
parse_leaf(const SignetGeneration *generation)
{
    gsize size = 0;
    const unsigned char *der = NULL;
    X509 *leaf = NULL;

    if (!generation->chain || generation->chain->len == 0)
        return NULL;
    der = g_bytes_get_data(g_ptr_array_index(generation->chain, 0), &size);
    leaf = size <= G_MAXLONG ? d2i_X509(NULL, &der, (long)size) : NULL;
    if (!leaf)
        ERR_clear_error();
    return leaf;
}

static char *
dup_subject(const X509 *leaf)
{
    g_autoptr(BIO) memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    long size = 0;

    if (!memory || X509_NAME_print_ex(memory, X509_get_subject_name(leaf), 0,
                                      XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) < 0)
        return NULL;
    size = BIO_get_mem_data(memory, &text);
    return g_utf8_make_valid(text ? text : "", size); /* NULL: an empty name */
}

static char *
dup_serial(const X509 *leaf)
{
    g_autoptr(BIGNUM) number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    char *text = hex ? g_ascii_strdown(hex, -1) : NULL;

    OPENSSL_free(hex);
    return text;
}

char *
signet_bus_generation_dup_subject(const SignetGeneration *generation)
{
    g_autoptr(X509) leaf = parse_leaf(generation);

    return leaf ? dup_subject(leaf) : NULL;
}

static void
add_text(GVariantBuilder *builder, const char *key, const char *text)
{
    if (text)
        g_variant_builder_add(builder, "{sv}", key, g_variant_new_string(text));
}

static GVariant *
generation_to_variant(const SignetGeneration *generation, SignetGenerationState state)
{
    g_autoptr(X509) leaf = parse_leaf(generation);
    g_autofree char *subject = leaf ? dup_subject(leaf) : NULL;
    g_autofree char *serial = leaf ? dup_serial(leaf) : NULL;
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "number", g_variant_new_uint32(generation->number));
    add_text(&builder, "state", signet_generation_state_name(state));
    g_variant_builder_add(&builder, "{sv}", "created", g_variant_new_int64(generation->created_s));
    g_variant_builder_add(&builder, "{sv}", "not_before",
                          g_variant_new_int64(generation->not_before_s));
    g_variant_builder_add(&builder, "{sv}", "not_after",
                          g_variant_new_int64(generation->not_after_s));
    add_text(&builder, "subject", subject);
    add_text(&builder, "serial", serial);
    return g_variant_builder_end(&builder);
}

GVariant *
signet_bus_generations_to_variant(const SignetInventory *inventory, const char *identity)
{
    g_autoptr(GPtrArray) generations = signet_inventory_list(inventory, identity);
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < generations->len; i++) {
        const SignetGeneration *one = g_ptr_array_index(generations, i);

        g_variant_builder_add_value(
            &builder, generation_to_variant(
                          one, signet_inventory_get_state(inventory, identity, one->number)));
    }
    return g_variant_builder_end(&builder);
}

static GVariant *
users_to_variant(const GArray *users)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < users->len; i++) {
        const SignetUser *user = &g_array_index(users, SignetUser, i);
        g_autofree char *bytes = g_strndup(user->program, sizeof user->program);
        g_autofree char *program = g_utf8_make_valid(bytes, -1);

        g_variant_builder_open(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "uid", g_variant_new_uint32(user->uid));
        g_variant_builder_add(&builder, "{sv}", "program", g_variant_new_string(program));
        g_variant_builder_add(&builder, "{sv}", "count", g_variant_new_uint64(user->count));
        g_variant_builder_add(&builder, "{sv}", "last", g_variant_new_int64(user->last_s));
        g_variant_builder_close(&builder);
    }
    return g_variant_builder_end(&builder);
}

GVariant *
signet_bus_usage_to_variant(const SignetInventory *inventory, const char *identity)
{
    g_autoptr(GPtrArray) generations = signet_inventory_list(inventory, identity);
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < generations->len; i++) {
        const SignetGeneration *one = g_ptr_array_index(generations, i);
        g_autoptr(GArray) users = signet_inventory_list_users(inventory, identity, one->number);

        g_variant_builder_open(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "number", g_variant_new_uint32(one->number));
        g_variant_builder_add(&builder, "{sv}", "users", users_to_variant(users));
        g_variant_builder_close(&builder);
    }
    return g_variant_builder_end(&builder);
}
