/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Runs the wire's tests. */

#include <stdlib.h>

#include "tests/unit/wire/suites.h"

int
main(void)
{
    SRunner *runner = srunner_create(messages_suite());
    srunner_add_suite(runner, primitives_suite());
    srunner_add_suite(runner, reference_suite());
    srunner_add_suite(runner, catalogue_suite());
    srunner_add_suite(runner, der_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
