/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the keys of one [Rotation NAME] have to do with each other. */

#include <string.h>

#include "policy/canary.h"
#include "policy/draft.h"

#define PREFIX "Rotation "

static gboolean
is_radius(const SignetRotationProfile *profile)
{
    g_auto(SignetCanary) peer = {0};

    return profile->canary && signet_canary_parse(profile->canary, &peer) &&
           peer.kind == SIGNET_CANARY_RADIUS;
}

static gboolean
is_tls(const SignetRotationProfile *profile)
{
    g_auto(SignetCanary) peer = {0};

    return profile->canary && signet_canary_parse(profile->canary, &peer) &&
           peer.kind != SIGNET_CANARY_CONNECT;
}

static void
check_canary(SignetPolicyDraft *draft, const SignetEntry *entry,
             const SignetRotationProfile *profile)
{
    if (is_radius(profile) && !profile->canary_secret_file && !profile->canary_secret_credential)
        signet_problems_add(&draft->problems, &entry->place,
                            "; add CanarySecretFile= or CanarySecretCredential=",
                            "a RADIUS server does not talk without a shared secret");
}

/* The key that stands in the entry, beside others. */
static void
check_key(SignetPolicyDraft *draft, const SignetEntry *entry, const SignetRotationProfile *profile)
{
    static const char *const radius_keys[] = {"CanarySecretFile", "CanarySecretCredential",
                                              "CanaryUser", NULL};
    const char *key = entry->place.key;

    if (g_str_equal(key, "RetryMax") && profile->retry_max_s != SIGNET_AUTO &&
        profile->retry_max_s < profile->retry_first_s)
        signet_problems_add(&draft->problems, &entry->place, NULL,
                            "'RetryMax' is shorter than 'RetryFirst'");
    if (g_str_equal(key, "Canary"))
        check_canary(draft, entry, profile);
    if (g_strv_contains(radius_keys, key) && !is_radius(profile))
        signet_problems_add(&draft->problems, &entry->place, "; write Canary=radius:HOST",
                            "'%s' without a RADIUS server", key);
    if (g_str_equal(key, "CanaryTrust") && !is_tls(profile))
        signet_problems_add(&draft->problems, &entry->place, NULL,
                            "'CanaryTrust' without a peer in Canary= that has a certificate");
    if (g_str_equal(key, "CanarySecretCredential") && profile->canary_secret_file)
        signet_problems_add(&draft->problems, &entry->place, "; keep one of them",
                            "'CanarySecretCredential' beside 'CanarySecretFile'");
}

void
signet_policy_draft_check_profiles(SignetPolicyDraft *draft)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, draft->set_by);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const SignetEntry *entry = value;
        const char *name = g_str_has_prefix(entry->place.group, PREFIX)
                               ? entry->place.group + strlen(PREFIX)
                               : NULL;
        const SignetRotationProfile *profile =
            name ? signet_policy_get_profile(draft->policy, name) : NULL;

        if (profile)
            check_key(draft, entry, profile);
    }
}
