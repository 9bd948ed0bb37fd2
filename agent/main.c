/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetd: the composition root, the only file that knows all parts. */

#include <errno.h>
#include <glib-unix.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/broker/attester.h"
#include "agent/broker/broker.h"
#include "agent/bus-link.h"
#include "agent/config.h"
#include "agent/door/door.h"
#include "agent/enroll/enroll.h"
#include "agent/pin-record.h"
#include "agent/policy-record.h"
#include "agent/facts.h"
#include "agent/report.h"
#include "agent/rotate/engine.h"
#include "agent/service.h"

/* sysexits.h: the service manager shall not start us again before somebody mends it. */
#define EXIT_CONFIG 78
#define HANGING_MS  3000

/* What a throw-away key that is still on a token may cost us at the end. */
#define STOP_TIMEOUT_S 5

typedef struct {
    char *config_dir;
    char *state_dir;
    char *socket;
    char *bus_address;
    char *enroll_program;
    char *enroll_socket;
    char *module_program;
    char *provider;
    gboolean no_bus;
    gboolean check_config;
    gboolean version;
} Options;

typedef struct {
    const Options *options;
    GMainLoop *loop;
    SignetPolicy *policy;
    GPtrArray *mistakes; /* (nullable) of char *: why the policy files are not the one in force */
    SignetStore *store;
    SignetInventory *inventory;
    SignetPinAttempts *attempts;
    SignetTokens *tokens;
    SignetFactsKeeper *facts;
    SignetAttester *attester;
    SignetBroker *broker;
    SignetDoor *door;
    SignetEnroll *enroll;
    SignetEngine *engine;
    SignetBusLink *bus; /* (nullable) */
    char *own_socket;   /* (nullable) to be removed at the end */
    int clock_fd;
} Agent;

/* --- policy --- */

/* What wants a PIN says so before somebody needs it; and what has to prove something is asked. */
static void
probe_tokens(Agent *agent)
{
    const GPtrArray *configs = signet_policy_get_tokens(agent->policy);

    for (guint i = 0; i < configs->len; i++) {
        const SignetTokenConfig *config = g_ptr_array_index(configs, i);
        SignetToken *token = signet_tokens_get(agent->tokens, config->name);

        if ((config->kind == SIGNET_TOKEN_PKCS11 ||
             signet_policy_is_evidence_required(agent->policy)) &&
            signet_token_get_state(token) == SIGNET_TOKEN_STATE_UNKNOWN)
            signet_token_probe(token, NULL, NULL, NULL);
    }
}

static void
apply_policy(Agent *agent)
{
    signet_tokens_apply(agent->tokens, agent->policy);
    signet_facts_keeper_set_policy(agent->facts, agent->policy);
    probe_tokens(agent);
    signet_broker_set_policy(agent->broker, agent->policy);
    if (agent->door)
        signet_door_look_again(agent->door);
    if (agent->bus)
        signet_bus_link_set_policy(agent->bus, agent->policy);
}

static char *
join_problems(const GPtrArray *problems)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) lines = NULL;

    for (guint i = 0; i < problems->len; i++)
        g_strv_builder_add(builder, problems->pdata[i]);
    lines = g_strv_builder_end(builder);
    return g_strjoinv("; ", lines);
}

/* For the status, until the files are good. Takes a reference. */
static void
set_mistakes(Agent *agent, GPtrArray *mistakes)
{
    g_clear_pointer(&agent->mistakes, g_ptr_array_unref);
    agent->mistakes = mistakes ? g_ptr_array_ref(mistakes) : NULL;
    if (agent->bus)
        signet_bus_link_look_again(agent->bus);
}

static const GPtrArray *
get_mistakes(gpointer data)
{
    return ((Agent *)data)->mistakes;
}

