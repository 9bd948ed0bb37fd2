/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A client of the private socket for tests: bare packets, no pool, no repetition. Blocking; libc
 * only, fit for a forked child. */

#pragma once

#include "provider/wire/wire.h"

typedef struct {
    uint8_t data[SIGNET_WIRE_PACKET_MAX];
    size_t size; /* 0: the end of the connection */
    struct signet_wire_header header;
    struct signet_wire_reader reader;
} ClientReply;

/* An fd; aborts when it cannot. */
int client_connect(const char *path);
/* A request in a packet; returns its size. message: nullable with put. */
size_t client_put_lookup(uint8_t *packet, const char *identity, uint32_t generation);
/* The TLS 1.3 CertificateVerify of a client; op: SIGN_MESSAGE or SIGN_DIGEST */
size_t client_put_sign(uint8_t *packet, enum signet_wire_op op, const char *identity);
size_t client_put_bare(uint8_t *packet, enum signet_wire_op op);
void client_send(int fd, const uint8_t *packet, size_t size);
/* Waits 20 s at most. */
void client_receive(int fd, ClientReply *ret_reply);
/* Status of one call, -1: the connection ended. */
int client_lookup(int fd, const char *identity);
int client_sign(int fd, const char *identity);
int client_bare(int fd, enum signet_wire_op op);
/* Sends one end of a new pair over a factory; returns the other. */
int client_adopt(int factory_fd);
void client_send_fds(int fd, const uint8_t *packet, size_t size, const int *fds, size_t n_fds);
