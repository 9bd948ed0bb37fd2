/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An identity's state in words: why, who has to act, what happens next, and until when. */

#include "agent/rotate/engine.h"
#include "agent/rotate/private.h"
#include "agent/rotate/rules.h"
#include "agent/rotate/status-watch.h"
#include "policy/words.h"

/* So many failures in a row are not called the agent's own business any more. */
#define PATIENCE_ATTEMPTS 3
#define FAILS             "the attempt counts as failed, and is made again"

static const SignetWord responsibles[] = {
#define R(symbol, name) {SIGNET_RESPONSIBLE_##symbol, name},
    SIGNET_RESPONSIBLES(R)
#undef R
};

static const char *
responsible_name(SignetResponsible responsible)
{
    return signet_words_name(responsibles, G_N_ELEMENTS(responsibles), responsible);
}

/* --- what happens next --- */

static const char *
name_next(SignetMachineState state)
{
    switch (state) {
    case SIGNET_MACHINE_ABSENT:
        return "enrol";
    case SIGNET_MACHINE_ACTIVE:
        return "renew";
    case SIGNET_MACHINE_FAILED:
    case SIGNET_MACHINE_WAITING_TOKEN:
        return "retry";
    case SIGNET_MACHINE_PENDING_CA:
        return "ask the CA again";
    case SIGNET_MACHINE_WAITING_CA:
        return "enrol when the CA is there";
    case SIGNET_MACHINE_BLOCKED:
        return "go on when the policy is corrected";
    case SIGNET_MACHINE_KEYGEN:
        return "ask the CA";
    case SIGNET_MACHINE_ENROLLING:
        return "check the answer";
    case SIGNET_MACHINE_VERIFYING:
        return "try the certificate, and make it current";
    case SIGNET_MACHINE_CANARY:
        return "make the certificate current";
    case SIGNET_MACHINE_PROMOTING:
        return "tell the programs";
    case SIGNET_MACHINE_ROLLING_BACK:
        return "make another one later";
    }
    return NULL;
}

/* A renewal in a month is not what happens next when an old generation goes tomorrow. */
static void
describe_next(SignetEntry *entry, SignetIdentityStatus *status)
{
    const SignetMachine *machine = &entry->machine;
    SignetMachineInput input = signet_entry_input(entry);
    gint64 now_s = signet_clock_now(entry->engine->context.clock);
    SignetMachineDeadlines deadlines = signet_machine_deadlines(machine, &input, now_s);
    gint64 begin_s = deadlines.begin_s == SIGNET_NEVER ? 0 : deadlines.begin_s;

    status->next = signet_rules_is_clock_set(&input, now_s) ? name_next(machine->state)
                                                            : "go on when the clock is set";
    status->next_s = begin_s;
    if (machine->state != SIGNET_MACHINE_ACTIVE || deadlines.retire_number == 0 ||
        deadlines.tick_s > begin_s)
        return;
    g_snprintf(entry->next_text, sizeof(entry->next_text), "retire generation %u",
               deadlines.retire_number);
    status->next = entry->next_text;
    status->next_s = deadlines.tick_s;
}

/* --- why --- */

static const char *
describe_active(const SignetMachine *machine, gint64 now_s)
{
    if (signet_machine_is_revoked(machine))
        return "its certificate is revoked";
    if (signet_rules_is_not_valid_yet(machine, now_s))
        return "its certificate is not valid yet";
    if (machine->facts.not_after_s <= now_s)
        return machine->facts.own_end_s > now_s ? "a certificate above its own has expired"
                                                : "its certificate has expired";
    return machine->facts.own_end_s
               ? "its certificate is valid, but one above it ends before it does; the CA is asked "
                 "again until it has an issuer that lasts longer"
               : "its certificate is valid, and not yet due for renewal";
}

