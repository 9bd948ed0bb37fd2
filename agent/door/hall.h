/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is behind the door: all connections, one epoll instance, and how packets leave. Private to
 * agent/door. */

#pragma once

#include "agent/door/quota.h"
#include "agent/door/settings.h"
#include "agent/door/visitors.h"
#include "provider/wire/wire.h"

typedef enum {
    SIGNET_CONNECTION_PLAIN,
    SIGNET_CONNECTION_FACTORY, /* can only adopt */
    SIGNET_CONNECTION_JOB,     /* an enroller's: the descriptor is the permission */
} SignetConnectionKind;

typedef struct {
    SignetDoorSettings settings;
    int epoll_fd;             /* (owned) */
    SignetQuota *quota;       /* (owned) of those that peers opened, not of jobs */
    SignetVisitors *visitors; /* (owned) */
    GQueue open;              /* of SignetConnection */
    GQueue closed; /* of SignetConnection: the current round of events may still name them */
    guint n_factories_named;
    gboolean is_leaving; /* the agent ends: what is kept stays kept */
    guint8 in[SIGNET_WIRE_PACKET_MAX];
    guint8 out[SIGNET_WIRE_PACKET_MAX];
} SignetHall;

typedef struct {
    SignetHall *hall; /* (unowned): outlives us */
    GList link;       /* in hall->open or hall->closed */
    SignetQuotaItem quota;
    SignetConnectionKind kind;
    int fd;                   /* (owned) -1: closed */
    guint32 events;           /* that epoll looks for */
    struct ucred credentials; /* SO_PEERCRED; of no meaning for a job */
    SignetVisitor *owner; /* (owned, nullable) the process that the credentials are about; looked up
                             at first need */
    SignetVisitor *sender; /* (owned, nullable) of the last request */
    SignetJob *job;        /* (owned, nullable) */
    char *keep_name;       /* (owned, nullable) a factory that is kept over a restart */
    /* the request under way: one, so that replies keep their order */
    gboolean is_busy;
    guint64 use_id;        /* of the broker; 0: none */
    guint64 certification; /* likewise, of evidence */
    gboolean is_watching;
    guint64 seen; /* what it is watching for a change of */
    struct signet_wire_header request;
    GBytes *unsent; /* (owned, nullable) a reply that the peer was too slow for */
} SignetConnection;

SignetHall *signet_hall_new(const SignetDoorSettings *settings, GError **error);
void signet_hall_free(SignetHall *hall);

/* Takes the fd. NULL (and the fd is closed) when there are too many or the kernel refuses. job:
 * nullable. */
SignetConnection *signet_hall_admit(SignetHall *hall, int fd, SignetJob *job);
/* From here on it can only adopt. name: under which it is kept already; NULL: it gets one if there
 * is room. */
void signet_hall_make_factory(SignetConnection *connection, const char *name);
/* The memory stays until signet_hall_bury(). Harmless when closed already. */
void signet_hall_close(SignetConnection *connection);
/* Frees what was closed; call it when no connection is on the stack. */
void signet_hall_bury(SignetHall *hall);
/* Descriptors have run out: closes the idlest connections and does with fewer from now on. FALSE:
 * there was none to close. */
gboolean signet_hall_make_room(SignetHall *hall);

/* Who sent this packet, over whose connection. FALSE: nobody whom the kernel could name. Borrowed
 * until the next packet. */
gboolean signet_hall_identify(SignetConnection *connection, const SignetPacket *packet,
                              SignetRequester *ret_requester);

/* The same for the request under way. */
SignetRequester signet_hall_get_requester(const SignetConnection *connection);
/* The request under way waits for something else to happen: until then the connection gives way
 * like an idle one. */
void signet_hall_wait(SignetConnection *connection);
/* The request in connection->request is being worked on: nothing more is read until its reply. */
void signet_hall_begin(SignetConnection *connection);
/* It is over: the reply goes out, or the connection. Never blocks. */
void signet_hall_reply(SignetConnection *connection, const guint8 *packet, gsize size);
/* It is over without a reply (adopt). */
void signet_hall_end(SignetConnection *connection);
/* Something arrived that must wait until the request under way is over. */
void signet_hall_defer(SignetConnection *connection);
/* The peer reads again: sends what was left. */
void signet_hall_flush(SignetConnection *connection);
