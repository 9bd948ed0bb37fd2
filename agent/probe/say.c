/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What signet-probe found: one fact a line on stdout. */

#include "agent/probe/say.h"

#include <stdarg.h>
#include <stdio.h>

void
signet_say(const char *name, const char *format, ...)
{
    char value[SIGNET_SAY_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof(value), format, arguments);
    va_end(arguments);

    for (char *at = value; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    printf("%s %s\n", name, value);
    fflush(stdout);
}
