/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Taking parameters in and giving them out. */

#include "provider/openssl/params.h"

#include <openssl/params.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
signet_params_take_text(const OSSL_PARAM params[], const char *key,
                        char text[SIGNET_DIGEST_NAME_SIZE])
{
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, key);
    return param == NULL || OSSL_PARAM_get_utf8_string(param, &text, SIGNET_DIGEST_NAME_SIZE);
}

bool
signet_params_give_text(OSSL_PARAM params[], const char *key, const char *text)
{
    OSSL_PARAM *param = OSSL_PARAM_locate(params, key);
    return param == NULL || OSSL_PARAM_set_utf8_string(param, text);
}

bool
signet_params_take_mode(const OSSL_PARAM params[], const char *key, const struct signet_mode *modes,
                        int *value)
{
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, key);
    if (param == NULL)
        return true;
    if (param->data_type != OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_get_int(param, value);
    for (; modes->name != NULL; modes++) {
        if (strcmp(param->data, modes->name) == 0) {
            *value = modes->value;
            return true;
        }
    }
    char *end = NULL;
    long number = strtol(param->data, &end, 10);
    if (end == param->data || *end != '\0' || number < 0 || number > UINT16_MAX)
        return false;
    *value = (int)number;
    return true;
}

bool
signet_params_give_mode(OSSL_PARAM params[], const char *key, const struct signet_mode *modes,
                        int value)
{
    OSSL_PARAM *param = OSSL_PARAM_locate(params, key);
    if (param == NULL)
        return true;
    if (param->data_type != OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_set_int(param, value);
    for (; modes->name != NULL; modes++)
        if (modes->value == value)
            return OSSL_PARAM_set_utf8_string(param, modes->name);
    char number[16];
    snprintf(number, sizeof(number), "%d", value);
    return OSSL_PARAM_set_utf8_string(param, number);
}
