/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the agent holds, in memory. */

#include "agent/store/inventory.h"

#include <string.h>

#define SAVED_HEADER "signet-users 1\n"

typedef struct {
    SignetGeneration *generation; /* (owned) */
    GArray *users;                /* (owned) of SignetUser, in no order */
} Slot;

typedef struct {
    GPtrArray *slots; /* (owned) of Slot, ascending by number */
    guint32 current;
    guint32 barred;
    gboolean has_changed_users;
} Item;

struct SignetInventory {
    GHashTable *items; /* (owned) name (owned) → Item (owned) */
};

static void
slot_free(gpointer data)
{
    Slot *slot = data;

    signet_generation_unref(slot->generation);
    g_array_unref(slot->users);
    g_free(slot);
}

static void
item_free(gpointer data)
{
    Item *item = data;

    g_ptr_array_unref(item->slots);
    g_free(item);
}

static Item *
find_item(const SignetInventory *inventory, const char *identity)
{
    return g_hash_table_lookup(inventory->items, identity);
}

static Slot *
find_slot(const Item *item, guint32 number)
{
    for (guint i = 0; item && i < item->slots->len; i++) {
        Slot *slot = item->slots->pdata[i];

        if (slot->generation->number == number)
            return slot;
    }
    return NULL;
}

const char *
signet_generation_state_name(SignetGenerationState state)
{
    switch (state) {
    case SIGNET_GENERATION_PENDING:
        return "pending";
    case SIGNET_GENERATION_CURRENT:
        return "current";
    case SIGNET_GENERATION_RETIRED:
        return "retired";
    }
    return "unknown";
}

SignetInventory *
signet_inventory_new(void)
{
    SignetInventory *inventory = g_new0(SignetInventory, 1);

    inventory->items = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, item_free);
    return inventory;
}

void
signet_inventory_free(SignetInventory *inventory)
{
    if (!inventory)
        return;
    g_hash_table_unref(inventory->items);
    g_free(inventory);
}

static Item *
ensure_item(SignetInventory *inventory, const char *identity)
{
    Item *item = find_item(inventory, identity);

    if (item)
        return item;
    item = g_new0(Item, 1);
    item->slots = g_ptr_array_new_with_free_func(slot_free);
    g_hash_table_insert(inventory->items, g_strdup(identity), item);
    return item;
}

void
signet_inventory_put(SignetInventory *inventory, const char *identity, SignetGeneration *generation)
{
    Item *item = ensure_item(inventory, identity);
    Slot *slot = find_slot(item, generation->number);
    guint place = 0;

    if (slot) {
        signet_generation_ref(generation);
        signet_generation_unref(slot->generation);
        slot->generation = generation;
        return;
    }
    while (place < item->slots->len &&
           ((Slot *)item->slots->pdata[place])->generation->number < generation->number)
        place++;
    slot = g_new0(Slot, 1);
    slot->generation = signet_generation_ref(generation);
    slot->users = g_array_new(FALSE, TRUE, sizeof(SignetUser));
    g_ptr_array_insert(item->slots, (gint)place, slot);
}

void
signet_inventory_bar(SignetInventory *inventory, const char *identity, guint32 number)
{
    Item *item = find_item(inventory, identity);

    if (item)
        item->barred = number;
}

gboolean
signet_inventory_is_barred(const SignetInventory *inventory, const char *identity, guint32 number)
{
    const Item *item = find_item(inventory, identity);

    return item && number <= item->barred;
}

void
signet_inventory_set_current(SignetInventory *inventory, const char *identity, guint32 number)
{
    Item *item = find_item(inventory, identity);

    if (item)
        item->current = number;
}

void
signet_inventory_remove(SignetInventory *inventory, const char *identity, guint32 number)
{
    Item *item = find_item(inventory, identity);
    Slot *slot = find_slot(item, number);

    if (!slot)
        return;
    g_ptr_array_remove(item->slots, slot);
    if (item->current == number)
        item->current = 0;
    if (item->slots->len == 0)
        g_hash_table_remove(inventory->items, identity);
}

