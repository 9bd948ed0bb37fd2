/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signet-probe: finds out facts for signetctl, as another user and by another program's
 * configuration where it is told to. It decides nothing, and has no rights that its caller lacks.
 */

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/probe/config.h"
#include "agent/probe/enter.h"
#include "agent/probe/module.h"
#include "agent/probe/reach.h"
#include "agent/probe/reference.h"
#include "agent/probe/say.h"
#include "agent/probe/serve.h"
#include "agent/probe/trial.h"

#define EXIT_USAGE 2
#define TIME_MAX_S 120
#define ID_MAX     0xfffffffeL /* the one above it leaves an id as it is: setresuid(2) */

struct options {
    struct signet_role role;
    const char *config; /* (nullable) */
    const char *application;
    const char *certificate; /* (nullable) */
    const char *purpose;
};

static int
usage(void)
{
    fputs(
        "usage: signet-probe config [--config FILE] [--application NAME]\n"
        "       signet-probe serve CERTIFICATE-FILE\n"
        "       signet-probe try [--pid N] [--uid N --gid N --groups N,N] [--config FILE]\n"
        "                        [--application NAME] [--certificate FILE] [--purpose NAME]\n"
        "                        REFERENCE\n"
        "       signet-probe token [--pid N] [--uid N --gid N --groups N,N] [--certificate FILE]\n"
        "                        IDENTITY\n",
        stderr);
    return EXIT_USAGE;
}

/* --- config --- */

static bool
read_config(const struct options *options, char **ret_file, struct signet_config *ret_config)
{
    *ret_file = signet_config_file(options->config);
    if (*ret_file == NULL)
        return false;
    signet_say("config.file", "%s", *ret_file);
    if (signet_reach("config", *ret_file, R_OK) != 0)
        return false;
    signet_config_read(*ret_file, options->application, ret_config);
    return ret_config->is_read;
}

static int
run_config(const struct options *options)
{
    struct signet_config config = {0};
    char *file = NULL;
    bool is_read = read_config(options, &file, &config);
    OPENSSL_free(file);
    return is_read ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- try --- */

static bool
find_reference(struct options *options, const char *reference)
{
    static char beside[PATH_MAX];
    bool has_certificate;
    if (strncmp(reference, "signet:", 7) == 0)
        return true;
    if (signet_reach("file", reference, R_OK) != 0 ||
        !signet_probe_reference(reference, &has_certificate))
        return false;
    const char *slash = strrchr(reference, '/');
    int directory = slash == NULL ? 0 : (int)(slash - reference) + 1;
    if (options->certificate == NULL && has_certificate)
        options->certificate = reference;
    if (options->certificate == NULL) {
        snprintf(beside, sizeof(beside), "%.*scert.pem", directory, reference);
        options->certificate = access(beside, F_OK) == 0 ? beside : NULL;
    }
    return true;
}

/* As provider/openssl/provider.c finds it. */
static const char *
find_socket(const struct signet_config *config)
{
    const char *environment = getenv("SIGNET_SOCKET");
    if (environment != NULL && *environment != '\0')
        return environment;
    return *config->socket != '\0' ? config->socket : SIGNET_SOCKET_PATH;
}

static int
run_trial(struct options *options, const char *reference)
{
    struct signet_config config = {0};
    char *file = NULL;
    if (!signet_enter(&options->role))
        return EXIT_FAILURE;
    signet_say("entered", "yes");
    if (find_reference(options, reference) && read_config(options, &file, &config) &&
        config.is_activated && signet_trial_socket(find_socket(&config))) {
        const struct signet_trial trial = {.config = file,
                                           .application = options->application,
                                           .reference = reference,
                                           .certificate = options->certificate,
                                           .purpose = options->purpose};
        signet_trial_run(&trial, config.module);
    }
    OPENSSL_free(file);
    signet_say("end", "yes");
    return EXIT_SUCCESS;
}

static int
run_token(const struct options *options, const char *identity)
{
    const struct signet_config none = {0};
    if (!signet_enter(&options->role))
        return EXIT_FAILURE;
    signet_say("entered", "yes");
    if (signet_trial_socket(find_socket(&none)))
        signet_module_run(identity, options->certificate);
    signet_say("end", "yes");
    return EXIT_SUCCESS;
}

/* --- command line --- */

/* What is no number would be root's. */
static bool
take_number(long *ret_number, long max)
{
    char *end = NULL;
    errno = 0;
    *ret_number = strtol(optarg, &end, 10);
    return errno == 0 && *optarg >= '0' && *optarg <= '9' && *end == '\0' && *ret_number <= max;
}

static bool
take_option(struct options *options, int letter)
{
    switch (letter) {
    case 'p':
        return take_number(&options->role.pid, INT_MAX) && options->role.pid > 0;
    case 'u':
        return take_number(&options->role.uid, ID_MAX);
    case 'g':
        return take_number(&options->role.gid, ID_MAX);
    case 'G':
        options->role.groups = optarg;
        return true;
    case 'c':
        options->config = optarg;
        return true;
    case 'a':
        options->application = optarg;
        return true;
    case 'C':
        options->certificate = optarg;
        return true;
    case 'P':
        options->purpose = optarg;
        return true;
    }
    return false;
}

static bool
parse(struct options *options, int argc, char **argv)
{
    static const struct option names[] = {{"pid", required_argument, NULL, 'p'},
                                          {"uid", required_argument, NULL, 'u'},
                                          {"gid", required_argument, NULL, 'g'},
                                          {"groups", required_argument, NULL, 'G'},
                                          {"config", required_argument, NULL, 'c'},
                                          {"application", required_argument, NULL, 'a'},
                                          {"certificate", required_argument, NULL, 'C'},
                                          {"purpose", required_argument, NULL, 'P'},
                                          {NULL, 0, NULL, 0}};
    int letter;
    while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1)
        if (!take_option(options, letter))
            return false;
    /* both, or neither: another user in root's group is nobody there is */
    return (options->role.uid < 0) == (options->role.gid < 0);
}

int
main(int argc, char **argv)
{
    const struct rlimit no_core = {0, 0};
    struct options options = {
        .role = {.uid = -1, .gid = -1}, .application = "openssl_conf", .purpose = "tls-client"};
    /* libcrypto reads its configuration where, and as whom, it is told to, not before */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* of the terminal that is left */
    alarm(TIME_MAX_S);
    if (argc < 2 || !parse(&options, argc - 1, argv + 1))
        return usage();
    const char *command = argv[1];
    char **rest = argv + 1 + optind;
    int count = argc - 1 - optind;
    if (strcmp(command, "config") == 0 && count == 0)
        return run_config(&options);
    if (strcmp(command, "serve") == 0 && count == 1)
        return signet_serve(rest[0]) ? EXIT_SUCCESS : EXIT_FAILURE;
    if (strcmp(command, "token") == 0 && count == 1)
        return run_token(&options, rest[0]);
    if (strcmp(command, "try") == 0 && count == 1)
        return run_trial(&options, rest[0]);
    return usage();
}
