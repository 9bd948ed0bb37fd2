/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The trust anchors in ca.pem while a CA goes from one root to the next: programs need both, since
 * their peers have certificates of either. */

#include "agent/enroll/openssl.h"
#include "agent/enroll/parse.h"
#include "agent/rotate/private.h"

#define ANCHORS_MAX      12
#define ANCHORS_SIZE_MAX 12288u

static gboolean
has(GPtrArray *list, GBytes *der)
{
    for (guint i = 0; i < list->len; i++) {
        if (g_bytes_equal(list->pdata[i], der))
            return TRUE;
    }
    return FALSE;
}

static gsize
size_of(GPtrArray *list)
{
    gsize size = 0;

    for (guint i = 0; i < list->len; i++)
        size += g_bytes_get_size(list->pdata[i]);
    return size;
}

static void
add(GPtrArray *list, GBytes *der)
{
    if (!has(list, der) && list->len < ANCHORS_MAX &&
        size_of(list) + g_bytes_get_size(der) <= ANCHORS_SIZE_MAX)
        g_ptr_array_add(list, g_bytes_ref(der));
}

static GPtrArray *
dup_list(GPtrArray *list)
{
    GPtrArray *copy = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    for (guint i = 0; list && i < list->len; i++)
        add(copy, list->pdata[i]);
    return copy;
}

/* By name: what is not the right one of two is no harm, both were believed. */
static gboolean
leads_to(GBytes *certificate, GBytes *anchor, gint64 now_s)
{
    g_autoptr(X509) below = signet_parse_certificate(certificate, NULL);
    g_autoptr(X509) above = signet_parse_certificate(anchor, NULL);

    return below && above &&
           X509_NAME_cmp(X509_get_issuer_name(below), X509_get_subject_name(above)) == 0 &&
           signet_parse_time(X509_get0_notAfter(above)) > now_s;
}

GPtrArray *
signet_anchors_for_next(const SignetGeneration *current, GPtrArray *offered, gint64 now_s)
{
    GPtrArray *all = dup_list(offered);
    GBytes *top =
        current && current->chain->len > 0 ? current->chain->pdata[current->chain->len - 1] : NULL;

    for (guint i = 0; top && i < current->anchors->len; i++) {
        if (leads_to(top, current->anchors->pdata[i], now_s))
            add(all, current->anchors->pdata[i]);
    }
    return all;
}

GPtrArray *
signet_anchors_for_current(const SignetGeneration *current, GPtrArray *offered)
{
    g_autoptr(GPtrArray) all = dup_list(current->anchors);
    guint before = all->len;

    for (guint i = 0; offered && i < offered->len; i++)
        add(all, offered->pdata[i]);
    return all->len > before ? g_steal_pointer(&all) : NULL;
}

GBytes *
signet_anchors_dup_learned(const SignetGeneration *current)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    for (guint i = 0; current && i < current->anchors->len; i++)
        add(all, current->anchors->pdata[i]);
    for (guint i = 1; current && i < current->chain->len; i++)
        add(all, current->chain->pdata[i]);
    for (guint i = 0; i < all->len; i++) {
        gsize size = 0;
        const guint8 *data = g_bytes_get_data(all->pdata[i], &size);

        g_byte_array_append(bytes, data, (guint)size);
    }
    return bytes->len > 0 ? g_byte_array_free_to_bytes(g_steal_pointer(&bytes)) : NULL;
}
