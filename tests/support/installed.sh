# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced first by tests of what an installation does: they run where the build is installed, in a mount namespace of their own.
# /usr/local is what 'meson install' makes of it, /etc a copy, /run and /var/lib are empty: nothing of the machine is changed.

. "$(dirname "${BASH_SOURCE[0]}")/build.sh"

if [ -z "${SIGNET_INSTALLED:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo 'Bail out! needs root: it makes a mount namespace'; exit 1; }
    build_signet
    installed=$(mktemp -d /tmp/signet-installed.XXXXXX)
    chmod 755 "$installed"
    rc=0
    DESTDIR=$installed meson install -C "$build" --no-rebuild --quiet >"$installed/log" 2>&1 || {
        cat "$installed/log"
        echo 'Bail out! meson install failed'
        exit 1
    }
    SIGNET_INSTALLED=$installed SIGNET_NO_BUILD=yes unshare --mount --propagation private -- "$0" "$@" || rc=$?
    rm -rf "$installed"
    exit $rc
fi

installed_enter() {
    cp -a /etc "$SIGNET_INSTALLED/etc"
    mount --bind "$SIGNET_INSTALLED/etc" /etc
    mount --bind "$SIGNET_INSTALLED/usr/local" /usr/local
    mount -t tmpfs -o mode=755 tmpfs /run
    mount -t tmpfs -o mode=755 tmpfs /var/lib
}
installed_enter
