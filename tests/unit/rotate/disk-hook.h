/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Stands between the store and the kernel (linked with --wrap): counts every operation that changes
 * the disk, and lets the test die or the disk fail at any one of them. */

#pragma once

#include <glib.h>

typedef enum {
    DISK_COUNT,
    DISK_DIE,       /* the process ends at operation number 'at', before it is done */
    DISK_FAIL_ONCE, /* that operation fails */
    DISK_FAIL_ON,   /* that one and all after it */
} DiskMode;

#define DISK_DEAD 77 /* exit status of a process that died so */

typedef struct {
    gboolean is_armed; /* nothing is counted before */
    DiskMode mode;
    guint at;
    int error;           /* errno of a failure */
    void (*watch)(void); /* (nullable) before and after every operation */
} DiskHook;

/* Changed only while the disk thread is idle. */
extern DiskHook disk_hook;

guint disk_hook_get_count(void);
