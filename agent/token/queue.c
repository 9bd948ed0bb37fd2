/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Round robin over clients that have something waiting. */

#include "agent/token/queue.h"

typedef struct SignetQueueClient {
    guint64 number; /* first: the hash table's key points here */
    GQueue items;
    GList turn; /* place in SignetQueue.turns */
} Client;

struct SignetQueue {
    guint limit;
    guint client_limit;
    guint length;
    GHashTable *clients; /* (owned) those with items, by number */
    GQueue turns;        /* the same ones, next in turn first */
    guint64 last;        /* who had the last turn; G_MAXUINT64: nobody */
};

SignetQueue *
signet_queue_new(guint limit, guint client_limit)
{
    SignetQueue *queue = g_new0(SignetQueue, 1);

    queue->limit = limit;
    queue->client_limit = client_limit;
    queue->last = G_MAXUINT64;
    queue->clients = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    g_queue_init(&queue->turns);
    return queue;
}

void
signet_queue_free(SignetQueue *queue)
{
    g_hash_table_unref(queue->clients);
    g_free(queue);
}

/* Who comes while another's request runs goes before that one, not behind its next request. */
static Client *
client_new(SignetQueue *queue, guint64 number)
{
    Client *client = g_new0(Client, 1);
    const Client *tail = g_queue_peek_tail(&queue->turns);

    client->number = number;
    client->turn.data = client;
    g_queue_init(&client->items);
    g_hash_table_insert(queue->clients, &client->number, client);
    if (tail && tail->number == queue->last)
        g_queue_insert_before_link(&queue->turns, queue->turns.tail, &client->turn);
    else
        g_queue_push_tail_link(&queue->turns, &client->turn);
    return client;
}

SignetQueueVerdict
signet_queue_push(SignetQueue *queue, SignetQueueItem *item)
{
    Client *client = g_hash_table_lookup(queue->clients, &item->client);

    if (queue->length >= queue->limit)
        return SIGNET_QUEUE_FULL;
    if (client && g_queue_get_length(&client->items) >= queue->client_limit)
        return SIGNET_QUEUE_CLIENT_FULL;

    if (!client)
        client = client_new(queue, item->client);
    item->owner = client;
    item->link = (GList) {.data = item};
    g_queue_push_tail_link(&client->items, &item->link);
    queue->length++;
    return SIGNET_QUEUE_ADDED;
}

void
signet_queue_put_back(SignetQueue *queue, SignetQueueItem *item)
{
    Client *client = g_hash_table_lookup(queue->clients, &item->client);

    if (!client)
        client = client_new(queue, item->client);
    item->owner = client;
    item->link = (GList) {.data = item};
    g_queue_push_head_link(&client->items, &item->link);
    g_queue_unlink(&queue->turns, &client->turn);
    g_queue_push_head_link(&queue->turns, &client->turn);
    queue->length++;
}

gboolean
signet_queue_remove(SignetQueue *queue, SignetQueueItem *item)
{
    Client *client = item->owner;

    if (!client)
        return FALSE;
    g_queue_unlink(&client->items, &item->link);
    item->owner = NULL;
    queue->length--;
    if (g_queue_is_empty(&client->items)) {
        g_queue_unlink(&queue->turns, &client->turn);
        g_hash_table_remove(queue->clients, &client->number);
    }
    return TRUE;
}

SignetQueueItem *
signet_queue_pop(SignetQueue *queue)
{
    Client *client = g_queue_peek_head(&queue->turns);
    SignetQueueItem *item;

    if (!client)
        return NULL;
    g_queue_unlink(&queue->turns, &client->turn);
    g_queue_push_tail_link(&queue->turns, &client->turn);
    queue->last = client->number;
    item = g_queue_peek_head(&client->items);
    signet_queue_remove(queue, item);
    return item;
}

guint
signet_queue_get_length(const SignetQueue *queue)
{
    return queue->length;
}
