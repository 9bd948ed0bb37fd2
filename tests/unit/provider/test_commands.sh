#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# What the openssl command does with keys of the agent, with the providers in one order and the other. Prints TAP.
# Needs SIGNET_PROVIDER and FAKE_AGENT; meson sets them.
set -u

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
echo 'a message' >message
openssl dgst -sha256 -binary message >digest

configure() { # first, second provider
    cat >openssl.cnf <<EOF
openssl_conf = init
[init]
providers = list
[list]
$1 = $1_section
$2 = $2_section
[default_section]
activate = 1
[signet_section]
module = $SIGNET_PROVIDER
socket = $dir/socket
activate = 1
[req]
distinguished_name = name
[name]
[v3_ca]
basicConstraints = critical, CA:TRUE
EOF
    export OPENSSL_CONF=$dir/openssl.cnf
}

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

# Runs a command that must succeed. Its output stays in the file 'output'.
check() {
    "$@" >output 2>error
    report $? "${*//$dir\//}"
}
# The file 'output' holds this line.
has() {
    grep -qe "$1" output
    report $? "… has '$1'"
}
same() {
    cmp "$1" "$2" >error 2>&1
    report $? "$1 and $2 are the same"
}

public_and_requests() { # kind
    key=$live/$1/1/key.pem
    check openssl pkey -in "$key" -pubout -out public.pem
    openssl x509 -in "$live/$1/1/cert.pem" -noout -pubkey >expected.pem
    same public.pem expected.pem
    check openssl pkey -inform DER -in "$live/$1/1/key.der" -pubout -outform DER -out public.der
    check openssl pkey -in "$key" -out again.pem
    tail -n +2 "$key" >expected.pem
    same again.pem expected.pem
    check openssl req -new -key "$key" -subj /CN=new -out request.pem
    check openssl req -in request.pem -noout -verify
    check openssl req -x509 -key "$key" -subj /CN=issuer -extensions v3_ca -out issuer.pem
    check openssl x509 -req -in request.pem -CA issuer.pem -CAkey "$key" -CAcreateserial -out issued.pem
    check openssl verify -CAfile issuer.pem issued.pem
}

signatures() { # kind
    key=$live/$1/1/key.pem
    check openssl dgst -sha384 -sign "$key" -out signature message
    check openssl dgst -sha384 -verify public.pem -signature signature message
    check openssl dgst -sha384 -prverify "$key" -signature signature message
    check openssl pkeyutl -sign -inkey "$key" -rawin -digest sha256 -in message -out signature
    check openssl pkeyutl -verify -pubin -inkey public.pem -rawin -digest sha256 -in message -sigfile signature
    check openssl pkeyutl -sign -inkey "$key" -in digest -out signature
    check openssl pkeyutl -verify -pubin -inkey public.pem -in digest -sigfile signature
    check openssl pkeyutl -sign -inkey "$key" -pkeyopt digest:sha256 -in digest -out signature
    check openssl pkeyutl -verify -pubin -inkey public.pem -pkeyopt digest:sha256 -in digest -sigfile signature
}

messages() { # kind
    cert=$live/$1/1/cert.pem
    key=$live/$1/1/key.pem
    check openssl cms -sign -in message -signer "$cert" -inkey "$key" -out message.cms
    check openssl cms -verify -in message.cms -CAfile "$live/ca.pem"
    check openssl cms -encrypt -in message -out message.cms "$cert"
    check openssl cms -decrypt -in message.cms -recip "$cert" -inkey "$key"
    has 'a message'
}

stores() { # kind
    check openssl storeutl "signet:$1"
    has 'Total found: 3'
    check openssl storeutl -keys "signet:$1;generation=1"
    has 'Total found: 1'
    check openssl storeutl -certs -noout "signet:$1;generation=1"
    has 'Total found: 2'
    check openssl pkey -in "signet:$1" -pubout
    check openssl pkcs12 -export -inkey "$live/$1/1/key.pem" -in "$live/$1/1/cert.pem" -passout pass:x -out key.p12
    check openssl pkcs12 -in key.p12 -passin pass:x -nodes
    has 'BEGIN PRIVATE KEY'
}