/* Where nothing is wrong. */
static void
describe_state(SignetEntry *entry, gint64 now_s)
{
    const SignetMachine *machine = &entry->machine;
    const SignetIdentityPolicy *policy = entry->policy;
    char *text = entry->why_text;
    const gsize size = sizeof(entry->why_text);

    switch (machine->state) {
    case SIGNET_MACHINE_ABSENT:
        g_strlcpy(text, "it is new, and has no certificate yet", size);
        break;
    case SIGNET_MACHINE_WAITING_TOKEN:
        g_snprintf(text, size, "token '%s' is not there", policy->token);
        break;
    case SIGNET_MACHINE_WAITING_CA:
        g_snprintf(text, size, "CA '%s' has no certificate yet itself", policy->ca);
        break;
    case SIGNET_MACHINE_KEYGEN:
        g_snprintf(text, size, "token '%s' makes a new key", policy->token);
        break;
    case SIGNET_MACHINE_ENROLLING:
        g_snprintf(text, size, "CA '%s' is asked for a certificate", policy->ca);
        break;
    case SIGNET_MACHINE_PENDING_CA:
        g_snprintf(text, size, "CA '%s' has not decided yet", policy->ca);
        break;
    case SIGNET_MACHINE_VERIFYING:
        g_snprintf(text, size, "the certificate of CA '%s' is checked", policy->ca);
        break;
    case SIGNET_MACHINE_CANARY:
        g_strlcpy(text, "a peer is shown the new certificate first (Canary=)", size);
        break;
    case SIGNET_MACHINE_PROMOTING:
        g_strlcpy(text, "the new certificate is given to the programs", size);
        break;
    case SIGNET_MACHINE_ROLLING_BACK:
        g_strlcpy(text, "the generation before is made current again", size);
        break;
    case SIGNET_MACHINE_ACTIVE:
        g_strlcpy(text, describe_active(machine, now_s), size);
        break;
    case SIGNET_MACHINE_FAILED:
        g_strlcpy(text, "the last attempt failed", size);
        break;
    case SIGNET_MACHINE_BLOCKED:
        g_strlcpy(text, "the policy cannot be served", size);
        break;
    }
}

/* --- who has to act --- */

static gboolean
is_carried(const SignetEntry *entry)
{
    const SignetCaProfile *ca = signet_entry_get_ca(entry);

    return ca && ca->kind == SIGNET_CA_MANUAL;
}

/* What failed once goes on by itself; what fails again and again, or while little time is left,
 * should be looked at. */
static SignetResponsible
find_responsible_for_failure(SignetEntry *entry, gint64 now_s)
{
    const SignetMachine *machine = &entry->machine;
    SignetMachineInput input = signet_entry_input(entry);
    gboolean is_late = machine->current && now_s >= signet_rules_critical_at(machine, &input);

    return is_late || machine->attempt >= PATIENCE_ATTEMPTS ? SIGNET_RESPONSIBLE_ADMINISTRATOR
                                                            : SIGNET_RESPONSIBLE_AGENT;
}

static SignetResponsible
find_responsible(SignetEntry *entry, gint64 now_s)
{
    switch (entry->machine.state) {
    case SIGNET_MACHINE_WAITING_TOKEN:
        return SIGNET_RESPONSIBLE_PERSON;
    case SIGNET_MACHINE_PENDING_CA:
        return is_carried(entry) ? SIGNET_RESPONSIBLE_ADMINISTRATOR : SIGNET_RESPONSIBLE_CA;
    case SIGNET_MACHINE_BLOCKED:
        return SIGNET_RESPONSIBLE_ADMINISTRATOR;
    case SIGNET_MACHINE_FAILED:
        return find_responsible_for_failure(entry, now_s);
    case SIGNET_MACHINE_ABSENT:
    case SIGNET_MACHINE_WAITING_CA:
    case SIGNET_MACHINE_KEYGEN:
    case SIGNET_MACHINE_ENROLLING:
    case SIGNET_MACHINE_VERIFYING:
    case SIGNET_MACHINE_CANARY:
    case SIGNET_MACHINE_PROMOTING:
    case SIGNET_MACHINE_ROLLING_BACK:
    case SIGNET_MACHINE_ACTIVE:
        break;
    }
    return SIGNET_RESPONSIBLE_AGENT;
}

/* --- until when --- */

static void
set_deadline(SignetIdentityStatus *status, gint64 deadline_s, const char *words)
{
    if (status->deadline_s && status->deadline_s <= deadline_s)
        return;
    status->deadline_s = deadline_s;
    status->deadline = words;
}