/* A bad new policy never replaces the good one that runs. */
static gboolean
reload(gpointer data, GError **error)
{
    Agent *agent = data;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) known = signet_facts_keeper_list(agent->facts);
    g_autofree char *words = NULL;
    SignetPolicy *policy;

    signet_service_reloading();
    policy = signet_policy_record_read(agent->store, agent->options->config_dir, known, problems);
    set_mistakes(agent, policy ? NULL : problems);
    if (policy) {
        g_clear_pointer(&agent->policy, signet_policy_unref);
        agent->policy = policy;
        apply_policy(agent);
        signet_engine_set_policy(agent->engine, policy);
        signet_log(LOG_INFO, NULL, "policy read again: %u identities",
                   signet_policy_get_identities(policy)->len);
    } else {
        signet_report_problems(LOG_ERR, "policy", problems);
        signet_log(LOG_ERR, NULL, "the new policy has mistakes; the old one stays in force");
    }
    signet_service_ready();
    if (policy)
        return TRUE;
    words = join_problems(problems);
    return signet_error_set(error, SIGNET_ERROR_POLICY,
                            "the old policy stays in force, the new one has mistakes: %s", words);
}

/* --- events --- */

static gboolean
on_hangup(gpointer data)
{
    reload(data, NULL);
    return G_SOURCE_CONTINUE;
}

static gboolean
quit(gpointer data)
{
    g_main_loop_quit(((Agent *)data)->loop);
    return G_SOURCE_REMOVE;
}

static void
on_measurements_over(gpointer data)
{
    quit(data);
}

static gboolean
on_terminate(gpointer data)
{
    Agent *agent = data;

    g_timeout_add_seconds(STOP_TIMEOUT_S, quit, agent);
    signet_facts_keeper_stop(agent->facts, on_measurements_over, agent);
    return G_SOURCE_CONTINUE;
}

static void
on_engine(const char *identity, SignetEngineEvent event, guint32 generation, gpointer data)
{
    Agent *agent = data;

    signet_report_engine(agent->engine, identity, event, generation);
    signet_door_look_again(agent->door);
    if (agent->bus)
        signet_bus_link_on_engine(agent->bus, identity, event, generation);
}

static void
on_token(SignetToken *token, gpointer data)
{
    Agent *agent = data;

    signet_report_token(token);
    if (agent->engine)
        signet_engine_on_token(token, agent->engine);
    if (agent->bus)
        signet_bus_link_on_token(agent->bus, token);
    if (agent->facts)
        signet_facts_keeper_on_token(agent->facts, token);
}

static void
on_facts(SignetToken *token, gpointer data)
{
    Agent *agent = data;

    if (agent->engine)
        signet_engine_on_facts(agent->engine);
    if (agent->bus)
        signet_bus_link_on_token(agent->bus, token);
}

static gboolean
measure(const char *token, gpointer data, GError **error)
{
    return signet_facts_keeper_measure(((Agent *)data)->facts, token, error);
}

static const char *
get_progress(const char *token, gpointer data)
{
    return signet_facts_keeper_get_progress(((Agent *)data)->facts, token);
}

/* --- the clock --- */

/* A timer that never runs out, but is cancelled when the wall clock is set, and by resume from
 * suspend. */
