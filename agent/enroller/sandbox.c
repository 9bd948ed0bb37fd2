/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The sandbox: another user, no capabilities, and the few system calls that a client needs. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/error.h"
#include "agent/enroller/harden.h"

#define USER     "signet-enroll"
#define FALLBACK 65534 /* nobody, where there is no such name either */

/* --- the user --- */

static gboolean
fail(GError **error, const char *what)
{
    return signet_error_set(error, SIGNET_ERROR_FAILED, "cannot %s: %s", what, g_strerror(errno));
}

static gboolean
change_user(GError **error)
{
    const struct passwd *user = getpwnam(USER);

    if (!user)
        user = getpwnam("nobody");
    uid_t uid = user ? user->pw_uid : FALLBACK;
    gid_t gid = user ? user->pw_gid : FALLBACK;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
        /* A service manager that took the privilege to do so from the agent has taken the others
         * too; what is left goes with the capabilities. */
        if (errno == EPERM)
            return TRUE;
        return fail(error, "become the user '" USER "'");
    }
    return TRUE;
}

static gboolean
drop_capabilities(GError **error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return fail(error, "drop ambient capabilities");
    if (syscall(SYS_capset, &header, none) < 0)
        return fail(error, "drop capabilities");
    /* Another user's process may be looked into again. */
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 || fail(error, "stay closed to others");
}

/* --- system calls --- */

static const int plain_calls[] = {
    /* files: what may be opened is below */
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat),
    SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(lseek), SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(fcntl), SCMP_SYS(dup),
    SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(fadvise64),
    /* what is open already, and what the network needs beside socket() */
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
    SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg),
    SCMP_SYS(recvmmsg), SCMP_SYS(shutdown), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select),
    SCMP_SYS(pselect6), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
    /* memory */
    SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(brk), SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(munlock),
    /* threads, of which getaddrinfo has one */
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), SCMP_SYS(gettid),
    SCMP_SYS(exit), SCMP_SYS(exit_group),
    /* itself */
    SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(getgroups), SCMP_SYS(getresuid), SCMP_SYS(getresgid),
    SCMP_SYS(getrlimit), SCMP_SYS(prlimit64), SCMP_SYS(getrusage), SCMP_SYS(times), SCMP_SYS(uname),
    SCMP_SYS(sysinfo), SCMP_SYS(getrandom), SCMP_SYS(capget), SCMP_SYS(arch_prctl),
    /* time and signals: abort() has to work */
    SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(alarm), SCMP_SYS(setitimer),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(tgkill), SCMP_SYS(restart_syscall), SCMP_SYS(pause)};

/* A call with one condition on one of its arguments. */
typedef struct {
    int call;
    struct scmp_arg_cmp condition;
} Conditional;

#define NAMESPACES                                                                           \
    ((unsigned)CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
     CLONE_NEWPID | CLONE_NEWNET)
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC)

static int
allow_conditional(scmp_filter_ctx filter)
{
    const Conditional calls[] = {
        {SCMP_SYS(open), SCMP_A1_64(SCMP_CMP_MASKED_EQ, WRITING, O_RDONLY)},
        {SCMP_SYS(openat), SCMP_A2_64(SCMP_CMP_MASKED_EQ, WRITING, O_RDONLY)},
        {SCMP_SYS(clone), SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD | NAMESPACES, CLONE_THREAD)},
        {SCMP_SYS(ioctl), SCMP_A1_64(SCMP_CMP_EQ, FIONREAD)},
        {SCMP_SYS(ioctl), SCMP_A1_64(SCMP_CMP_EQ, FIONBIO)},
        {SCMP_SYS(ioctl), SCMP_A1_64(SCMP_CMP_EQ, TCGETS)},
        {SCMP_SYS(prctl), SCMP_A0_64(SCMP_CMP_EQ, PR_SET_NAME)},
        {SCMP_SYS(prctl), SCMP_A0_64(SCMP_CMP_EQ, PR_GET_DUMPABLE)},
        {SCMP_SYS(prctl), SCMP_A0_64(SCMP_CMP_EQ, PR_GET_NO_NEW_PRIVS)},
        {SCMP_SYS(socketpair), SCMP_A0_64(SCMP_CMP_EQ, AF_UNIX)},
        {SCMP_SYS(socket), SCMP_A0_64(SCMP_CMP_EQ, AF_UNIX)},
    };
    int rc = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(calls) && rc == 0; i++)
        rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls[i].call, 1, &calls[i].condition);
    return rc;
}

/* AF_NETLINK: getaddrinfo() looks which families this machine has. */
static int
allow_network(scmp_filter_ctx filter)
{
    static const unsigned families[] = {AF_INET, AF_INET6, AF_NETLINK};
    /* accept4: of a socket that was listened on before */
    static const int calls[] = {SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(accept4)};
    int rc = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(calls) && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    for (gsize i = 0; i < G_N_ELEMENTS(families) && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                              SCMP_A0_64(SCMP_CMP_EQ, families[i]));
    return rc;
}

/* Calls whose arguments cannot be looked at are not there: libc has the older ones. */
static int
hide_newer(scmp_filter_ctx filter)
{
    static const int calls[] = {SCMP_SYS(clone3), SCMP_SYS(openat2)};
    int rc = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(calls) && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), calls[i], 0);
    return rc;
}

static int
fill_filter(scmp_filter_ctx filter, gboolean has_network)
{
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

    for (gsize i = 0; i < G_N_ELEMENTS(plain_calls) && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain_calls[i], 0);
    if (rc == 0)
        rc = allow_conditional(filter);
    if (rc == 0)
        rc = hide_newer(filter);
    if (rc == 0 && has_network)
        rc = allow_network(filter);
    return rc == 0 ? seccomp_load(filter) : rc;
}

static gboolean
filter_calls(gboolean has_network, GError **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int rc = filter ? fill_filter(filter, has_network) : -ENOMEM;

    if (filter)
        seccomp_release(filter);
    if (rc == 0)
        return TRUE;
    errno = -rc;
    return fail(error, "filter system calls");
}

/* Sanitizers need much more than the program. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_FILTER FALSE
#else
#define HAS_FILTER TRUE
#endif

gboolean
signet_harden_user(GError **error)
{
    if (geteuid() == 0 && !change_user(error))
        return FALSE;
    return drop_capabilities(error);
}

gboolean
signet_harden_sandbox(SignetSandbox sandbox, GError **error)
{
    return signet_harden_user(error) &&
           (!HAS_FILTER || filter_calls(sandbox == SIGNET_SANDBOX_NETWORK, error));
}
