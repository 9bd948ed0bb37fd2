/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The catalogue's tables: numbers to names and sizes, and back. */

#include "provider/wire/catalogue.h"

#include <string.h>
#include <strings.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct word {
    uint32_t number;
    const char *name;
};

static const struct word ops[] = {
#define X(symbol, number, name) {number, name},
    SIGNET_WIRE_OPS(X)
#undef X
};

static const struct word statuses[] = {
#define X(symbol, number, name) {number, name},
    SIGNET_WIRE_STATUSES(X)
#undef X
};

static const struct word families[] = {
#define X(symbol, number, name) {number, name},
    SIGNET_FAMILIES(X)
#undef X
};

static const struct scheme {
    uint32_t number;
    const char *name;
    uint32_t family;
} schemes[] = {
#define X(symbol, number, name, family) {number, name, SIGNET_FAMILY_##family},
    SIGNET_SCHEMES(X)
#undef X
};

static const struct key_type {
    uint32_t number;
    const char *name;
    uint32_t family;
    unsigned bits;
    size_t signature_max;
} key_types[] = {
#define X(symbol, number, name, family, bits, sig_max) \
    {number, name, SIGNET_FAMILY_##family, bits, sig_max},
    SIGNET_KEY_TYPES(X)
#undef X
};

static const struct hash {
    uint32_t number;
    const char *symbol; /* "SHA256" */
    const char *name;   /* "SHA2-256" */
    size_t size;
} hashes[] = {
#define X(symbol, number, name, bytes) {number, #symbol, name, bytes},
    SIGNET_HASHES(X)
#undef X
};

static const char *
name_of(const struct word *table, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].number == number)
            return table[i].name;
    }
    return "unknown";
}

static const struct key_type *
find_key_type(uint32_t type)
{
    for (size_t i = 0; i < COUNT(key_types); i++) {
        if (key_types[i].number == type)
            return &key_types[i];
    }
    return NULL;
}

static const struct scheme *
find_scheme(uint32_t scheme)
{
    for (size_t i = 0; i < COUNT(schemes); i++) {
        if (schemes[i].number == scheme)
            return &schemes[i];
    }
    return NULL;
}

static bool
hash_is_called(const struct hash *hash, const char *name)
{
    if (strcasecmp(name, hash->name) == 0 || strcasecmp(name, hash->symbol) == 0)
        return true;
    /* "SHA-256", as FIPS 180-4 writes it */
    return strncasecmp(name, "SHA-", 4) == 0 && strncmp(hash->symbol, "SHA", 3) == 0 &&
           strcmp(name + 4, hash->symbol + 3) == 0;
}

const char *
signet_wire_op_name(uint32_t op)
{
    return name_of(ops, COUNT(ops), op);
}

const char *
signet_wire_status_name(uint32_t status)
{
    return name_of(statuses, COUNT(statuses), status);
}

const char *
signet_family_name(uint32_t family)
{
    return name_of(families, COUNT(families), family);
}

const char *
signet_key_type_name(uint32_t type)
{
    const struct key_type *row = find_key_type(type);
    return row ? row->name : "unknown";
}

const char *
signet_scheme_name(uint32_t scheme)
{
    const struct scheme *row = find_scheme(scheme);
    return row ? row->name : "unknown";
}

const char *
signet_hash_name(uint32_t hash)
{
    for (size_t i = 0; i < COUNT(hashes); i++) {
        if (hashes[i].number == hash)
            return hashes[i].name;
    }
    return "unknown";
}

uint32_t
signet_key_type_from_name(const char *name)
{
    for (size_t i = 0; i < COUNT(key_types); i++) {
        if (strcmp(key_types[i].name, name) == 0)
            return key_types[i].number;
    }
    return 0;
}

unsigned
signet_key_type_bits(uint32_t type)
{
    const struct key_type *row = find_key_type(type);
    return row ? row->bits : 0;
}

size_t
signet_key_type_signature_max(uint32_t type)
{
    const struct key_type *row = find_key_type(type);
    return row ? row->signature_max : 0;
}

uint32_t
signet_key_type_family(uint32_t type)
{
    const struct key_type *row = find_key_type(type);
    return row ? row->family : 0;
}

bool
signet_key_type_is_rsa(uint32_t type)
{
    return signet_key_type_family(type) == SIGNET_FAMILY_RSA;
}

bool
signet_key_type_is_ec(uint32_t type)
{
    return signet_key_type_family(type) == SIGNET_FAMILY_EC;
}

uint32_t
signet_scheme_family(uint32_t scheme)
{
    const struct scheme *row = find_scheme(scheme);
    return row ? row->family : 0;
}

size_t
signet_hash_size(uint32_t hash)
{
    for (size_t i = 0; i < COUNT(hashes); i++) {
        if (hashes[i].number == hash)
            return hashes[i].size;
    }
    return 0;
}

uint32_t
signet_hash_from_size(size_t size)
{
    for (size_t i = 0; i < COUNT(hashes); i++) {
        if (hashes[i].size == size)
            return hashes[i].number;
    }
    return SIGNET_HASH_NONE;
}

uint32_t
signet_hash_from_name(const char *name)
{
    /* a signature asks twice, and nearly always by our own spelling */
    for (size_t i = 0; i < COUNT(hashes); i++) {
        if (strcmp(hashes[i].symbol, name) == 0)
            return hashes[i].number;
    }
    for (size_t i = 0; i < COUNT(hashes); i++) {
        if (hash_is_called(&hashes[i], name))
            return hashes[i].number;
    }
    return SIGNET_HASH_NONE;
}
