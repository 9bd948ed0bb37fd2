/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* How many connections there may be, whose, and which gives way when there are too many: the idlest
 * one of the user that holds the most. Pure: counts and lists, no file descriptors. Private to
 * agent/door. */

#pragma once

#include <glib.h>

typedef struct SignetQuota SignetQuota;

/* Embedded in a connection. */
typedef struct {
    struct SignetQuotaUser *user; /* (unowned): NULL while not counted */
    GList idle;                   /* link in the user's list */
    gboolean is_idle;
    gboolean is_kept;
} SignetQuotaItem;

/* Of all (a user that is not root may have half of that); of kept ones, and of one such user. */
typedef struct {
    guint total;
    guint kept;
    guint kept_per_user;
} SignetQuotaLimits;

SignetQuota *signet_quota_new(const SignetQuotaLimits *limits);
/* No item may be counted any more. */
void signet_quota_free(SignetQuota *quota);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetQuota, signet_quota_free)

/* Counted from now on; idle. data: what signet_quota_find_victim() answers. */
void signet_quota_add(SignetQuota *quota, SignetQuotaItem *item, guint32 uid, gpointer data);
void signet_quota_remove(SignetQuota *quota, SignetQuotaItem *item);
/* Only idle ones give way; becoming idle makes it the least idle one. */
void signet_quota_set_idle(SignetQuota *quota, SignetQuotaItem *item, gboolean is_idle);
/* Never gives way from now on. FALSE: as many as may be are kept already. */
gboolean signet_quota_keep(SignetQuota *quota, SignetQuotaItem *item);
/* The data of the one that has to go, NULL while there are not too many (or none is idle). */
gpointer signet_quota_find_victim(SignetQuota *quota);
/* Too many, whether or not one can give way. */
gboolean signet_quota_is_exceeded(const SignetQuota *quota);
/* Another total from now on. */
void signet_quota_set_total(SignetQuota *quota, guint total);
guint signet_quota_get_count(const SignetQuota *quota);
