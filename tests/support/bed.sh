# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by integration tests: a testbed of their own, and TAP. After bed_up: $bed, $work, and the testbed's environment.

. "$(dirname "${BASH_SOURCE[0]}")/build.sh"
. "$top/tests/support/load.sh"

tests=0
failures=0
pids=()
servers=()

[ "$(id -u)" = 0 ] || { echo 'Bail out! needs root: it plays several users'; exit 1; }
bed=$(mktemp -d /tmp/signet-test.XXXXXX)
chmod 755 "$bed"
export work=$bed/work
mkdir -p "$work"

bed_finish() {
    local rc=$?
    set +e
    touch "$work/stop" "$work/stop-reload"
    # "as USER … &" gives the number of a shell that waits for the program
    for pid in "${servers[@]}"; do kill $(ps -o pid= --ppid "$pid") "$pid" 2>/dev/null; done
    for pid in "${servers[@]}" "${pids[@]}"; do wait "$pid" 2>/dev/null; done
    [ ! -d "$bed/pid" ] || "$top/tests/testbed" down "$bed" >/dev/null 2>&1
    if [ $failures = 0 ] && [ $rc = 0 ]; then rm -rf "$bed"; else echo "# logs: $bed/log, $work"; fi
    exit $((rc | (failures > 0)))
}
trap bed_finish EXIT

# policy FILE: stdin becomes DIR/etc/FILE before the testbed starts (or for a reload).
policy() {
    mkdir -p "$(dirname "$bed/etc/$1")"
    cat >"$bed/etc/$1"
}

# bed_up [--token softhsm]
bed_up() {
    "$top/tests/testbed" up "$bed" "$@" >"$work/testbed.log" 2>&1 || {
        sed 's/^/# /' "$work/testbed.log"
        echo 'Bail out! the testbed did not come up'
        failures=1
        exit 1
    }
    . "$bed/env"
}

# ok "sentence" COMMAND…: one test; its output is shown when it fails.
ok() {
    local title=$1
    shift
    tests=$((tests + 1))
    if "$@" >"$work/test.out" 2>&1; then
        echo "ok $tests - $title"
    else
        failures=$((failures + 1))
        echo "not ok $tests - $title"
        echo "#   command: $*"
        sed 's/^/#   /' "$work/test.out" | tail -n 40
    fi
}

# not_ok "sentence" COMMAND…: the command must fail.
not_ok() {
    local title=$1
    shift
    ok "$title" fails "$@"
}
fails() { ! "$@"; }

# says "sentence" TEXT COMMAND…: the output (and the errors) must contain TEXT.
says() {
    local title=$1 text=$2
    shift 2
    ok "$title" output_has "$text" "$@"
}
output_has() {
    local text=$1 out
    shift
    out=$("$@" 2>&1) || true
    printf '%s\n' "$out"
    [[ $out == *"$text"* ]]
}

plan() { echo "1..$tests"; }

# as USER COMMAND…: with that user's id and groups only.
as() {
    local user=$1
    shift
    setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups -- "$@"
}

kill_agent() { kill -9 "$(cat "$bed/pid/signetd")"; }

# server PIDFILE-OR-PORT…: remembers a background server to be stopped at the end.
server() { servers+=("$1"); }

await() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.1
    done
}
