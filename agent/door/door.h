/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The private socket: connections, packets, credentials, adoption. Decides nothing itself: the
 * broker does. */

#pragma once

#include "agent/door/settings.h"

typedef struct SignetDoor SignetDoor;

SignetDoor *signet_door_new(const SignetDoorSettings *settings, GError **error);
void signet_door_free(SignetDoor *door);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetDoor, signet_door_free)

/* Takes the listening SOCK_SEQPACKET socket. */
gboolean signet_door_listen(SignetDoor *door, int listen_fd, GError **error);
/* A factory connection that survived a restart. Takes the fd. */
gboolean signet_door_restore_factory(SignetDoor *door, int fd, const char *name, GError **error);
/* An enroller's connection (SignetEnrollAttach). Takes the fd. */
void signet_door_attach_job(int fd, SignetJob *job, gpointer door);
/* To be called when identities, their generations or who may use them may have changed: answers
 * clients that watch. */
void signet_door_look_again(SignetDoor *door);
guint signet_door_get_n_connections(const SignetDoor *door);
