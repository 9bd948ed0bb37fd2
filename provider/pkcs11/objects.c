/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Cryptoki's functions on objects: finding them and reading their attributes. */

#include <stdlib.h>
#include <string.h>

#include "provider/pkcs11/agent.h"
#include "provider/pkcs11/state.h"

/* A search while it asks the agent. */
struct hunt {
    const CK_ATTRIBUTE *attributes; /* (unowned): the caller's */
    CK_ULONG count;
    CK_ULONG as_of; /* see signet_search_begin() */
    struct signet_search search;
    bool has_private_key;
};

static CK_RV
append(struct hunt *hunt, CK_OBJECT_HANDLE handle)
{
    struct signet_search *search = &hunt->search;
    CK_OBJECT_HANDLE *found = reallocarray(search->found, search->count + 1, sizeof(*found));
    if (found == NULL)
        return CKR_HOST_MEMORY;
    found[search->count++] = handle;
    search->found = found;
    return CKR_OK;
}

/* *ret_identity: NULL when there is none to be shown; *ret_base: see signet_state_recall(). */
static CK_RV
find(const struct hunt *hunt, struct signet_channel *channel, const char *name,
     struct signet_identity **ret_identity, CK_OBJECT_HANDLE *ret_base)
{
    struct signet_identity *current = NULL;
    CK_RV rv = signet_state_lock();
    if (rv != CKR_OK)
        return rv;
    *ret_identity = signet_state_recall(name, hunt->as_of, hunt->attributes, hunt->count, ret_base);
    signet_state_unlock();
    if (*ret_identity != NULL || (rv = signet_agent_look_up(channel, name, &current)) != CKR_OK ||
        current == NULL)
        return rv;
    rv = signet_state_lock();
    if (rv == CKR_OK) {
        CK_ULONG as_of = signet_state_remember(current);
        *ret_identity = signet_state_recall(name, as_of, hunt->attributes, hunt->count, ret_base);
        signet_state_unlock();
    }
    signet_identity_unref(current);
    return rv;
}

static CK_RV
add_identity(struct hunt *hunt, struct signet_channel *channel, const char *name)
{
    struct signet_object object = {0};
    CK_OBJECT_HANDLE base = 0;
    CK_RV rv = find(hunt, channel, name, &object.identity, &base);
    unsigned end =
        object.identity == NULL ? 0 : SIGNET_PART_CERTIFICATE + object.identity->certificate_count;
    for (object.part = SIGNET_PART_PRIVATE_KEY; object.part < end && rv == CKR_OK; object.part++) {
        if (!signet_object_matches(&object, hunt->attributes, hunt->count))
            continue;
        hunt->has_private_key |= object.part == SIGNET_PART_PRIVATE_KEY;
        rv = append(hunt, base | object.part);
    }
    signet_identity_unref(object.identity);
    return rv;
}

static CK_RV
add_secrets(struct hunt *hunt)
{
    CK_RV rv = signet_state_lock();
    if (rv != CKR_OK)
        return rv;
    for (CK_OBJECT_HANDLE handle = signet_secret_next(0); handle != 0 && rv == CKR_OK;
         handle = signet_secret_next(handle)) {
        struct signet_object object;
        if (!signet_state_find(handle, &object)) {
            rv = CKR_HOST_MEMORY;
            break;
        }
        if (signet_object_matches(&object, hunt->attributes, hunt->count))
            rv = append(hunt, handle);
        signet_object_release(&object);
    }
    signet_state_unlock();
    return rv;
}

static CK_RV
search(struct hunt *hunt)
{
    CK_RV rv = add_secrets(hunt);
    struct signet_channel *channel = signet_state_channel();
    if (rv != CKR_OK || channel == NULL ||
        signet_class_of(hunt->attributes, hunt->count) == CKO_DATA)
        return rv;
    signet_events_begin(channel);
    struct signet_name *names = NULL;
    size_t count = 0;
    rv = signet_agent_list(channel, &names, &count);
    for (size_t i = 0; i < count && rv == CKR_OK; i++) {
        if (signet_name_may_match(names[i].text, hunt->attributes, hunt->count))
            rv = add_identity(hunt, channel, names[i].text);
    }
    free(names);
    struct signet_channel_failure failure;
    if (rv == CKR_OK && hunt->has_private_key)
        /* a failure only concerns children without a path, and shows there */
        signet_channel_prepare(channel, &failure);
    return rv;
}

static CK_RV
check_template(const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    if (attributes == NULL && count > 0)
        return CKR_ARGUMENTS_BAD;
    for (CK_ULONG i = 0; i < count; i++)
        if (attributes[i].pValue == NULL && attributes[i].ulValueLen > 0)
            return CKR_ATTRIBUTE_VALUE_INVALID;
    return CKR_OK;
}

CK_RV
C_FindObjectsInit(CK_SESSION_HANDLE handle, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct hunt hunt = {.attributes = attributes, .count = count};
    struct signet_session *session;
    CK_RV rv = check_template(attributes, count);
    if (rv != CKR_OK || (rv = signet_session_lock(handle, &session)) != CKR_OK)
        return rv;
    rv = session->search.is_active ? CKR_OPERATION_ACTIVE : CKR_OK;
    session->search.is_active = true; /* keeps other threads out of this session meanwhile */
    if (rv == CKR_OK)
        hunt.as_of = signet_search_begin(signet_class_of(attributes, count));
    signet_state_unlock();
    if (rv != CKR_OK)
        return rv;

    rv = search(&hunt);
    CK_RV rv_session = signet_session_lock(handle, &session);
    if (rv_session != CKR_OK) { /* closed meanwhile */
        signet_search_clear(&hunt.search);
        return rv_session;
    }
    if (rv != CKR_OK)
        signet_search_clear(&hunt.search);
    else
        hunt.search.is_active = true;
    session->search = hunt.search;
    signet_state_unlock();
    return rv;
}

CK_RV
C_FindObjects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count)
{
    struct signet_session *session;
    if (objects == NULL || count == NULL)
        return CKR_ARGUMENTS_BAD;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    struct signet_search *from = &session->search;
    for (*count = 0; *count < max && from->next < from->count; (*count)++)
        objects[*count] = from->found[from->next++];
    rv = from->is_active ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
    signet_state_unlock();
    return rv;
}

CK_RV
C_FindObjectsFinal(CK_SESSION_HANDLE handle)
{
    struct signet_session *session;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    rv = session->search.is_active ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
    signet_search_clear(&session->search);
    signet_state_unlock();
    return rv;
}

CK_RV
C_GetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes,
                    CK_ULONG count)
{
    struct signet_session *session;
    struct signet_object found;
    if (attributes == NULL && count > 0)
        return CKR_ARGUMENTS_BAD;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    bool is_there = signet_state_find(object, &found);
    signet_state_unlock();
    rv = is_there ? signet_object_read(&found, attributes, count) : CKR_OBJECT_HANDLE_INVALID;
    signet_object_release(&found);
    return rv;
}

CK_RV
C_DestroyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object)
{
    struct signet_session *session;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    rv = signet_secret_destroy(object);
    signet_state_unlock();
    return rv;
}
