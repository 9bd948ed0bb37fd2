/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Do the machine's programs still do TLS with this openssl.cnf? */

#include "agent/ctl/openssl-try.h"

#include <glib/gstdio.h>
#include <string.h>

#include "agent/ctl/child.h"

#define PROGRAM_TIMEOUT_S 20
#define ARGUMENTS_MAX     16
#define MODULE            "signet.so"

static const char *const names[] = {
#define P(symbol, name) [SIGNET_TRY_##symbol] = name,
    SIGNET_TRY_PROGRAMS(P)
#undef P
};

static const char python_script[] =
    "import socket, ssl, sys\n"
    "context = ssl.create_default_context(cafile=sys.argv[2])\n"
    "with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) as plain:\n"
    "    with context.wrap_socket(plain, server_hostname='localhost') as tls:\n"
    "        tls.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
    "        assert tls.recv(100)\n"
    "print(open('/proc/self/maps').read())\n";

static const char node_script[] =
    "const fs = require('fs'), tls = require('tls'), [port, ca] = process.argv.slice(-2);\n"
    "const s = tls.connect({host: '127.0.0.1', port: +port, servername: 'localhost',\n"
    "  ca: fs.readFileSync(ca)}, () => s.write('GET / HTTP/1.0\\r\\n\\r\\n'));\n"
    "s.on('error', e => { console.error(e.message); process.exit(1); });\n"
    "s.on('data', () => { console.log(fs.readFileSync('/proc/self/maps', 'latin1'));\n"
    "  process.exit(0); });\n"
    "setTimeout(() => { console.error('no answer'); process.exit(1); }, 10000);\n";

const char *
signet_try_name(SignetTryProgram program)
{
    return names[program];
}

void
signet_try_clear(SignetTry *tries)
{
    for (int i = 0; i < SIGNET_TRY_COUNT; i++)
        g_clear_pointer(&tries[i].problem, g_free);
}

int
signet_try_find_broken(const SignetTry *before, const SignetTry *now)
{
    for (int i = 0; i < SIGNET_TRY_COUNT; i++) {
        if (before[i].works && !now[i].works)
            return i;
    }
    return -1;
}

/* --- the server --- */

typedef struct {
    GSubprocess *process;
    char *directory;   /* (owned) with the certificate in it */
    char *certificate; /* (owned) */
    char *port;        /* (owned) */
} Server;

static void
server_stop(Server *server)
{
    if (server->process)
        g_subprocess_force_exit(server->process);
    g_clear_object(&server->process);
    if (server->certificate)
        (void)g_unlink(server->certificate);
    if (server->directory)
        (void)g_rmdir(server->directory);
    g_free(server->directory);
    g_free(server->certificate);
    g_free(server->port);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Server, server_stop)

/* Its first line is its port: "port 12345". */
static gboolean
server_start(Server *server, GError **error)
{
    g_autoptr(GDataInputStream) output = NULL;
    g_autofree char *line = NULL;

    server->directory = g_dir_make_tmp("signet-setup-XXXXXX", error);
    if (!server->directory)
        return FALSE;
    server->certificate = g_build_filename(server->directory, "server.pem", NULL);
    server->process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, error,
                         signet_child_probe_program(), "serve", server->certificate, NULL);
    if (!server->process)
        return FALSE;
    output = g_data_input_stream_new(g_subprocess_get_stdout_pipe(server->process));
    line = g_data_input_stream_read_line(output, NULL, NULL, error);
    if (line && g_str_has_prefix(line, "port ")) {
        server->port = g_strdup(line + strlen("port "));
        return TRUE;
    }
    if (!error || !*error)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "no TLS server to try programs with: %s",
                    line ? line : "it ended");
    return FALSE;
}

/* --- the programs --- */

typedef const char *Argv[ARGUMENTS_MAX];

