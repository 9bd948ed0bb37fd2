/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What does a program do TLS with? By the libraries it is linked to, without running it. */

#include "agent/ctl/why.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ctl/child.h"

#define SCRIPTS_MAX    4    /* a script whose interpreter is a script … */
#define HEAD_SIZE      4096 /* of a file: where "#!" and the program headers are */
#define LIST_TIMEOUT_S 10

/* Libraries in the order in which the loader takes them, a program's own first: the first of these
 * decides. */
static const struct {
    const char *library;
    SignetWhyTls tls;
} libraries[] = {
    {"libssl.so.3", SIGNET_WHY_OPENSSL}, {"libssl.so.1", SIGNET_WHY_OPENSSL_OLD},
    {"libgnutls.so", SIGNET_WHY_GNUTLS}, {"libnss3.so", SIGNET_WHY_NSS},
    {"libssl3.so", SIGNET_WHY_NSS},      {"libjli.so", SIGNET_WHY_JAVA},
    {"libjvm.so", SIGNET_WHY_JAVA},
};

/* Programs that load their TLS later, as plug-ins. */
static const struct {
    const char *name;
    SignetWhyTls tls;
} interpreters[] = {
    {"python", SIGNET_WHY_OPENSSL}, {"perl", SIGNET_WHY_OPENSSL}, {"ruby", SIGNET_WHY_OPENSSL},
    {"php", SIGNET_WHY_OPENSSL},    {"java", SIGNET_WHY_JAVA},    {"firefox", SIGNET_WHY_NSS},
    {"chromium", SIGNET_WHY_NSS},   {"chrome", SIGNET_WHY_NSS},   {"thunderbird", SIGNET_WHY_NSS},
};

static const char *const servers[] = {
    "nginx",   "apache2",    "httpd",   "haproxy", "lighttpd", "postgres",     "mosquitto",
    "hostapd", "freeradius", "radiusd", "slapd",   "dovecot",  "redis-server", "varnishd"};

void
signet_why_program_clear(SignetWhyProgram *program)
{
    g_clear_pointer(&program->path, g_free);
    g_clear_pointer(&program->name, g_free);
    g_clear_pointer(&program->library, g_free);
    g_clear_pointer(&program->config, g_free);
}

gboolean
signet_why_program_is_server(const SignetWhyProgram *program)
{
    for (gsize i = 0; i < G_N_ELEMENTS(servers); i++) {
        if (g_strcmp0(program->name, servers[i]) == 0)
            return TRUE;
    }
    return FALSE;
}

gboolean
signet_why_program_uses_module(const SignetWhyProgram *program)
{
    return program->tls == SIGNET_WHY_GNUTLS || program->tls == SIGNET_WHY_NSS;
}

/* --- which file --- */

/* Its first bytes, ended by a zero. */
static gsize
read_head(const char *path, char *head)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t size = fd >= 0 ? read(fd, head, HEAD_SIZE) : 0;

    if (fd >= 0)
        close(fd);
    size = MAX(size, 0);
    head[size] = '\0';
    return (gsize)size;
}

/* "#!/usr/bin/env python3 -u" → python3's path; NULL when it is no script. */
static char *
find_interpreter(const char *head)
{
    g_auto(GStrv) words = NULL;
    g_autofree char *line = NULL;

    if (!g_str_has_prefix(head, "#!"))
        return NULL;
    line = g_strndup(head + 2, strcspn(head + 2, "\n"));
    words = g_strsplit_set(g_strstrip(line), " \t", 3);
    if (!words[0])
        return NULL;
    if (g_str_has_suffix(words[0], "/env") && words[1] && *words[1] != '-')
        return g_find_program_in_path(words[1]);
    return g_strdup(words[0]);
}

/* --- its libraries --- */

/* The file names what is run here, by root perhaps: it must be a loader, and one of root's. */
static gboolean
is_trusted(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    struct stat status;

    return *path == '/' && g_pattern_match_simple("ld*.so*", name) && stat(path, &status) == 0 &&
           status.st_uid == 0 && (status.st_mode & 022) == 0;
}

/* The loader that an ELF file names; NULL: none (a static program, no ELF), or no trusted one. */
static char *
find_loader(const char *head, gsize size)
{
    Elf64_Ehdr header;

    if (size < sizeof(header) || memcmp(head, ELFMAG, SELFMAG) != 0 || head[EI_CLASS] != ELFCLASS64)
        return NULL;
    memcpy(&header, head, sizeof(header));
    for (guint i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        guint64 at = header.e_phoff + (guint64)i * sizeof(segment);
        g_autofree char *loader = NULL;

        if (header.e_phoff > size || at + sizeof(segment) > size)
            return NULL;
        memcpy(&segment, head + at, sizeof(segment));
        if (segment.p_type != PT_INTERP)
            continue;
        if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
            return NULL;
        loader = g_strndup(head + segment.p_offset, segment.p_filesz);
        return is_trusted(loader) ? g_steal_pointer(&loader) : NULL;
    }
    return NULL;
}

