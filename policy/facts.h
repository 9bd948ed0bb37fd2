/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The facts of a token: what its device is and does, as an a{sv} whose words stand here. Shown to
 * people, sent over D-Bus, written down, and held against the policy. What is not in it is not
 * known. */

#pragma once

#include <glib.h>

/* F(SYMBOL, "name", "type"): sizes in bits, times in seconds since 1970. The D-Bus interface says
 * what each means. */
#define SIGNET_FACTS(F)                                                                \
    F(DEVICE, "device", "s") /* tells this device from another behind the same name */ \
    F(PLACE, "place", "s")   /* Tcti= or Uri= under which it was found */              \
    F(PROTECTION, "protection", "s")                                                   \
    F(MANUFACTURER, "manufacturer", "s")                                               \
    F(MODEL, "model", "s")                                                             \
    F(SERIAL, "serial", "s")                                                           \
    F(FIRMWARE, "firmware", "s")                                                       \
    F(HARDWARE, "hardware", "s")                                                       \
    F(LIBRARY, "library", "s")                                                         \
    F(SPECIFICATION, "specification", "s")                                             \
    F(KEYS, "keys", "as")       /* the types of keys that it makes */                  \
    F(UNMADE, "unmade", "as")   /* … that it says it makes, and does not */          \
    F(USES, "uses", "as")       /* the types of keys that it signs with */             \
    F(DECRYPT, "decrypt", "as") /* … that it decrypts with */                        \
    F(DERIVE, "derive", "as")   /* … that it derives with */                         \
    F(CURVES, "curves", "as")                                                          \
    F(RSA_SIZES, "rsa_sizes", "as")                                                    \
    F(HASHES, "hashes", "as")                                                          \
    F(ALGORITHMS, "algorithms", "as")                                                  \
    F(MECHANISMS, "mechanisms", "as")                                                  \
    F(FLAGS, "flags", "as")                                                            \
    F(COMMANDS, "commands", "u")                                                       \
    F(MAX_SESSIONS, "max_sessions", "u")                                               \
    F(MAX_OBJECTS, "max_objects", "u")                                                 \
    F(LOCKOUT_COUNTER, "lockout_counter", "u")                                         \
    F(LOCKOUT_LIMIT, "lockout_limit", "u")                                             \
    F(LOCKOUT_INTERVAL, "lockout_interval_s", "u")                                     \
    F(LOCKOUT_RECOVERY, "lockout_recovery_s", "u")                                     \
    F(CERTIFICATES, "certificates", "aa{ss}")                                          \
    F(PSS, "pss", "s")                                                                 \
    F(LEARNED, "learned", "x")                                                         \
    F(MEASURED, "measured", "x")                                                       \
    F(TIMES, "times", "a{s(ttu)}") /* "ec:P-256 sign" → p50 and p95 in us, and of how many */

#define F(symbol, name, type) extern const char SIGNET_FACT_##symbol[];
SIGNET_FACTS(F)
#undef F

#define SIGNET_FACTS_SIZE_MAX (64 * 1024)

/* As a file's text, and back. Decoding is bounded; text that is no such file, or of another
 * version, gives NULL; words that are not in the table are left out. The result of decoding is not
 * floating. */
char *signet_facts_encode(GVariant *facts);
GVariant *signet_facts_decode(const char *text, gsize size);

/* The entries of facts, but those of 'newer' where both have one. Both nullable. Not floating. */
GVariant *signet_facts_merge(GVariant *facts, GVariant *newer);
