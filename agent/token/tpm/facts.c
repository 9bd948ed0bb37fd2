/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* TPM2_GetCapability, read. */

#include "agent/token/tpm/facts.h"

#include "policy/facts.h"
#include "provider/wire/catalogue.h"

/* The kernel's resource manager gives each client three transient objects and breaks the connection
 * at the fourth. */
#define MAX_TRANSIENT 3

static guint32
property(const TPML_TAGGED_TPM_PROPERTY *properties, TPM2_PT name)
{
    for (guint i = 0; i < properties->count; i++) {
        if (properties->tpmProperty[i].property == name)
            return properties->tpmProperty[i].value;
    }
    return 0;
}

/* Four characters to a number, padded with zeros or spaces; a run of spaces becomes one. */
static void
append_text(GString *text, guint32 value)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        char c = (char)(value >> shift);
        gboolean is_space = c == ' ' && (text->len == 0 || text->str[text->len - 1] == ' ');

        if (g_ascii_isprint(c) && !is_space)
            g_string_append_c(text, c);
    }
}

void
signet_tpm_facts_clear(SignetTpmFacts *facts)
{
    g_clear_pointer(&facts->description, g_free);
    g_clear_pointer(&facts->manufacturer, g_free);
    g_clear_pointer(&facts->model, g_free);
    g_clear_pointer(&facts->firmware, g_free);
    g_clear_pointer(&facts->specification, g_free);
}

static void
describe(SignetTpmFacts *facts, const TPML_TAGGED_TPM_PROPERTY *properties)
{
    g_autoptr(GString) maker = g_string_new(NULL);
    g_autoptr(GString) vendor = g_string_new(NULL);
    guint32 firmware[] = {property(properties, TPM2_PT_FIRMWARE_VERSION_1),
                          property(properties, TPM2_PT_FIRMWARE_VERSION_2)};
    guint32 revision = property(properties, TPM2_PT_REVISION);

    append_text(maker, property(properties, TPM2_PT_MANUFACTURER));
    for (TPM2_PT name = TPM2_PT_VENDOR_STRING_1; name <= TPM2_PT_VENDOR_STRING_4; name++)
        append_text(vendor, property(properties, name));
    g_strchomp(maker->str);
    g_strchomp(vendor->str);

    /* libtpms and Microsoft's reference code, which it descends from: a file on this machine's disk
     * holds the keys. */
    facts->protection = g_str_equal(maker->str, "IBM") || g_str_has_prefix(vendor->str, "SW") ||
                                g_str_has_prefix(vendor->str, "xCG")
                            ? "software"
                            : "tpm";
    signet_tpm_facts_clear(facts);
    facts->manufacturer = g_strdup(maker->str);
    facts->model = g_strdup(vendor->str);
    facts->firmware = g_strdup_printf("%u.%u.%u.%u", firmware[0] >> 16, firmware[0] & 0xffff,
                                      firmware[1] >> 16, firmware[1] & 0xffff);
    facts->specification = g_strdup_printf("2.0 revision %u.%02u", revision / 100, revision % 100);
    facts->description =
        g_strdup_printf("%s %s, firmware %s", facts->manufacturer, facts->model, facts->firmware);
}

static TSS2_RC
read_properties(ESYS_CONTEXT *esys, SignetTpmFacts *facts)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    TSS2_RC rc =
        Esys_GetCapability(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
                           TPM2_PT_FIXED, TPM2_MAX_TPM_PROPERTIES, NULL, &data);
    guint32 least;

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    describe(facts, &data->data.tpmProperties);
    least = property(&data->data.tpmProperties, TPM2_PT_HR_TRANSIENT_MIN);
    facts->capacity = least >= 2 && least < MAX_TRANSIENT ? least : MAX_TRANSIENT;
    Esys_Free(data);
    return TSS2_RC_SUCCESS;
}

static TSS2_RC
read_algorithms(ESYS_CONTEXT *esys, SignetTpmFacts *facts)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    TSS2_RC rc = Esys_GetCapability(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_ALGS,
                                    TPM2_ALG_FIRST, TPM2_MAX_CAP_ALGS, NULL, &data);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    facts->hashes = 0;
    for (guint i = 0; i < data->data.algorithms.count; i++) {
        TPM2_ALG_ID algorithm = data->data.algorithms.algProperties[i].alg;

        facts->hashes |= algorithm == TPM2_ALG_SHA256   ? 1u << SIGNET_HASH_SHA256
                         : algorithm == TPM2_ALG_SHA384 ? 1u << SIGNET_HASH_SHA384
                         : algorithm == TPM2_ALG_SHA512 ? 1u << SIGNET_HASH_SHA512
                                                        : 0;
    }
    Esys_Free(data);
    return TSS2_RC_SUCCESS;
}

TSS2_RC
signet_tpm_facts_read(ESYS_CONTEXT *esys, SignetTpmFacts *facts)
{
    TSS2_RC rc = read_properties(esys, facts);

    return rc == TSS2_RC_SUCCESS ? read_algorithms(esys, facts) : rc;
}

void
signet_tpm_facts_describe(const SignetTpmFacts *facts, GVariantDict *dict)
{
    g_variant_dict_insert(dict, SIGNET_FACT_PROTECTION, "s", facts->protection);
    g_variant_dict_insert(dict, SIGNET_FACT_MANUFACTURER, "s", facts->manufacturer);
    g_variant_dict_insert(dict, SIGNET_FACT_MODEL, "s", facts->model);
    g_variant_dict_insert(dict, SIGNET_FACT_FIRMWARE, "s", facts->firmware);
    g_variant_dict_insert(dict, SIGNET_FACT_SPECIFICATION, "s", facts->specification);
}
