# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by tests that use emulated PIV cards: tests/support/piv/reader.py as functions.

opensc=/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")/opensc-pkcs11.so

# piv_start DIR [ARGUMENT…]: returns when the card 'card' is in the reader; its process is in $piv_pid.
piv_start() {
    local folder=$1
    mkdir -p "$folder"
    "$top/tests/support/piv/reader.py" serve "$@" >"$folder/reader.log" 2>&1 </dev/null &
    piv_pid=$!
    for _ in $(seq 200); do
        [ ! -S "$folder/control" ] || return 0
        kill -0 $piv_pid 2>/dev/null || break
        sleep 0.05
    done
    sed 's/^/# /' "$folder/reader.log" "$folder/pcscd.log"
    return 1
}

# piv_stop DIR PID
piv_stop() {
    kill "$2"
    wait "$2" || true
    rm -f "$1/control"
}

# piv DIR COMMAND…: fails when the reader says 'error: …'.
piv() {
    local folder=$1 answer
    shift
    answer=$(printf '%s\n' "$*" | socat -t 10 - "UNIX-CONNECT:$folder/control") || return 1
    printf '%s\n' "$answer"
    [[ -n $answer && $answer != error:* ]]
}

# piv_is DIR VALUE COMMAND…
piv_is() {
    local folder=$1 value=$2 answer
    shift 2
    answer=$(piv "$folder" "$@")
    echo "$*: $answer, expected $value"
    [ "$answer" = "$value" ]
}
