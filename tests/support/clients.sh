# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by tests/clients/NAME/test: bed.sh, and what scenarios of real programs share. NAME/about describes the rows of the table.

. "$(dirname "${BASH_SOURCE[0]}")/bed.sh"

scenario=$(cd "$(dirname "$0")" && pwd)
# Longer than a busy machine needs to reload a server.
export SIGNET_TESTBED_OVERLAP=60s
# What the shell may have set for other CAs.
unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS
# How many reloads a server with workers has to survive, and how many rotations: SIGNET_CLIENTS=quick for the daily run.
if [ "${SIGNET_CLIENTS:-all}" = quick ]; then
    reloads=10 rotations=2
else
    reloads=200 rotations=3
fi

# row SECTION: what follows belongs to this row of the table.
row() { echo "# row $1"; }

# version TEXT: of the program.
version() { echo "# version $(head -n 1 <<<"$*")"; }

# identity NAME PURPOSES [LINE OF [Identity]…]; users: who may use it
identity() {
    local name=$1 purposes=$2
    shift 2
    {
        printf '[Identity]\nSubject=CN=%s,O=Signet\nDns=localhost\nIp=127.0.0.1\n' "$name"
        [ $# = 0 ] || printf '%s\n' "$@"
        printf '[Access]\nAllow=%s\nPurposes=%s\n' "${users:-user:nobody;user:www-data}" "$purposes"
    } | policy "identities.d/$name.conf"
}

# config FILE [FROM=>TO…]: prints the scenario's file, as the manual page shows it, for this testbed. Every FROM must be there.
config() {
    /usr/bin/python3 - "$scenario/$1" "/var/lib/signet/live=>$SIGNET_LIVE" "${@:2}" <<'PY'
import sys
text = open(sys.argv[1], encoding="utf-8").read()
for number, change in enumerate(sys.argv[2:]):
    old, new = change.split("=>", 1)
    if number and old not in text:
        sys.exit(f"{sys.argv[1]} has no {old!r}")
    text = text.replace(old, new)
print(text, end="")
PY
}

# command_of FILE [FROM=>TO…]: runs the scenario's file, a command as the manual page shows it, as the user $run_as.
command_of() {
    local text
    text=$(config "$@") || return 1
    as "${run_as:-nobody}" sh -c "$text"
}

# … | shows TEXT: standard input contains TEXT; if not, it is told.
shows() {
    local got
    got=$(cat)
    [[ $got == *"$1"* ]] || { echo "no '$1' in: $got" >&2; return 1; }
}

listens() { socat -u OPEN:/dev/null "TCP:127.0.0.1:$1"; }

# background NAME COMMAND…: a program of the scenario, stopped at its end; what it says is in $work/NAME.log; its id in $started.
background() {
    local name=$1
    shift
    "$@" >>"$work/$name.log" 2>&1 </dev/null &
    started=$!
    server $started
}

# The server of client programs: nginx that wants a certificate and says whose it was, at $port, with the identity 'web'.
start_nginx() {
    port=${port:-$(free_port)}
    export port
    write_nginx_config
    background nginx nginx -c "$work/nginx.conf"
    nginx=$started
    await 20 listens "$port"
}
reload_nginx() { kill -HUP "$nginx"; }

next_certificate() { openssl x509 -in "$SIGNET_LIVE/$1/cert.pem" -noout -serial; }

# serves_new PORT IDENTITY: what listens there shows the current certificate.
serves_new() {
    [ "$(openssl s_client -connect "localhost:$1" </dev/null 2>/dev/null | openssl x509 -noout -serial)" = "$(next_certificate "$2")" ]
}

# rotates IDENTITY: also while a killed agent comes back, or a rotation of its own is under way.
rotates() { await 90 timeout 60 signetctl rotate "$1"; }

# under_load TITLE REQUEST [RELOAD [IDENTITY…]]: three loops of the function REQUEST while the identities are rotated (and RELOAD is called
# after each rotation) and the agent is killed. Nothing may fail.
under_load() {
    local title=$1 request=$2 reload=${3:-true} n id loops=()
    shift $(($# > 3 ? 3 : $#))
    [ $# -gt 0 ] || set -- app web
    rm -f "$work"/stop "$work"/loop-*
    for n in 1 2 3; do
        loop "loop-$n" "$request" & loops+=($!)
    done
    for n in $(seq $rotations); do
        [ "$n" != 2 ] || { kill_agent; sleep 0.5; await 20 signetctl list; }
        for id in "$@"; do
            ok "$title: rotation $n of '$id'" rotates "$id"
        done
        $reload
        sleep 1
    done
    sleep 1
    touch "$work/stop"
    for n in "${loops[@]}"; do wait "$n" || true; done
    rm -f "$work/stop"
    ok "$title: requests were made meanwhile" test "$(sum ok)" -gt 2
    ok "$title: none of $(sum ok) failed, over $rotations rotations and a killed agent" test "$(sum failed)" = 0
    if [ "$(sum failed)" != 0 ]; then tail -n 8 "$work"/loop-*.log | sed 's/^/#   /'; fi
    echo "# requests $(sum ok)"
}

# many_reloads TITLE REQUEST RELOAD: so many reloads in a row under load; every request is answered within its own limit.
many_reloads() {
    local title=$1 request=$2 reload=$3 n loops=()
    rm -f "$work"/stop "$work"/loop-*
    for n in 1 2 3; do
        loop "loop-$n" "$request" & loops+=($!)
    done
    for n in $(seq $reloads); do
        $reload
        sleep 0.1
    done
    sleep 1
    touch "$work/stop"
    for n in "${loops[@]}"; do wait "$n" || true; done
    rm -f "$work/stop"
    ok "$title: requests were made over $reloads reloads" test "$(sum ok)" -gt 2
    ok "$title: none of $(sum ok) hung or failed over $reloads reloads" test "$(sum failed)" = 0
    if [ "$(sum failed)" != 0 ]; then tail -n 8 "$work"/loop-*.log | sed 's/^/#   /'; fi
    echo "# requests $(sum ok)"
}
