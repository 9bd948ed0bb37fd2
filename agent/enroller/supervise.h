/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The process that runs an administrator's program for the runner. */

#pragma once

#include <glib.h>

/* In: the input and the variables, each with its zero. Out: a head, standard output, and the
 * beginning of standard error or why there is none. One packet each. */
#define SIGNET_SUPERVISE_OUTPUT_MAX   65536u
#define SIGNET_SUPERVISE_WORDS_MAX    1024u
#define SIGNET_SUPERVISE_QUESTION_MAX 32768u
#define SIGNET_SUPERVISE_ANSWER_MAX \
    (SIGNET_SUPERVISE_OUTPUT_MAX + SIGNET_SUPERVISE_WORDS_MAX + sizeof(SignetSupervised))

typedef enum {
    SIGNET_SUPERVISED_ENDED,    /* code: the exit status */
    SIGNET_SUPERVISED_KILLED,   /* code: the signal */
    SIGNET_SUPERVISED_LATE,     /* within timeout_s it did not end */
    SIGNET_SUPERVISED_TOO_MUCH, /* it wrote more than may be */
    SIGNET_SUPERVISED_REFUSED,  /* it was not run, and why stands behind the head */
} SignetSupervisedKind;

typedef struct {
    SignetSupervisedKind kind;
    int code;
    gsize output_size;
} SignetSupervised;

/* The rest of this process's life: waits for the question, closes all else, becomes a user without
 * privileges. */
_Noreturn void signet_supervise(int fd, const char *program, guint timeout_s);