static void
arm_clock(Agent *agent)
{
    const struct itimerspec never = {.it_value = {.tv_sec = G_MAXINT32}};
    guint64 expirations;

    if (read(agent->clock_fd, &expirations, sizeof expirations) < 0 && errno == EINTR)
        return; /* still readable: we come back */
    timerfd_settime(agent->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

static gboolean
on_clock_set(int fd, GIOCondition condition, gpointer data)
{
    Agent *agent = data;

    arm_clock(agent);
    signet_log(LOG_INFO, NULL, "the clock was set, or the machine resumed");
    signet_engine_wake(agent->engine);
    return G_SOURCE_CONTINUE;
}

static void
watch_clock(Agent *agent)
{
    agent->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (agent->clock_fd < 0)
        return;
    arm_clock(agent);
    g_unix_fd_add(agent->clock_fd, G_IO_IN, on_clock_set, agent);
}

/* --- start --- */

/* Nor does it keep the agent from starting where there has been a good one. */
static gboolean
read_first_policy(Agent *agent)
{
    g_autoptr(GArray) nothing = g_array_new(FALSE, FALSE, sizeof(SignetTokenFacts));
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) ignored = g_ptr_array_new_with_free_func(g_free);

    agent->policy =
        signet_policy_record_read(agent->store, agent->options->config_dir, nothing, problems);
    if (agent->policy)
        return TRUE;
    signet_report_problems(LOG_ERR, "policy", problems);
    agent->policy = signet_policy_record_restore(agent->store, ignored);
    signet_report_problems(LOG_WARNING, "earlier policy", ignored);
    if (!agent->policy)
        return FALSE;
    set_mistakes(agent, problems);
    signet_log(LOG_ERR, NULL,
               "the policy in '%s' has mistakes: the last one without stays in force; mend it "
               "('signetctl policy check', 'signetctl reload')",
               agent->options->config_dir);
    return TRUE;
}

static gboolean
start_door(Agent *agent, SignetHanded *handed, GError **error)
{
    SignetDoorSettings settings = {.broker = agent->broker,
                                   .clock = signet_clock_system(),
                                   .keep = signet_service_keep,
                                   .max_connections = signet_service_get_max_connections()};
    int listen_fd = handed->listen_fd;

    agent->door = signet_door_new(&settings, error);
    if (!agent->door)
        return FALSE;
    if (listen_fd < 0) {
        listen_fd = signet_service_listen(agent->options->socket, error);
        if (listen_fd < 0)
            return FALSE;
        agent->own_socket = g_strdup(agent->options->socket);
    }
    return signet_door_listen(agent->door, listen_fd, error);
}

static void
restore_factories(Agent *agent, SignetHanded *handed)
{
    for (guint i = 0; i < handed->factories->len; i++) {
        const SignetHandedFd *factory = &g_array_index(handed->factories, SignetHandedFd, i);
        g_autoptr(GError) error = NULL;

        if (!signet_door_restore_factory(agent->door, factory->fd, factory->name, &error))
            signet_log(LOG_WARNING, NULL, "%s", error->message);
    }
}

static void
make_engine(Agent *agent)
{
    char machine_id[SD_ID128_STRING_MAX] = "";
    sd_id128_t id;
    SignetEngineContext context = {.store = agent->store,
                                   .inventory = agent->inventory,
                                   .tokens = agent->tokens,
                                   .enroll = agent->enroll,
                                   .clock = signet_clock_system(),
                                   .host_name = g_get_host_name(),
                                   .machine_id = machine_id};

    /* Without one (a container, say) the host's name has to tell this machine from the rest of its
     * fleet. */
    if (sd_id128_get_machine(&id) == 0)
        sd_id128_to_string(id, machine_id);
    else
        context.machine_id = g_get_host_name();
    agent->engine = signet_engine_new(&context);
    signet_engine_set_listener(agent->engine, on_engine, agent);
}

static void
make_bus(Agent *agent)
{
    SignetBusContext context = {.broker = agent->broker,
                                .engine = agent->engine,
                                .inventory = agent->inventory,
                                .tokens = agent->tokens,
                                .attester = agent->attester,
                                .store = agent->store,
                                .clock = signet_clock_system(),
                                .reload = reload,
                                .measure = measure,
                                .get_progress = get_progress,
                                .get_mistakes = get_mistakes,
                                .data = agent};

    if (!agent->options->no_bus)
        agent->bus = signet_bus_link_new(agent->options->bus_address, &context);
}

static gboolean
start_engine(Agent *agent, GError **error)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    gboolean ok = signet_engine_start(agent->engine, agent->policy, problems, error);

    signet_report_problems(LOG_ERR, "store", problems);
    return ok;
}

static gboolean
make_tokens(Agent *agent, GError **error)
{
    SignetFactsContext facts;

    agent->attempts = signet_pin_record_open(agent->store, error);
    if (!agent->attempts)
        return FALSE;
    agent->tokens = signet_tokens_new();
    signet_tokens_set_module_program(agent->tokens, agent->options->module_program);
    signet_tokens_set_pins(agent->tokens, agent->attempts, g_getenv("CREDENTIALS_DIRECTORY"));
    signet_tokens_set_listener(agent->tokens, on_token, agent);
    facts = (SignetFactsContext) {.tokens = agent->tokens,
                                  .store = agent->store,
                                  .clock = signet_clock_system(),
                                  .settle_ms = 2000,
                                  .changed = on_facts,
                                  .data = agent};
    agent->facts = signet_facts_keeper_new(&facts);
    agent->attester = signet_attester_new(agent->store, agent->tokens);
    return TRUE;
}

