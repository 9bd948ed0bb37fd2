/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A door over a small world, and children with other credentials that come to it. Needs root. One
 * house per test process. */

#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "agent/door/door.h"
#include "tests/unit/broker/world.h"
#include "tests/unit/door/client.h"

#define OK       SIGNET_WIRE_STATUS_OK
#define ENDED    (-1)
#define STRANGER 12345 /* a uid that nothing allows */

/* In a child: says where and ends with 1. */
#define EXPECT(condition)                                                  \
    do {                                                                   \
        if (!(condition)) {                                                \
            fprintf(stderr, "child, line %d: %s\n", __LINE__, #condition); \
            return 1;                                                      \
        }                                                                  \
    } while (0)

#define HOUSE_KEPT_MAX 4

typedef struct {
    World *world;
    SignetDoor *door;
    char directory[64];
    char path[96]; /* of the socket */
    /* what a service manager would hold */
    struct {
        int fd; /* -1: forgotten */
        char name[64];
    } kept[HOUSE_KEPT_MAX];
    guint n_kept;
    guint n_forgotten;
} House;

extern House house;

/* Checked fixtures. */
void house_setup(void);
void house_teardown(void);
/* 0: the usual number. The one before must be freed. */
void house_open_door(guint max_connections);

/* Runs in a child; 0: all is well. */
typedef int (*HouseProgram)(void *data);
/* All descriptors but these two and the standard ones are closed in it. */
pid_t house_start(HouseProgram program, void *data, int keep_a, int keep_b);
/* Serves until the child has ended; it must have ended well. */
void house_serve_until_end(pid_t child);
void house_serve(HouseProgram program, void *data);
void house_serve_until_readable(int fd);
/* Serves for a moment. */
void house_settle(void);

/* In a child. */
void house_become(uid_t uid);
void house_become_chrooted(uid_t uid);

/* To make a child wait. */
typedef struct {
    int ready[2];
    int go[2];
} HouseGate;
void house_gate_open(HouseGate *ret_gate);
