/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One thread for what blocks on the disk: tasks run there in the order they were given, and come
 * back to the main context. */

#pragma once

#include <glib.h>

typedef struct SignetDiskThread SignetDiskThread;

/* run is called on the thread, then done in the main context of the thread that made this; done
 * (nullable), then free. */
typedef struct {
    void (*run)(gpointer task);
    void (*done)(gpointer task);
    void (*free)(gpointer task);
} SignetDiskWork;

SignetDiskThread *signet_disk_thread_new(void);
/* Waits for all that was given; their done is not called, their free is. */
void signet_disk_thread_free(SignetDiskThread *thread);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetDiskThread, signet_disk_thread_free)

/* work: static. Takes the task. */
void signet_disk_thread_give(SignetDiskThread *thread, const SignetDiskWork *work, gpointer task);
/* Blocks until all that was given has run; done comes later, as always. */
void signet_disk_thread_flush(SignetDiskThread *thread);
