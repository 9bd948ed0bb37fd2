/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is wrong in policy files, in words, with the place. For the inside of policy/ only. */

#pragma once

#include <glib.h>

/* A place in a file. All borrowed; they must outlive their use only. */
typedef struct {
    const char *path;
    guint line;        /* from 1; 0: the file as a whole */
    const char *group; /* (nullable) */
    const char *key;   /* (nullable) */
} SignetPlace;

typedef struct {
    GPtrArray *lines;    /* (unowned): the caller's list of char *, which owns them */
    GHashTable *by_path; /* (owned) how many there are already */
} SignetProblems;

/* No more than this for one file: a file that is no policy at all must not fill the journal. */
#define SIGNET_PROBLEMS_MAX 100

void signet_problems_init(SignetProblems *problems, GPtrArray *lines);
void signet_problems_clear(SignetProblems *problems);
/* "MESSAGE in group [GROUP] of PATH:LINE TAIL"; tail (nullable) begins with its punctuation. */
void signet_problems_add(SignetProblems *problems, const SignetPlace *place, const char *tail,
                         const char *format, ...) G_GNUC_PRINTF(4, 5);

/* A value for a message: control characters replaced, cut when long. (owned by the caller) */
char *signet_problem_quote(const char *value);
/* "; did you mean 'NAME'?" with the one of names (NULL-terminated) that is near to word, or NULL.
 * (owned by the caller) */
char *signet_problem_hint(const char *word, const char *const *names);
