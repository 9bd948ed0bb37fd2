/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Looks for the causes that a response code leaves out. */

#include "agent/token/tpm/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
path_of(const char *conf)
{
    const char *path = NULL;

    if (g_str_has_prefix(conf, "device:"))
        path = conf + strlen("device:");
    else if (strstr(conf, "path="))
        path = strstr(conf, "path=") + strlen("path=");
    return path ? g_strndup(path, strcspn(path, ",")) : NULL;
}

/* A device is opened, because it can be busy; a socket or a directory in between only looked at. */
static int
try_path(const char *path)
{
    struct stat status;
    int fd;

    if (stat(path, &status) != 0)
        return errno;
    if (!S_ISCHR(status.st_mode))
        return faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0 ? 0 : errno;
    fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static char *
explain_permission(const char *path)
{
    const struct passwd *user = getpwuid(geteuid());
    struct stat status;
    const struct group *group;
    const mode_t enough = S_IRGRP | S_IWGRP;

    if (stat(path, &status) != 0)
        return g_strdup_printf("cannot open '%s': permission denied for a directory on the way "
                               "there",
                               path);
    group = getgrgid(status.st_gid);
    if (group && status.st_gid != 0 && (status.st_mode & enough) == enough)
        return g_strdup_printf("cannot open '%s': permission denied; add the user '%s' to the "
                               "group '%s' and start the agent again",
                               path, user ? user->pw_name : "of the agent", group->gr_name);
    return g_strdup_printf("cannot open '%s': permission denied, and no group has access; give it "
                           "to the group 'tss' (the udev rules of tpm2-tss do) and make the user "
                           "'%s' a member",
                           path, user ? user->pw_name : "of the agent");
}

char *
signet_tpm_explain_unreachable(const char *conf)
{
    g_autofree char *path = path_of(conf);
    int why = path ? try_path(path) : 0;

    if (!path)
        return g_strdup("nobody answers there; check Tcti= of the token");
    switch (why) {
    case 0:
        return g_strdup_printf("'%s' is there but does not answer, or is in use", path);
    case EACCES:
    case EPERM:
        return explain_permission(path);
    case EBUSY:
        return g_strdup_printf("'%s' is in use by another program; use the kernel's resource "
                               "manager, Tcti=device:/dev/tpmrm0",
                               path);
    default:
        return g_strdup_printf("'%s': %s; check Tcti= of the token, and that the TPM is switched "
                               "on in the firmware setup",
                               path, g_strerror(why));
    }
}

/* --- lockout --- */

static char *
format_time(guint64 seconds)
{
    if (seconds < 120)
        return g_strdup_printf("%" G_GUINT64_FORMAT " s", seconds);
    if (seconds < 7200)
        return g_strdup_printf("%" G_GUINT64_FORMAT " min", (seconds + 59) / 60);
    return g_strdup_printf("%" G_GUINT64_FORMAT " h", (seconds + 3599) / 3600);
}

char *
signet_tpm_explain_lockout(ESYS_CONTEXT *esys)
{
    /* Four properties that follow each other. */
    enum { COUNTER, LIMIT, INTERVAL, RECOVERY, COUNT };
    TPMS_CAPABILITY_DATA *data = NULL;
    guint32 values[COUNT] = {0};
    g_autofree char *wait = NULL;

    if (Esys_GetCapability(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
                           TPM2_PT_LOCKOUT_COUNTER, COUNT, NULL, &data) != TSS2_RC_SUCCESS)
        return NULL;
    for (guint i = 0; i < data->data.tpmProperties.count; i++) {
        const TPMS_TAGGED_PROPERTY *property = &data->data.tpmProperties.tpmProperty[i];

        if (property->property - TPM2_PT_LOCKOUT_COUNTER < COUNT)
            values[property->property - TPM2_PT_LOCKOUT_COUNTER] = property->value;
    }
    Esys_Free(data);
    if (values[COUNTER] < values[LIMIT] || values[INTERVAL] == 0)
        return NULL;
    wait = format_time((guint64)(values[COUNTER] - values[LIMIT] + 1) * values[INTERVAL]);
    return g_strdup_printf("the TPM is locked after %u wrong passwords (its limit is %u); it "
                           "unlocks by itself in at most %s, or at once by "
                           "'tpm2_dictionarylockout --clear-lockout'",
                           values[COUNTER], values[LIMIT], wait);
}

/* --- keys that are refused --- */

static gboolean
is_known(const TPM2B_NAME *name)
{
    return name && name->size > 0;
}

static gboolean
is_same(const TPM2B_NAME *a, const TPM2B_NAME *b)
{
    return a->size == b->size && memcmp(a->name, b->name, a->size) == 0;
}

const char *
signet_tpm_explain_strange_key(const SignetTpmKeyFile *file, const TPM2B_NAME *parent,
                               const TPM2B_NAME *tpm)
{
    if (!is_known(&file->parent_name))
        return "the key was not made by this TPM, or the TPM was cleared since, or the stored key "
               "is damaged; enrol the identity again";
    if (is_known(parent) && is_same(&file->parent_name, parent))
        return "the stored key is damaged: this TPM made it, and was not cleared since; restore it "
               "from a backup, or enrol the identity again";
    if (!is_known(&file->tpm_name) || !is_known(tpm))
        return "the key was made by another TPM, or this TPM was cleared since; enrol the identity "
               "again";
    if (!is_same(&file->tpm_name, tpm))
        return "the key was made by another TPM; enrol the identity again, or put its TPM back";
    if (!is_known(parent))
        return "the storage key 0x81000001, under which the key was made, is gone: this TPM was "
               "cleared, or the storage key removed; enrol the identity again";
    return "this TPM was cleared since the key was made; enrol the identity again";
}
