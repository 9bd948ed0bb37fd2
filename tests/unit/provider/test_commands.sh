#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# What the openssl command does with keys of the agent, with the providers in one order and the other. Prints TAP.
# Needs SIGNET_PROVIDER and FAKE_AGENT; meson sets them.
set -u
support=$(cd "$(dirname "$0")/../../support" && pwd)
. "$support/load.sh"
. "$support/openssl-commands.sh"

dir=$(mktemp -d /tmp/signet-commands-XXXXXX)
agent=
# shellcheck disable=SC2317 # run by the trap
cleanup() {
    [ -z "$agent" ] || kill "$agent"
    rm -rf "$dir"
}
trap cleanup EXIT
cd "$dir" || exit 1
unset OPENSSL_CONF SIGNET_SOCKET

# A module built with a sanitizer needs its runtime in front of everything.
runtime=$(ldd "$SIGNET_PROVIDER" | sed -n 's/.*libasan[^ ]* => \([^ ]*\) .*/\1/p')
openssl() {
    LD_PRELOAD=$runtime ASAN_OPTIONS=detect_leaks=0 command openssl "$@"
}

mkfifo ready
"$FAKE_AGENT" --socket "$dir/socket" --live "$dir/live" --log "$dir/log" \
    p256=ec:P-256 p384=ec:P-384 p521=ec:P-521 rsa=rsa:2048 >ready &
agent=$!
read -r word <ready
[ "$word" = ready ] || exit 1
live=$dir/live
key_of() { echo "$live/$1/1/key.pem"; }
cert_of() { echo "$live/$1/1/cert.pem"; }
anchors=$live/ca.pem
store_size=3
echo 'a message' >message
openssl dgst -sha256 -binary message >digest

count=0
failed=0
report() { # status, words
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $order: $2"
    else
        failed=$((failed + 1))
        echo "not ok $count - $order: $2"
        sed 's/^/# /' error
    fi
}

for order in 'default first' 'signet first'; do
    if [ "$order" = 'default first' ]; then names='default signet'; else names='signet default'; fi
    # shellcheck disable=SC2086
    configure_openssl $names "$SIGNET_PROVIDER" "$dir/socket"
    bystanders
    for kind in p256 p384 p521 rsa; do
        public_key $kind
        same key.der "$live/$kind/1/key.der"
        requests $kind
        certificates $kind
        signatures $kind
        signed_messages $kind
        encrypted_messages $kind
        stores $kind
        [ $kind = rsa ] || agreements $kind "P-${kind#p}"
        for client in p256 rsa; do
            handshake $kind $client -tls1_2
            handshake $kind $client -tls1_3
        done
    done
    openssl pkey -in "$(key_of rsa)" -pubout -out public.pem
    rsa_signatures rsa
    rsa_decryption rsa
    check openssl req -x509 -key "$(key_of rsa)" -subj /CN=pss -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -out pss.pem
    check openssl verify -CAfile pss.pem pss.pem
    openssl req -new -x509 -key "$(key_of p256)" -subj /CN=x -out x.pem 2>error
    # a certificate and a key of another identity
    check_fails openssl x509 -req -in request.pem -CA x.pem -CAkey "$(key_of p384)" -out y.pem
done
echo "1..$count"
exit $((failed > 0))
