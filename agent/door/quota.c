/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* How many connections there may be, whose, and which gives way when there are too many. */

#include "agent/door/quota.h"

typedef struct SignetQuotaUser {
    guint32 uid;
    guint count;
    guint kept;
    GQueue idle; /* most recently used first */
} User;

struct SignetQuota {
    SignetQuotaLimits limits;
    GHashTable *users; /* (owned) of User by uid */
    guint count;
    guint kept;
    User *over; /* (unowned, nullable): was the last to get more than its share */
};

SignetQuota *
signet_quota_new(const SignetQuotaLimits *limits)
{
    SignetQuota *quota = g_new0(SignetQuota, 1);

    quota->limits = *limits;
    quota->users = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return quota;
}

void
signet_quota_free(SignetQuota *quota)
{
    g_assert(quota->count == 0);
    g_hash_table_unref(quota->users);
    g_free(quota);
}

static gboolean
has_too_many(const SignetQuota *quota, const User *user)
{
    return user->uid != 0 && user->count > MAX(quota->limits.total / 2, 1);
}

void
signet_quota_add(SignetQuota *quota, SignetQuotaItem *item, guint32 uid, gpointer data)
{
    User *user = g_hash_table_lookup(quota->users, GUINT_TO_POINTER(uid));

    if (!user) {
        user = g_new0(User, 1);
        user->uid = uid;
        g_hash_table_insert(quota->users, GUINT_TO_POINTER(uid), user);
    }
    *item = (SignetQuotaItem) {.user = user, .idle = {.data = data}};
    user->count++;
    quota->count++;
    if (has_too_many(quota, user))
        quota->over = user;
    signet_quota_set_idle(quota, item, TRUE);
}

void
signet_quota_remove(SignetQuota *quota, SignetQuotaItem *item)
{
    User *user = item->user;

    if (!user)
        return;
    signet_quota_set_idle(quota, item, FALSE);
    if (item->is_kept) {
        user->kept--;
        quota->kept--;
    }
    item->user = NULL;
    quota->count--;
    user->count--;
    if (quota->over == user && !has_too_many(quota, user))
        quota->over = NULL;
    if (user->count == 0)
        g_hash_table_remove(quota->users, GUINT_TO_POINTER(user->uid));
}

void
signet_quota_set_idle(SignetQuota *quota, SignetQuotaItem *item, gboolean is_idle)
{
    if (!item->user || item->is_kept || item->is_idle == is_idle)
        return;
    if (is_idle)
        g_queue_push_head_link(&item->user->idle, &item->idle);
    else
        g_queue_unlink(&item->user->idle, &item->idle);
    item->is_idle = is_idle;
}

gboolean
signet_quota_keep(SignetQuota *quota, SignetQuotaItem *item)
{
    User *user = item->user;

    if (!user || item->is_kept || quota->kept >= quota->limits.kept ||
        (user->uid != 0 && user->kept >= quota->limits.kept_per_user))
        return FALSE;
    signet_quota_set_idle(quota, item, FALSE);
    item->is_kept = TRUE;
    user->kept++;
    quota->kept++;
    return TRUE;
}

gboolean
signet_quota_is_exceeded(const SignetQuota *quota)
{
    return quota->over || quota->count > quota->limits.total;
}

static User *
find_largest(const SignetQuota *quota)
{
    GHashTableIter iter;
    gpointer value;
    User *largest = NULL;

    g_hash_table_iter_init(&iter, quota->users);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        User *user = value;

        if (user->idle.length > 0 && (!largest || user->count > largest->count))
            largest = user;
    }
    return largest;
}

gpointer
signet_quota_find_victim(SignetQuota *quota)
{
    User *user = quota->over;

    if (!user && quota->count > quota->limits.total)
        user = find_largest(quota);
    return user ? g_queue_peek_tail(&user->idle) : NULL;
}

void
signet_quota_set_total(SignetQuota *quota, guint total)
{
    User *largest = find_largest(quota);

    quota->limits.total = total;
    quota->over = largest && has_too_many(quota, largest) ? largest : NULL;
}

guint
signet_quota_get_count(const SignetQuota *quota)
{
    return quota->count;
}
