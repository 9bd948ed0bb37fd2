# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by integration tests after ca-server.sh: Let's Encrypt's test server for ACME, and a DNS server that says 127.0.0.1 for every name. They take
# fixed ports, on all interfaces, so that the test runs in a network of its own.

# pebble_network "$0" "$@": goes on in a network namespace with nothing but loopback.
pebble_network() {
    [ -z "${SIGNET_PEBBLE_NETWORK:-}" ] || return 0
    SIGNET_PEBBLE_NETWORK=1 exec unshare --net -- sh -c 'ip link set lo up && exec "$@"' sh "$@"
}

pebble_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/pebble/root.key" -out "$work/pebble/root.pem" \
        -subj '/CN=Server root' -days 2 -addext basicConstraints=critical,CA:TRUE 2>/dev/null
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/pebble/server.key" -out "$work/pebble/server.csr" \
        -subj '/CN=localhost' 2>/dev/null
    openssl x509 -req -in "$work/pebble/server.csr" -CA "$work/pebble/root.pem" -CAkey "$work/pebble/root.key" -CAcreateserial -days 2 \
        -out "$work/pebble/server.pem" -extfile <(printf 'subjectAltName=DNS:localhost\n') 2>/dev/null
}

# pebble_config ['"key": value,'…]: with these settings.
pebble_config() {
    cat >"$work/pebble/config.json" <<JSON
{"pebble": {
  $*
  "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
  "certificate": "$work/pebble/server.pem", "privateKey": "$work/pebble/server.key",
  "httpPort": 5002, "tlsPort": 5001, "ocspResponderURL": ""
}}
JSON
}

# pebble_start [VARIABLE=VALUE…]
pebble_start() {
    env PEBBLE_VA_NOSLEEP=1 "$@" pebble -strict -config "$work/pebble/config.json" -dnsserver 127.0.0.1:8053 >>"$work/pebble/log" 2>&1 &
    pebble_pid=$!
    server $!
    await 20 curl -sf --cacert "$work/pebble/root.pem" -o /dev/null https://localhost:14000/dir || {
        sed 's/^/# /' "$work/pebble/log"
        echo 'Bail out! pebble did not come up'
        exit 1
    }
    curl -sf --cacert "$work/pebble/root.pem" https://localhost:15000/roots/0 >"$work/pebble/issuer.pem"
}

pebble_stop() {
    kill "$pebble_pid"
    wait "$pebble_pid" 2>/dev/null || true
}

pebble_dns() {
    pebble-challtestsrv -dns01 127.0.0.1:8053 -http01 '' -https01 '' -tlsalpn01 '' -management 127.0.0.1:8055 -defaultIPv6 '' \
        >"$work/pebble/dns.log" 2>&1 &
    server $!
    await 20 curl -s -o /dev/null http://127.0.0.1:8055/
}

pebble_up() {
    mkdir -p "$work/pebble"
    pebble_certificate
    pebble_config "$@"
    pebble_dns
}
