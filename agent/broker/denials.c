/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keeps a peer that is refused again and again from filling the log. */

#include "agent/broker/denials.h"

typedef struct {
    guint32 uid;
    char *identity; /* (owned, nullable) */
    gint64 last_us;
    guint suppressed;
} Denial;

struct SignetDenials {
    GHashTable *known; /* (owned) set of Denial */
};

static guint
denial_hash(gconstpointer data)
{
    const Denial *denial = data;

    return denial->uid * 31 + (denial->identity ? g_str_hash(denial->identity) : 0);
}

static gboolean
denial_equal(gconstpointer a, gconstpointer b)
{
    const Denial *x = a, *y = b;

    return x->uid == y->uid && g_strcmp0(x->identity, y->identity) == 0;
}

static void
denial_free(gpointer data)
{
    Denial *denial = data;

    g_free(denial->identity);
    g_free(denial);
}

static gboolean
is_over(gpointer key, gpointer value, gpointer data)
{
    const gint64 *now_us = data;

    return *now_us - ((Denial *)key)->last_us >= SIGNET_DENIALS_INTERVAL_US;
}

SignetDenials *
signet_denials_new(void)
{
    SignetDenials *denials = g_new0(SignetDenials, 1);

    denials->known = g_hash_table_new_full(denial_hash, denial_equal, denial_free, NULL);
    return denials;
}

void
signet_denials_free(SignetDenials *denials)
{
    g_hash_table_unref(denials->known);
    g_free(denials);
}

gboolean
signet_denials_admit(SignetDenials *denials, guint32 uid, const char *identity, gint64 now_us,
                     guint *ret_suppressed)
{
    Denial key = {.uid = uid, .identity = (char *)identity};
    Denial *denial = g_hash_table_lookup(denials->known, &key);

    if (!denial) {
        if (g_hash_table_size(denials->known) >= SIGNET_DENIALS_MAX)
            g_hash_table_foreach_remove(denials->known, is_over, &now_us);
        /* So many users at once are a storm of its own: what is remembered already is enough to
         * tell of it. */
        if (g_hash_table_size(denials->known) >= SIGNET_DENIALS_MAX)
            return FALSE;
        denial = g_new0(Denial, 1);
        denial->uid = uid;
        denial->identity = g_strdup(identity);
        g_hash_table_add(denials->known, denial);
    } else if (now_us - denial->last_us < SIGNET_DENIALS_INTERVAL_US) {
        denial->suppressed++;
        return FALSE;
    }
    *ret_suppressed = denial->suppressed;
    denial->suppressed = 0;
    denial->last_us = now_us;
    return TRUE;
}