static gint64
get_enrol_time(const SignetEntry *entry)
{
    const SignetCaProfile *ca = signet_entry_get_ca(entry);

    return ca && ca->kind != SIGNET_CA_LOCAL && !entry->policy->is_ca && ca->remote.timeout_s
               ? ca->remote.timeout_s + SIGNET_ENROLL_GRACE_S
               : SIGNET_ENROLL_TIMEOUT_S;
}

/* The certificate's end, or what ends before. */
static void
describe_deadline(const SignetEntry *entry, SignetIdentityStatus *status)
{
    const SignetMachine *machine = &entry->machine;
    SignetMachineInput input = signet_entry_input(entry);

    status->deadline = "programs have no certificate until then";
    if (machine->current)
        set_deadline(status, machine->facts.not_after_s,
                     machine->facts.own_end_s ? "a certificate above the one in use expires"
                                              : "the certificate in use expires");
    switch (machine->state) {
    case SIGNET_MACHINE_PENDING_CA:
        set_deadline(status, machine->pending_since_s + input.rotation->pending_timeout_s,
                     "the request is given up, and made anew");
        break;
    case SIGNET_MACHINE_KEYGEN:
        set_deadline(status, machine->since_s + SIGNET_ENTRY_KEYGEN_S, FAILS);
        break;
    case SIGNET_MACHINE_ENROLLING:
        set_deadline(status, machine->since_s + get_enrol_time(entry), FAILS);
        break;
    case SIGNET_MACHINE_CANARY:
        set_deadline(status, machine->since_s + SIGNET_ENTRY_CANARY_S + SIGNET_ENROLL_GRACE_S,
                     FAILS);
        break;
    case SIGNET_MACHINE_ABSENT:
    case SIGNET_MACHINE_WAITING_TOKEN:
    case SIGNET_MACHINE_WAITING_CA:
    case SIGNET_MACHINE_VERIFYING:
    case SIGNET_MACHINE_PROMOTING:
    case SIGNET_MACHINE_ROLLING_BACK:
    case SIGNET_MACHINE_ACTIVE:
    case SIGNET_MACHINE_FAILED:
    case SIGNET_MACHINE_BLOCKED:
        break;
    }
}

/* --- all of it --- */

static void
describe(SignetEntry *entry, SignetIdentityStatus *status)
{
    gint64 now_s = signet_clock_now(entry->engine->context.clock);
    SignetMachineInput input = signet_entry_input(entry);
    const char *code = signet_entry_get_device_code(entry);

    describe_next(entry, status);
    describe_state(entry, now_s);
    describe_deadline(entry, status);
    status->why = status->cause ? status->cause : entry->why_text;
    status->responsible = responsible_name(signet_rules_is_clock_set(&input, now_s)
                                               ? find_responsible(entry, now_s)
                                               : SIGNET_RESPONSIBLE_ADMINISTRATOR);
    status->device_code = *code ? code : NULL;
    if (entry->machine.current)
        signet_entry_describe_watch(entry, status);
}

/* Its files cannot be read: only a person can do something about it. */
static void
describe_problem(const SignetEntry *entry, SignetIdentityStatus *status)
{
    status->state = signet_machine_state_name(SIGNET_MACHINE_FAILED);
    status->cause = status->why = entry->problem;
    status->responsible = responsible_name(SIGNET_RESPONSIBLE_ADMINISTRATOR);
    status->next = "go on after a restart of the agent, when it has been repaired";
    status->deadline = "programs have no certificate until then";
    if (status->current)
        set_deadline(status, status->not_after_s, "the certificate in use expires");
}

gboolean
signet_engine_get_status(SignetEngine *engine, const char *identity,
                         SignetIdentityStatus *ret_status)
{
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    const SignetMachine *machine;

    if (!entry)
        return FALSE;
    machine = &entry->machine;
    *ret_status = (SignetIdentityStatus) {
        .state = signet_machine_state_name(machine->state),
        .cause = machine->cause[0] != '\0' ? machine->cause : NULL,
        .since_s = machine->since_s,
        .attempt = machine->attempt,
        .current = machine->current,
        .pending = machine->pending,
        .not_after_s = machine->current ? machine->facts.not_after_s : 0,
    };
    if (entry->problem)
        describe_problem(entry, ret_status);
    else
        describe(entry, ret_status);
    return TRUE;
}
