/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A TLS server on the loopback interface for programs that are tried with another openssl.cnf; it
 * reads none itself. */

#pragma once

#include <stdbool.h>

/* Writes the certificate (PEM) to the file, which must not exist, says "port NUMBER", and answers
 * "ok" to whoever connects, until its standard input ends. False: could not begin, said as error.
 */
bool signet_serve(const char *certificate_file);