/* text: what the loader, or a memory map, lists, in its order. */
static void
recognise(const char *text, SignetWhyProgram *program)
{
    const char *first = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(libraries); i++) {
        const char *at = strstr(text, libraries[i].library);

        if (!at || (first && at > first))
            continue;
        first = at;
        program->tls = libraries[i].tls;
        program->is_known = TRUE;
    }
    if (first) {
        g_free(program->library);
        program->library = g_strndup(first, strcspn(first, " :\t\n"));
    }
}

/* What is in the file itself: an OpenSSL of its own says where it looks, Go leaves its mark. */
static void
search_file(const char *path, SignetWhyProgram *program)
{
    static const char mark[] = "OPENSSLDIR: \"", go_mark[] = "\xff Go buildinf:";
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);
    gsize size = file ? g_mapped_file_get_length(file) : 0;
    const char *data = size ? g_mapped_file_get_contents(file) : NULL;
    const char *at = data ? memmem(data, size, mark, sizeof(mark) - 1) : NULL;

    if (at) {
        gsize left = size - (gsize)(at - data) - (sizeof(mark) - 1);
        const char *end = memchr(at + sizeof(mark) - 1, '"', MIN(left, 256));

        at += sizeof(mark) - 1;
        program->tls = SIGNET_WHY_OPENSSL_OWN;
        program->is_known = TRUE;
        program->config = end ? g_strdup_printf("%.*s/openssl.cnf", (int)(end - at), at) : NULL;
    } else if (data && memmem(data, size, go_mark, sizeof(go_mark) - 1)) {
        program->tls = SIGNET_WHY_GO;
        program->is_known = TRUE;
    }
}

static void
ask_name(SignetWhyProgram *program)
{
    for (gsize i = 0; i < G_N_ELEMENTS(interpreters) && !program->is_known; i++) {
        if (!g_str_has_prefix(program->name, interpreters[i].name))
            continue;
        program->tls = interpreters[i].tls;
        program->is_known = TRUE;
    }
}

/* The loader only lists: no code of the program runs. */
static void
ask_loader(const char *head, gsize size, const SignetWhyRole *role, SignetWhyProgram *program)
{
    g_autofree char *loader = find_loader(head, size);
    g_autofree char *uid = g_strdup_printf("%u", role->uid);
    g_autofree char *gid = g_strdup_printf("%u", role->gid);
    const char *const as_other[] = {
        "setpriv",        "--reuid", uid,      "--regid",     gid, "--clear-groups",
        "--no-new-privs", loader,    "--list", program->path, NULL};
    const char *const as_self[] = {loader, "--list", program->path, NULL};
    const char *const environment[] = {"PATH=" SIGNET_CHILD_PATH, "LANG=C", NULL};
    g_auto(SignetChild) child = {0};

    if (!loader || !signet_child_run(role->is_other ? as_other : as_self, environment,
                                     LIST_TIMEOUT_S, &child, NULL))
        return;
    recognise(child.output, program);
    /* one that is missing is only complained of */
    if (!program->is_known)
        recognise(child.problems, program);
}

static void
analyse(const SignetWhyRole *role, SignetWhyProgram *program)
{
    char head[HEAD_SIZE + 1];
    gsize size = 0;

    for (int i = 0; i < SCRIPTS_MAX; i++) {
        char *interpreter = NULL;

        size = read_head(program->path, head);
        interpreter = find_interpreter(head);
        if (!interpreter)
            break;
        g_free(program->path);
        program->path = interpreter;
    }
    program->name = g_path_get_basename(program->path);
    ask_loader(head, size, role, program);
    if (!program->is_known)
        search_file(program->path, program);
    if (!program->is_known)
        ask_name(program);
}

gboolean
signet_why_program_find(const char *what, const SignetWhyRole *role, SignetWhyProgram *ret_program)
{
    g_autofree char *path = g_find_program_in_path(what);

    *ret_program = (SignetWhyProgram) {0};
    if (!path && !strchr(what, '/')) {
        /* daemons are where users do not look */
        path = g_build_filename("/usr/sbin", what, NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
            g_clear_pointer(&path, g_free);
    }
    if (!path)
        return FALSE;
    ret_program->path = g_canonicalize_filename(path, NULL);
    analyse(role, ret_program);
    return TRUE;
}

/* What it has loaded says more than what it is linked to. */
void
signet_why_program_of(guint pid, SignetWhyProgram *ret_program)
{
    g_autofree char *link = g_strdup_printf("/proc/%u/exe", pid);
    g_autofree char *maps = g_strdup_printf("/proc/%u/maps", pid);
    g_autofree char *text = NULL;

    *ret_program = (SignetWhyProgram) {0};
    ret_program->path = g_file_read_link(link, NULL);
    if (!ret_program->path)
        return;
    ret_program->name = g_path_get_basename(ret_program->path);
    if (g_file_get_contents(maps, &text, NULL, NULL) && strstr(text, "/libssl.so.3"))
        recognise(strstr(text, "libssl.so.3"), ret_program);
    else if (text)
        recognise(text, ret_program);
    if (!ret_program->is_known)
        search_file(link, ret_program);
    if (!ret_program->is_known)
        ask_name(ret_program);
}
