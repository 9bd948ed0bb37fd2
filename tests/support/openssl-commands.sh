# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced: what the openssl command does with keys of an agent, one function for each kind of use. Works in the current directory.
# Expects of who sources it: key_of NAME, cert_of NAME (paths), $anchors (a file), report STATUS WORDS, $store_size (of 'signet:NAME'),
# and free_port (load.sh).

# configure_openssl FIRST SECOND MODULE SOCKET: the order of the providers, in openssl.cnf here.
configure_openssl() {
    cat >openssl.cnf <<CONF
openssl_conf = init
[init]
providers = list
[list]
$1 = $1_section
$2 = $2_section
[default_section]
activate = 1
[signet_section]
module = $3
socket = $4
activate = 1
[req]
distinguished_name = name
[name]
[v3_ca]
basicConstraints = critical, CA:TRUE
CONF
    export OPENSSL_CONF=$PWD/openssl.cnf
}

# Runs a command that must succeed. Its output stays in the file 'output'.
check() {
    local rc=0
    "$@" >output 2>error || rc=$?
    report $rc "${*//$PWD\//}"
}
# … or must fail.
check_fails() {
    local rc=0
    "$@" >output 2>error || rc=$?
    report $((rc == 0)) "fails: ${*//$PWD\//}"
}
# The file 'output' holds this line.
has() {
    local rc=0
    cp output error
    grep -qe "$1" output || rc=$?
    report $rc "… has '$1'"
}
same() {
    local rc=0
    cmp "$1" "$2" >error 2>&1 || rc=$?
    report $rc "${1//$PWD\//} and ${2//$PWD\//} are the same"
}

public_key() { # name; leaves it in public.pem
    local key
    key=$(key_of "$1")
    openssl asn1parse -in "$key" -noout -out key.der
    check openssl pkey -in "$key" -pubout -out public.pem
    openssl x509 -in "$(cert_of "$1")" -noout -pubkey >expected.pem
    same public.pem expected.pem
    check openssl pkey -inform DER -in key.der -pubout -outform DER -out public.der
    check openssl pkey -in "$key" -out again.pem
    tail -n +2 "$key" >expected.pem
    same again.pem expected.pem
}

requests() { # name; leaves one in request.pem
    check openssl req -new -key "$(key_of "$1")" -subj /CN=new -out request.pem
    check openssl req -in request.pem -noout -verify
}

certificates() { # name
    local key
    key=$(key_of "$1")
    check openssl req -x509 -key "$key" -subj /CN=issuer -extensions v3_ca -out issuer.pem
    check openssl x509 -req -in request.pem -CA issuer.pem -CAkey "$key" -CAcreateserial -out issued.pem
    check openssl verify -CAfile issuer.pem issued.pem
}
no_certificates() { # name; a key of the agent is no CA
    check_fails openssl req -x509 -key "$(key_of "$1")" -subj /CN=issuer -extensions v3_ca -out issuer.pem
    check_fails openssl x509 -req -in request.pem -CA "$(cert_of "$1")" -CAkey "$(key_of "$1")" -CAcreateserial -out issued.pem
}

