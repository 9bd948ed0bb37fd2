/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The suites of the wire's tests. */

#pragma once

#include <check.h>

Suite *messages_suite(void);
Suite *primitives_suite(void);
Suite *reference_suite(void);
Suite *catalogue_suite(void);
Suite *der_suite(void);
