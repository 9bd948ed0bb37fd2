# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the commands in tests/: where the build is, and making it. Sets top and build.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${SIGNET_BUILD:-$top/build}

# A shell that has Signet in its own environment must not make these programs clients of it.
unset OPENSSL_CONF SIGNET_SOCKET SIGNET_BUS_ADDRESS DBUS_SYSTEM_BUS_ADDRESS LISTEN_FDS LISTEN_PID NOTIFY_SOCKET
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Builds everything, in $build, unless SIGNET_NO_BUILD says that this was done. Quiet unless it fails; two at once wait for each other.
build_signet() {
    [ "${SIGNET_NO_BUILD:-no}" = no ] || return 0
    local log=$build.log
    mkdir -p "$build"
    (
        flock 9
        {
            { [ -e "$build/build.ninja" ] || meson setup "$build" "$top" "$@"; } && ninja -C "$build"
        } >"$log" 2>&1
    ) 9>"$build/.lock" || {
        tail -n 40 "$log" >&2
        die "the build failed; all of it is in $log"
    }
}