signatures() { # name, after public_key
    local key
    key=$(key_of "$1")
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
raw_signatures() { # name of an Ed25519 key, after public_key
    check openssl pkeyutl -sign -inkey "$(key_of "$1")" -rawin -in message -out signature
    check openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in message -sigfile signature
}

signed_messages() { # name
    check openssl cms -sign -in message -signer "$(cert_of "$1")" -inkey "$(key_of "$1")" -out message.cms
    check openssl cms -verify -purpose any -in message.cms -CAfile "$anchors"
}
encrypted_messages() { # name
    check openssl cms -encrypt -in message -out message.cms "$(cert_of "$1")"
    check openssl cms -decrypt -in message.cms -recip "$(cert_of "$1")" -inkey "$(key_of "$1")"
    has 'a message'
}

stores() { # name
    check openssl storeutl "signet:$1"
    has "Total found: $store_size"
    check openssl storeutl -keys "signet:$1;generation=1"
    has 'Total found: 1'
    check openssl storeutl -certs -noout "signet:$1;generation=1"
    has "Total found: $((store_size - 1))"
    check openssl pkey -in "signet:$1" -pubout
    check openssl pkcs12 -export -inkey "$(key_of "$1")" -in "$(cert_of "$1")" -passout pass:x -out key.p12
    check openssl pkcs12 -in key.p12 -passin pass:x -nodes
    has 'BEGIN PRIVATE KEY'
}

agreements() { # name, curve
    openssl genpkey -quiet -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out peer-key.pem
    openssl pkey -in peer-key.pem -pubout -out peer.pem
    openssl pkey -in "$(key_of "$1")" -pubout -out ours.pem
    check openssl pkeyutl -derive -inkey "$(key_of "$1")" -peerkey peer.pem -out secret
    check openssl pkeyutl -derive -inkey peer-key.pem -peerkey ours.pem -out expected
    same secret expected
}

rsa_signatures() { # name, after public_key
    local key options pss='-sigopt rsa_padding_mode:pss'
    key=$(key_of "$1")
    for options in "$pss" "$pss -sigopt rsa_pss_saltlen:digest" "$pss -sigopt rsa_pss_saltlen:max"; do
        # shellcheck disable=SC2086
        check openssl dgst -sha256 $options -sign "$key" -out signature message
        # shellcheck disable=SC2086
        check openssl dgst -sha256 $options -verify public.pem -signature signature message
    done
    check openssl req -new -key "$key" -subj /CN=pss -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -out pss.pem
    check openssl req -in pss.pem -noout -verify
    check openssl cms -sign -in message -signer "$(cert_of "$1")" -inkey "$key" -keyopt rsa_padding_mode:pss -out message.cms
    check openssl cms -verify -purpose any -in message.cms -CAfile "$anchors"
}
rsa_decryption() { # name, after public_key
    local options
    for options in '' '-pkeyopt rsa_padding_mode:oaep' \
        '-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_oaep_label:abcd'; do
        # shellcheck disable=SC2086
        check openssl pkeyutl -encrypt -pubin -inkey public.pem $options -in message -out secret
        # shellcheck disable=SC2086
        check openssl pkeyutl -decrypt -inkey "$(key_of "$1")" $options -in secret -out opened
        same opened message
    done
}

# Keys that are none of the agent's.
bystanders() {
    local soft
    check openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out soft.pem
    check openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out soft-rsa.pem
    check openssl ecparam -name secp384r1 -genkey -noout -out soft-traditional.pem
    for soft in soft.pem soft-rsa.pem soft-traditional.pem; do
        check openssl pkey -in $soft -pubout -out public.pem
        check openssl dgst -sha256 -sign $soft -out signature message
        check openssl dgst -sha256 -verify public.pem -signature signature message
    done
}

handshake() { # server's name, client's name, options
    local port server tries=0 rc=0
    port=$(free_port)
    openssl s_server -accept "$port" -naccept 1 -quiet -CAfile "$anchors" -Verify 2 -verify_return_error \
        -cert "$(cert_of "$1")" -key "$(key_of "$1")" </dev/null >server 2>&1 &
    server=$!
    until grep -q ":$(printf %04X "$port") 0*:0000 0A " /proc/net/tcp /proc/net/tcp6 || [ $tries = 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    # shellcheck disable=SC2086
    echo Q | openssl s_client -connect "127.0.0.1:$port" -CAfile "$anchors" -verify_return_error \
        -cert "$(cert_of "$2")" -key "$(key_of "$2")" $3 >output 2>error || rc=$?
    cat server >>error
    report $rc "s_server with $1, s_client with $2 $3"
    # shellcheck disable=SC2046 # where openssl is a function, the server is its child
    kill $(ps -o pid= --ppid $server) $server 2>/dev/null || true
    wait $server 2>/dev/null || true
}
