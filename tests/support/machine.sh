# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced first, instead of bed.sh, by tests that need a service manager: a machine of its own, booted by systemd-nspawn from a throw-away copy of this
# machine's files, with Signet installed in it as README says, a software TPM, and no network but its loopback.

# Its mounts and processes end with the test, however that ends.
if [ -z "${SIGNET_MACHINE:-}" ]; then
    SIGNET_MACHINE=yes exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/bed.sh"

machine=$work/machine
machine_pid=

# machine_install: what README's first line does, without the tests.
machine_install() {
    local build=$work/build targets
    meson setup "$build" "$top" --prefix=/usr >"$work/build.log" 2>&1
    targets=$(meson introspect "$build" --targets | jq -r '.[] | select(.installed) | .filename[0]' | sed "s#^$build/##")
    # shellcheck disable=SC2086
    ninja -C "$build" $targets >>"$work/build.log" 2>&1
    DESTDIR=$machine meson install -C "$build" --no-rebuild --quiet >>"$work/build.log" 2>&1
}

# machine_make: its files. What is written into $machine afterwards is there when it boots.
machine_make() {
    mkdir -p "$machine" "$work/layer"
    mount -t tmpfs -o mode=755 tmpfs "$work/layer"
    mkdir "$work/layer/upper" "$work/layer/work"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$work/layer/upper,workdir=$work/layer/work" "$machine"
    rm -rf "$machine/etc/signet" "$machine/var/lib/signet"
    machine_install || {
        tail -n 20 "$work/build.log" | sed 's/^/# /'
        echo 'Bail out! cannot install Signet'
        failures=1
        exit 1
    }
    cat >"$machine/etc/systemd/system/swtpm.service" <<END
[Service]
RuntimeDirectory=swtpm
StateDirectory=swtpm
ExecStart=/usr/bin/swtpm socket --tpm2 --tpmstate dir=/var/lib/swtpm --server type=unixio,path=/run/swtpm/sock --ctrl type=unixio,path=/run/swtpm/sock.ctrl --flags not-need-init,startup-clear
ExecStartPost=/bin/sh -c 'until [ -S /run/swtpm/sock ]; do sleep 0.1; done'
END
    cat >"$machine/etc/systemd/system/machine.target" <<END
[Unit]
Requires=basic.target dbus.service swtpm.service
After=basic.target dbus.service swtpm.service
AllowIsolate=yes
END
}

# The first process of the machine.
machine_init() { pgrep -P "$machine_pid"; }

# in_machine COMMAND…: as root, in all its namespaces.
in_machine() {
    nsenter --target "$(machine_init)" --all -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
}

machine_is_up() { in_machine systemctl is-active machine.target; }

machine_boot() {
    systemd-nspawn --quiet --directory="$machine" --boot --private-network --register=no --keep-unit --console=pipe \
        --bind-ro="$top" systemd.unit=machine.target </dev/null >>"$work/boot.log" 2>&1 &
    machine_pid=$!
    await 60 machine_is_up || {
        tail -n 20 "$work/boot.log" | sed 's/^/# /'
        echo 'Bail out! the machine does not boot'
        failures=1
        exit 1
    }
}

machine_stop() {
    [ -z "$machine_pid" ] || kill -TERM "$machine_pid" 2>/dev/null
    [ -z "$machine_pid" ] || wait "$machine_pid" 2>/dev/null
    machine_pid=
}