SignetGeneration *
signet_inventory_get(const SignetInventory *inventory, const char *identity, guint32 number)
{
    const Item *item = find_item(inventory, identity);
    const Slot *slot = item ? find_slot(item, number != 0 ? number : item->current) : NULL;

    return slot ? slot->generation : NULL;
}

static gboolean
has_spki(const Slot *slot, const guint8 *spki, gsize size)
{
    gsize own_size;
    gconstpointer own = g_bytes_get_data(slot->generation->key->spki, &own_size);

    return own_size == size && memcmp(own, spki, size) == 0;
}

SignetGeneration *
signet_inventory_find_spki(const SignetInventory *inventory, const char *identity,
                           const guint8 *spki, gsize size)
{
    const Item *item = find_item(inventory, identity);
    const Slot *current = item ? find_slot(item, item->current) : NULL;

    if (!item || size == 0)
        return NULL;
    /* a renewal with the same key has several: the current one is what is meant */
    if (current && has_spki(current, spki, size))
        return current->generation;
    for (guint i = item->slots->len; i > 0; i--) {
        const Slot *slot = item->slots->pdata[i - 1];

        if (has_spki(slot, spki, size))
            return slot->generation;
    }
    return NULL;
}

SignetGenerationState
signet_inventory_get_state(const SignetInventory *inventory, const char *identity, guint32 number)
{
    const Item *item = find_item(inventory, identity);
    guint32 current = item ? item->current : 0;

    if (number > current)
        return SIGNET_GENERATION_PENDING;
    return number == current ? SIGNET_GENERATION_CURRENT : SIGNET_GENERATION_RETIRED;
}

GPtrArray *
signet_inventory_list(const SignetInventory *inventory, const char *identity)
{
    const Item *item = find_item(inventory, identity);
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; item && i < item->slots->len; i++)
        g_ptr_array_add(list, ((Slot *)item->slots->pdata[i])->generation);
    return list;
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted; only_changed also forgets that they changed. */
static char **
list_names(const SignetInventory *inventory, gboolean only_changed)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name, value;

    g_hash_table_iter_init(&iter, inventory->items);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        Item *item = value;

        if (only_changed && !item->has_changed_users)
            continue;
        if (only_changed)
            item->has_changed_users = FALSE;
        g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

char **
signet_inventory_list_identities(const SignetInventory *inventory)
{
    return list_names(inventory, FALSE);
}

/* --- users --- */

/* Whatever a process calls itself is shown to people and saved in lines. */
static void
copy_program(char out[16], const char *program)
{
    g_strlcpy(out, program, 16);
    for (char *p = out; *p; p++) {
        if (!g_ascii_isprint(*p))
            *p = '?';
    }
    if (*out == '\0')
        g_strlcpy(out, "?", 16);
}

static SignetUser *
find_user(Slot *slot, guint32 uid, const char *program)
{
    for (guint i = 0; i < slot->users->len; i++) {
        SignetUser *user = &g_array_index(slot->users, SignetUser, i);

        if (user->uid == uid && g_str_equal(user->program, program))
            return user;
    }
    return NULL;
}

/* A new place, or that of the least recent one. */
static SignetUser *
add_user(Slot *slot)
{
    guint oldest = 0;

    if (slot->users->len < SIGNET_USERS_MAX) {
        g_array_set_size(slot->users, slot->users->len + 1);
        return &g_array_index(slot->users, SignetUser, slot->users->len - 1);
    }
    for (guint i = 1; i < slot->users->len; i++) {
        if (g_array_index(slot->users, SignetUser, i).last_s <
            g_array_index(slot->users, SignetUser, oldest).last_s)
            oldest = i;
    }
    return &g_array_index(slot->users, SignetUser, oldest);
}

static void
put_user(Slot *slot, const SignetUser *user)
{
    SignetUser *place = find_user(slot, user->uid, user->program);

    *(place ? place : add_user(slot)) = *user;
}