static char *
find_program(const char *name)
{
    g_auto(GStrv) directories = g_strsplit(SIGNET_CHILD_PATH, ":", -1);

    for (char **directory = directories; *directory; directory++) {
        g_autofree char *path = g_build_filename(*directory, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
            return g_steal_pointer(&path);
    }
    return NULL;
}

typedef struct {
    const Server *server;
    const char *const *environment;
    const char *program; /* its path */
} Trial;

/* Runs it; TRUE when it ended well. Its output is searched for that word. */
static gboolean
run(const Trial *trial, const char *const *arguments, const char *word, SignetTry *try)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_auto(SignetChild) child = {0};
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(argv, (gpointer)trial->program);
    for (; *arguments; arguments++)
        g_ptr_array_add(argv, (gpointer)*arguments);
    g_ptr_array_add(argv, NULL);
    if (!signet_child_run((const char *const *)argv->pdata, trial->environment, PROGRAM_TIMEOUT_S,
                          &child, &error))
        try->problem = g_strdup(error->message);
    else if (child.status != 0)
        try->problem = g_strdup(*child.problems ? child.problems : "it ended without a word");
    else if (word && strstr(child.output, word))
        try->has_signet = TRUE;
    return try->problem == NULL;
}

static void
try_openssl(const Trial *trial, SignetTry *try)
{
    g_autofree char *address = g_strconcat("127.0.0.1:", trial->server->port, NULL);

    try->works =
        run(trial, (Argv) {"rand", "-hex", "16", NULL}, NULL, try) &&
        run(trial, (Argv) {"list", "-providers", NULL}, "\n  signet\n", try) &&
        run(trial,
            (Argv) {"s_client", "-brief", "-connect", address, "-verify_return_error", "-CAfile",
                    trial->server->certificate, "-verify_hostname", "localhost", NULL},
            NULL, try);
}

/* The second URL is its own memory map, after the handshake. */
static void
try_curl(const Trial *trial, SignetTry *try)
{
    g_autofree char *url = g_strdup_printf("https://127.0.0.1:%s/", trial->server->port);

    try->works = run(trial,
                     (Argv) {"-q", "-sS", "--noproxy", "*", "--max-time", "15", "--cacert",
                             trial->server->certificate, url, "file:///proc/self/maps", NULL},
                     MODULE, try);
}

static void
try_python(const Trial *trial, SignetTry *try)
{
    try->works = run(
        trial,
        (Argv) {"-I", "-c", python_script, trial->server->port, trial->server->certificate, NULL},
        MODULE, try);
}

static void
try_node(const Trial *trial, SignetTry *try)
{
    try->works =
        run(trial,
            (Argv) {"-e", node_script, "--", trial->server->port, trial->server->certificate, NULL},
            MODULE, try);
}

static void (*const runs[])(const Trial *, SignetTry *) = {
    [SIGNET_TRY_OPENSSL] = try_openssl,
    [SIGNET_TRY_CURL] = try_curl,
    [SIGNET_TRY_PYTHON] = try_python,
    [SIGNET_TRY_NODE] = try_node,
};

gboolean
signet_try_all(const char *config, SignetTry *ret_tries, GError **error)
{
    g_autofree char *setting = g_strconcat("OPENSSL_CONF=", config ? config : "", NULL);
    const char *const environment[] = {"PATH=" SIGNET_CHILD_PATH, "HOME=/", "LANG=C.UTF-8",
                                       config ? setting : NULL, NULL};
    g_auto(Server) server = {0};

    memset(ret_tries, 0, SIGNET_TRY_COUNT * sizeof(*ret_tries));
    if (!server_start(&server, error))
        return FALSE;
    for (int i = 0; i < SIGNET_TRY_COUNT; i++) {
        g_autofree char *program = find_program(names[i]);
        const Trial trial = {&server, environment, program};

        ret_tries[i].is_present = program != NULL;
        if (program)
            runs[i](&trial, &ret_tries[i]);
    }
    return TRUE;
}