static gboolean
start(Agent *agent, GError **error)
{
    const Options *options = agent->options;
    SignetBrokerContext broker;
    SignetEnrollSettings enroll = {.program = options->enroll_program,
                                   .socket = options->enroll_socket,
                                   .provider = options->provider};
    g_auto(SignetHanded) handed = signet_service_take_fds();

    if (!make_tokens(agent, error))
        return FALSE;
    agent->inventory = signet_inventory_new();
    broker = (SignetBrokerContext) {.inventory = agent->inventory,
                                    .tokens = agent->tokens,
                                    .clock = signet_clock_system(),
                                    .attester = agent->attester};
    agent->broker = signet_broker_new(&broker);
    signet_broker_set_denied_listener(agent->broker, signet_report_denied, NULL);
    if (!start_door(agent, &handed, error))
        return FALSE;

    agent->enroll = signet_enroll_new(&enroll, signet_door_attach_job, agent->door);
    make_engine(agent);
    make_bus(agent);
    apply_policy(agent);
    if (!start_engine(agent, error))
        return FALSE;
    restore_factories(agent, &handed);
    return TRUE;
}

/* The other way round than they were made. */
static void
stop(Agent *agent, int status)
{
    g_clear_pointer(&agent->bus, signet_bus_link_free);
    g_clear_pointer(&agent->engine, signet_engine_free);
    g_clear_pointer(&agent->enroll, signet_enroll_free);
    g_clear_pointer(&agent->door, signet_door_free);
    if (agent->own_socket)
        unlink(agent->own_socket);
    g_clear_pointer(&agent->own_socket, g_free);
    g_clear_pointer(&agent->broker, signet_broker_free);
    g_clear_pointer(&agent->attester, signet_attester_free);
    g_clear_pointer(&agent->facts, signet_facts_keeper_free);
    g_clear_pointer(&agent->tokens, signet_tokens_free);
    if (!signet_token_wait_left(HANGING_MS)) {
        signet_log(LOG_WARNING, NULL, "a token hangs; stopping without it");
        _exit(status);
    }
    if (agent->attempts)
        signet_pin_attempts_close(agent->attempts);
    g_clear_pointer(&agent->attempts, signet_pin_attempts_unref);
    g_clear_pointer(&agent->inventory, signet_inventory_free);
    g_clear_pointer(&agent->store, signet_store_free);
    g_clear_pointer(&agent->policy, signet_policy_unref);
    g_clear_pointer(&agent->mistakes, g_ptr_array_unref);
    if (agent->clock_fd >= 0)
        close(agent->clock_fd);
}

static int
run(const Options *options)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GError) error = NULL;
    Agent agent = {.options = options, .loop = loop, .clock_fd = -1};
    int status = EXIT_FAILURE;

    signet_service_harden();
    agent.store = signet_store_open(options->state_dir, &error);
    if (!agent.store) {
        signet_log(LOG_ERR, NULL, "cannot start: %s", error->message);
        return EXIT_FAILURE;
    }
    if (!read_first_policy(&agent)) {
        signet_log(
            LOG_ERR, NULL,
            "cannot start: the policy in '%s' has mistakes; mend them ('signetctl policy check')",
            options->config_dir);
        signet_store_free(agent.store);
        return EXIT_CONFIG;
    }
    g_unix_signal_add(SIGTERM, on_terminate, &agent);
    g_unix_signal_add(SIGINT, on_terminate, &agent);
    g_unix_signal_add(SIGHUP, on_hangup, &agent);
    if (start(&agent, &error)) {
        watch_clock(&agent);
        signet_service_start_watchdog();
        signet_service_ready();
        signet_log(LOG_INFO, NULL, "ready: %u identities, %u connections taken over",
                   signet_policy_get_identities(agent.policy)->len,
                   signet_door_get_n_connections(agent.door));
        g_main_loop_run(loop);
        status = EXIT_SUCCESS;
    } else {
        signet_log(LOG_ERR, NULL, "cannot start: %s", error->message);
    }
    signet_service_stopping();
    stop(&agent, status);
    return status;
}

