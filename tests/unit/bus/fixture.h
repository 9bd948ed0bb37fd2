/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A message bus of the test's own, a polkit that says what the test wants, and calls that do not
 * block the tested side. */

#pragma once

#include <gio/gio.h>

typedef struct {
    char *directory; /* (owned) */
    GPid daemon;
    char *address;           /* (owned) */
    GDBusConnection *server; /* (owned) of the tested side */
    GDBusConnection *client; /* (owned) of the callers */
} Fixture;

void fixture_up(Fixture *fixture);
void fixture_down(Fixture *fixture);
GDBusConnection *fixture_connect(Fixture *fixture);
/* Runs the main context until *flag, at most five seconds; FALSE when it did not come. */
gboolean fixture_wait(const gboolean *flag);
/* Runs the main context for so long. */
void fixture_run(guint duration_ms);

typedef struct {
    const char *destination;
    const char *path;
    const char *interface;
    const char *method;
} FixtureTarget;

/* Calls from the client's connection (or another) while the main context runs. parameters: sunk. */
GVariant *fixture_call_from(GDBusConnection *connection, const FixtureTarget *target,
                            GVariant *parameters, GError **error);
GVariant *
fixture_call(Fixture *fixture, const FixtureTarget *target, GVariant *parameters, GError **error);

typedef enum {
    POLKIT_YES,
    POLKIT_NO,
    POLKIT_CHALLENGE,
    POLKIT_SILENT,
    POLKIT_GARBAGE,
    POLKIT_ERROR,
} PolkitMood;

typedef struct {
    GDBusConnection *connection; /* (owned) */
    PolkitMood mood;
    guint n_asked;
    guint n_cancelled;
    char *action;   /* (owned) what was asked last */
    char *subject;  /* (owned) the bus name */
    char *identity; /* (owned, nullable) */
    guint flags;
} FakePolkit;

void fake_polkit_up(FakePolkit *polkit, Fixture *fixture);
void fake_polkit_down(FakePolkit *polkit);