agreements() { # kind
    key=$live/$1/1/key.pem
    openssl pkey -in "$live/keys/$1-2.pem" -pubout -out peer.pem
    openssl pkey -in "$key" -pubout -out ours.pem
    check openssl pkeyutl -derive -inkey "$key" -peerkey peer.pem -out secret
    check openssl pkeyutl -derive -inkey "$live/keys/$1-2.pem" -peerkey ours.pem -out expected
    same secret expected
}

rsa_only() {
    key=$live/rsa/1/key.pem
    pss='-sigopt rsa_padding_mode:pss'
    for options in "$pss" "$pss -sigopt rsa_pss_saltlen:digest" "$pss -sigopt rsa_pss_saltlen:max"; do
        # shellcheck disable=SC2086
        check openssl dgst -sha256 $options -sign "$key" -out signature message
        # shellcheck disable=SC2086
        check openssl dgst -sha256 $options -verify public.pem -signature signature message
    done
    check openssl req -x509 -key "$key" -subj /CN=pss -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -out pss.pem
    check openssl verify -CAfile pss.pem pss.pem
    check openssl cms -sign -in message -signer "$live/rsa/1/cert.pem" -inkey "$key" -keyopt rsa_padding_mode:pss -out message.cms
    check openssl cms -verify -in message.cms -CAfile "$live/ca.pem"
    for options in '' '-pkeyopt rsa_padding_mode:oaep' \
        '-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_oaep_label:abcd'; do
        # shellcheck disable=SC2086
        check openssl pkeyutl -encrypt -pubin -inkey public.pem $options -in message -out secret
        # shellcheck disable=SC2086
        check openssl pkeyutl -decrypt -inkey "$key" $options -in secret -out output2
        same output2 message
    done
}

bystanders() {
    check openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out soft.pem
    check openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out soft-rsa.pem
    check openssl ecparam -name secp384r1 -genkey -noout -out soft-traditional.pem
    for soft in soft.pem soft-rsa.pem soft-traditional.pem; do
        check openssl pkey -in $soft -pubout -out public.pem
        check openssl dgst -sha256 -sign $soft -out signature message
        check openssl dgst -sha256 -verify public.pem -signature signature message
    done
}

port=24433
handshake() { # server's kind, client's kind, options
    port=$((port + 1))
    env LD_PRELOAD="$runtime" ASAN_OPTIONS=detect_leaks=0 openssl s_server -accept $port -naccept 1 -quiet -CAfile "$live/ca.pem" -Verify 2 -verify_return_error \
        -cert "$live/$1/1/cert.pem" -key "$live/$1/1/key.pem" </dev/null >server 2>&1 &
    server=$!
    tries=0
    until grep -q ":$(printf %04X $port) 0*:0000 0A " /proc/net/tcp /proc/net/tcp6 || [ $tries = 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    # shellcheck disable=SC2086
    echo Q | openssl s_client -connect 127.0.0.1:$port -CAfile "$live/ca.pem" -verify_return_error \
        -cert "$live/$2/1/cert.pem" -key "$live/$2/1/key.pem" $3 >output 2>error
    report $? "s_server with $1, s_client with $2 $3"
    kill $server 2>/dev/null
    wait $server 2>/dev/null
}

for order in 'default first' 'signet first'; do
    if [ "$order" = 'default first' ]; then configure default signet; else configure signet default; fi
    bystanders
    for kind in p256 p384 p521 rsa; do
        public_and_requests $kind
        signatures $kind
        messages $kind
        stores $kind
        [ $kind = rsa ] || agreements $kind
        for client in p256 rsa; do
            handshake $kind $client -tls1_2
            handshake $kind $client -tls1_3
        done
    done
    openssl pkey -in "$live/rsa/1/key.pem" -pubout -out public.pem
    rsa_only
    # a certificate and a key of another identity
    if openssl req -new -x509 -key "$live/p256/1/key.pem" -subj /CN=x -out x.pem 2>error &&
        ! openssl x509 -req -in request.pem -CA x.pem -CAkey "$live/p384/1/key.pem" -out y.pem 2>error; then
        report 0 'a certificate of another identity is refused'
    else
        report 1 'a certificate of another identity is refused'
    fi
done
echo "1..$count"
exit $((failed > 0))