/* --- command line --- */

static int
check_config(const Options *options)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) policy = signet_config_read(options->config_dir, problems);

    for (guint i = 0; i < problems->len; i++)
        fprintf(stderr, "%s\n", (const char *)problems->pdata[i]);
    return policy ? EXIT_SUCCESS : EXIT_CONFIG;
}

static void
options_clear(Options *options)
{
    g_free(options->config_dir);
    g_free(options->state_dir);
    g_free(options->socket);
    g_free(options->bus_address);
    g_free(options->enroll_program);
    g_free(options->enroll_socket);
    g_free(options->module_program);
    g_free(options->provider);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static void
set_default(char **value, const char *standard)
{
    if (!*value)
        *value = g_strdup(standard);
}

static gboolean
parse_options(int argc, char **argv, Options *options, GError **error)
{
    const GOptionEntry entries[] = {
        {"config-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->config_dir,
         "policy files (" SIGNET_CONFIG_DIR ")", "DIR"},
        {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->state_dir,
         "keys and certificates (" SIGNET_STATE_DIR ")", "DIR"},
        {"socket", 0, 0, G_OPTION_ARG_FILENAME, &options->socket,
         "where to listen when nobody hands over a socket (" SIGNET_SOCKET ")", "PATH"},
        {"bus-address", 0, 0, G_OPTION_ARG_STRING, &options->bus_address,
         "D-Bus to be on (the system bus)", "ADDRESS"},
        {"no-bus", 0, 0, G_OPTION_ARG_NONE, &options->no_bus, "be on no D-Bus", NULL},
        {"enroll-program", 0, 0, G_OPTION_ARG_FILENAME, &options->enroll_program,
         "what speaks to CAs (" SIGNET_ENROLL_PROGRAM ")", "PATH"},
        {"enroll-socket", 0, 0, G_OPTION_ARG_FILENAME, &options->enroll_socket,
         "where another one does so for CAs elsewhere (" SIGNET_ENROLL_SOCKET ")", "PATH"},
        {"module-program", 0, 0, G_OPTION_ARG_FILENAME, &options->module_program,
         "what runs PKCS#11 modules with Isolate=yes (" SIGNET_MODULE_PROGRAM ")", "PATH"},
        {"provider", 0, 0, G_OPTION_ARG_FILENAME, &options->provider,
         "signet.so for the enroller (where OpenSSL finds it by itself)", "PATH"},
        {"check-config", 0, 0, G_OPTION_ARG_NONE, &options->check_config,
         "say what is wrong with the policy files, and end", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "print the version, and end", NULL},
        {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_summary(
        context, "The agent of Signet: keeps private keys in a token and lets programs use "
                 "them.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error))
        return FALSE;
    set_default(&options->config_dir, SIGNET_CONFIG_DIR);
    set_default(&options->state_dir, SIGNET_STATE_DIR);
    set_default(&options->socket, SIGNET_SOCKET);
    set_default(&options->enroll_program, SIGNET_ENROLL_PROGRAM);
    set_default(&options->enroll_socket, SIGNET_ENROLL_SOCKET);
    set_default(&options->module_program, SIGNET_MODULE_PROGRAM);
    return argc == 1 || signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                         "'%s' is not an option; see --help", argv[1]);
}

int
main(int argc, char **argv)
{
    g_auto(Options) options = {0};
    g_autoptr(GError) error = NULL;

    /* Before anything else touches libcrypto: the system's configuration would load our own
     * provider, and the agent would talk to itself. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    if (!parse_options(argc, argv, &options, &error)) {
        fprintf(stderr, "signetd: %s\n", error->message);
        return 2;
    }
    if (options.version) {
        printf("signetd %s\n", SIGNET_VERSION);
        return EXIT_SUCCESS;
    }
    return options.check_config ? check_config(&options) : run(&options);
}