void
signet_inventory_note_use(SignetInventory *inventory, const char *identity, guint32 number,
                          guint32 uid, const char *program, gint64 now_s)
{
    Item *item = find_item(inventory, identity);
    Slot *slot = find_slot(item, number);
    SignetUser user = {.uid = uid, .count = 1, .last_s = now_s};

    if (!slot)
        return;
    copy_program(user.program, program);
    const SignetUser *known = find_user(slot, uid, user.program);
    if (known)
        user.count = known->count + 1;
    put_user(slot, &user);
    item->has_changed_users = TRUE;
}

static gint
compare_users(gconstpointer a, gconstpointer b)
{
    const SignetUser *x = a, *y = b;

    return (y->last_s > x->last_s) - (y->last_s < x->last_s);
}

GArray *
signet_inventory_list_users(const SignetInventory *inventory, const char *identity, guint32 number)
{
    const Slot *slot = find_slot(find_item(inventory, identity), number);
    GArray *users = slot ? g_array_copy(slot->users) : g_array_new(FALSE, TRUE, sizeof(SignetUser));

    g_array_sort(users, compare_users);
    return users;
}

GBytes *
signet_inventory_save_users(const SignetInventory *inventory, const char *identity)
{
    const Item *item = find_item(inventory, identity);
    GString *text = g_string_new(SAVED_HEADER);

    for (guint i = 0; item && i < item->slots->len; i++) {
        const Slot *slot = item->slots->pdata[i];

        for (guint j = 0; j < slot->users->len; j++) {
            const SignetUser *user = &g_array_index(slot->users, SignetUser, j);

            g_string_append_printf(text, "%u %u %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %s\n",
                                   slot->generation->number, user->uid, user->count, user->last_s,
                                   user->program);
        }
    }
    return g_string_free_to_bytes(text);
}

typedef struct {
    guint32 number;
    SignetUser user;
} SavedUser;

static gboolean
parse_line(const char *line, SavedUser *ret_saved)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 5);
    guint64 number, uid, count;
    gint64 last_s;

    if (g_strv_length(words) != 5 ||
        !g_ascii_string_to_unsigned(words[0], 10, 1, G_MAXUINT32, &number, NULL) ||
        !g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXUINT32, &uid, NULL) ||
        !g_ascii_string_to_unsigned(words[2], 10, 1, G_MAXUINT64, &count, NULL) ||
        !g_ascii_string_to_signed(words[3], 10, G_MININT64, G_MAXINT64, &last_s, NULL) ||
        strlen(words[4]) >= sizeof(ret_saved->user.program))
        return FALSE;
    *ret_saved =
        (SavedUser) {(guint32)number, {.uid = (guint32)uid, .count = count, .last_s = last_s}};
    copy_program(ret_saved->user.program, words[4]);
    return TRUE;
}

static GArray *
parse_saved(GBytes *saved)
{
    gsize size;
    const char *data = g_bytes_get_data(saved, &size);
    g_autofree char *text = g_strndup(data, size);
    g_autoptr(GArray) users = g_array_new(FALSE, TRUE, sizeof(SavedUser));
    SavedUser user;

    if (strlen(text) != size || !g_str_has_prefix(text, SAVED_HEADER))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text + strlen(SAVED_HEADER), "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        /* the end of the last line */
        if (*lines[i] == '\0' && !lines[i + 1])
            continue;
        if (!parse_line(lines[i], &user))
            return NULL;
        g_array_append_val(users, user);
    }
    return g_steal_pointer(&users);
}

void
signet_inventory_restore_users(SignetInventory *inventory, const char *identity, GBytes *saved)
{
    const Item *item = find_item(inventory, identity);
    g_autoptr(GArray) users = item ? parse_saved(saved) : NULL;

    for (guint i = 0; users && i < users->len; i++) {
        const SavedUser *user = &g_array_index(users, SavedUser, i);
        Slot *slot = find_slot(item, user->number);

        if (slot)
            put_user(slot, &user->user);
    }
}

char **
signet_inventory_steal_changed_users(SignetInventory *inventory)
{
    return list_names(inventory, TRUE);
}
