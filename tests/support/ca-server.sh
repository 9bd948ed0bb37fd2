# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by integration tests after bed.sh: servers of CAs (tests/support/*-server.py), each in $work/NAME on a port of its own on loopback.

declare -A ca_commands ca_pids

# ca_server NAME PROGRAM [ARGUMENT…]: starts one and waits until it listens.
ca_server() {
    local name=$1 program=$2
    shift 2
    mkdir -p "$work/$name"
    ca_commands[$name]="$top/tests/support/$program $work/$name $*"
    ca_start "$name"
}

ca_start() {
    local name=$1
    rm -f "$work/$name/port"
    # shellcheck disable=SC2086
    ${ca_commands[$name]} >>"$work/$name/out" 2>&1 &
    ca_pids[$name]=$!
    server $!
    await 20 test -s "$work/$name/port" || {
        sed 's/^/# /' "$work/$name/out"
        echo "Bail out! the server of the CA '$name' did not come up"
        exit 1
    }
}

# ca_restart NAME: on the same port, with what its directory holds now.
ca_restart() {
    local name=$1 port
    port=$(cat "$work/$name/port")
    kill "${ca_pids[$name]}"
    wait "${ca_pids[$name]}" 2>/dev/null || true
    ca_commands[$name]+=" --port $port"
    ca_start "$name"
}

# rotate IDENTITY: also where the agent has begun to try by itself.
rotate() {
    local out rc
    for _ in $(seq 50); do
        rc=0
        out=$(timeout 60 signetctl rotate "$1" 2>&1) || rc=$?
        [[ $out == *'under way already'* ]] || break
        sleep 0.2
    done
    printf '%s\n' "$out"
    return $rc
}

ca_url() { echo "https://localhost:$(cat "$work/$1/port")"; }

# ca_pin NAME: of its root, as Pin= has it.
ca_pin() {
    printf 'sha256:%s\n' "$(openssl x509 -in "$work/$1/ca/root.pem" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)"
}

# ca_mode NAME 'OPERATION MODE'…: how it answers from now on (tests/support/hostile.py).
ca_mode() {
    local name=$1
    shift
    printf '%s\n' "$@" >"$work/$name/mode.new"
    mv "$work/$name/mode.new" "$work/$name/mode"
}
