/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What an openssl.cnf says of providers, read by libcrypto's own reader. */

#include "agent/probe/config.h"

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/probe/say.h"

char *
signet_config_file(const char *given)
{
    return given == NULL ? CONF_get1_default_config_file() : OPENSSL_strdup(given);
}

/* "1.default" and "default" are one name: crypto/provider_conf.c. */
static const char *
skip_dot(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

/* A word from 3.2 on, where "activate = 0" is one; before, any value activates. */
static bool
is_true(const char *value)
{
    static const char *const no[] = {"0", "no", "NO", "false", "FALSE", "off", "OFF"};
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        if (OpenSSL_version_num() >= 0x30200000L && strcmp(value, no[i]) == 0)
            return false;
    return true;
}

static void
copy(char *to, const char *value)
{
    snprintf(to, SIGNET_CONFIG_NAME_MAX, "%s", value);
}

static void
read_provider(const CONF *conf, const CONF_VALUE *entry, struct signet_config *ret_config)
{
    STACK_OF(CONF_VALUE) *section = NCONF_get_section(conf, entry->value);
    const char *name = skip_dot(entry->name);
    bool is_signet = strcmp(name, "signet") == 0, is_activated = false;
    for (int i = 0; section != NULL && i < sk_CONF_VALUE_num(section); i++) {
        const CONF_VALUE *line = sk_CONF_VALUE_value(section, i);
        const char *what = skip_dot(line->name);
        if (strcmp(what, "activate") == 0)
            is_activated = is_true(line->value);
        else if (is_signet && strcmp(what, "module") == 0)
            copy(ret_config->module, line->value);
        else if (is_signet && strcmp(what, "socket") == 0)
            copy(ret_config->socket, line->value);
    }
    if (is_signet)
        ret_config->is_activated = is_activated;
    signet_say("config.provider", "%s %s %s%s", name, entry->value, is_activated ? "yes" : "no",
               section == NULL ? " missing" : "");
}

static const char *
get(const CONF *conf, const char *section, const char *name)
{
    ERR_set_mark();
    const char *value = NCONF_get_string(conf, section, name);
    ERR_pop_to_mark();
    return value;
}

static void
read_providers(const CONF *conf, const char *init, struct signet_config *ret_config)
{
    const char *providers = get(conf, init, "providers");
    const char *algorithms = get(conf, init, "alg_section");
    const char *properties =
        algorithms == NULL ? NULL : get(conf, algorithms, "default_properties");
    if (properties != NULL)
        signet_say("config.properties", "%s", properties);
    if (providers == NULL)
        return;
    signet_say("config.providers", "%s", providers);
    STACK_OF(CONF_VALUE) *section = NCONF_get_section(conf, providers);
    for (int i = 0; section != NULL && i < sk_CONF_VALUE_num(section); i++)
        read_provider(conf, sk_CONF_VALUE_value(section, i), ret_config);
}

void
signet_config_read(const char *file, const char *application, struct signet_config *ret_config)
{
    CONF *conf = NCONF_new(NULL);
    long line = 0;
    *ret_config = (struct signet_config) {0};
    if (conf == NULL || NCONF_load(conf, file, &line) <= 0) {
        const char *data = NULL;
        unsigned long code = ERR_peek_last_error_all(NULL, NULL, NULL, &data, NULL);
        const char *reason = ERR_reason_error_string(code);
        signet_say("config.error", "%s", reason == NULL ? "cannot be read" : reason);
        if (line > 0)
            signet_say("config.line", "%ld", line);
        NCONF_free(conf);
        ERR_clear_error();
        return;
    }
    ret_config->is_read = true;
    const char *init = get(conf, NULL, application);
    if (init != NULL)
        signet_say("config.init", "%s", init);
    if (init != NULL)
        read_providers(conf, init, ret_config);
    NCONF_free(conf);
}
