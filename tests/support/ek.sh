# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by integration tests after bed.sh: software TPMs whose maker has certified their endorsement keys, as makers do.

# ek_tpm STATE [OPTION…]: the state of a new TPM in the directory STATE; its maker's certificates are in $work/maker/trust.pem.
ek_tpm() {
    local state=$1
    shift
    mkdir -p "$work/maker" "$state"
    chmod 700 "$state"
    cat >"$work/maker/setup.conf" <<CONF
create_certs_tool=/usr/bin/swtpm_localca
create_certs_tool_config=$work/maker/localca.conf
create_certs_tool_options=$work/maker/localca.options
active_pcr_banks=sha256
CONF
    cat >"$work/maker/localca.conf" <<CONF
statedir=$work/maker
signingkey=$work/maker/signkey.pem
issuercert=$work/maker/issuercert.pem
certserial=$work/maker/certserial
CONF
    printf -- '--platform-manufacturer Signet\n--platform-version 1\n--platform-model Test\n' >"$work/maker/localca.options"
    (unset OPENSSL_CONF && swtpm_setup --tpm2 --tpmstate "$state" --createek --create-ek-cert --lock-nvram --overwrite \
        --config "$work/maker/setup.conf" "$@") >>"$work/maker/log" 2>&1 || {
        sed 's/^/# /' "$work/maker/log"
        echo 'Bail out! swtpm_setup made no TPM'
        exit 1
    }
    cat "$work/maker/issuercert.pem" "$work/maker/swtpm-localca-rootca-cert.pem" >"$work/maker/trust.pem"
}

# ak_ca NAME: a CA that certifies attestation keys: $work/NAME.pem, NAME.key.
ak_ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.pem" -subj "/CN=$1" -days 9 \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
}

# ak_certify KEY OUT NAME [LINE…]: that CA certifies the public key in KEY (WebAuthn 8.3.1), with further extensions.
ak_certify() {
    local key=$1 out=$2 ca=$3
    shift 3
    printf '%s\n' basicConstraints=critical,CA:FALSE extendedKeyUsage=2.23.133.8.3 subjectAltName=critical,dirName:tpm "$@" '[tpm]' \
        x.2.23.133.2.1=id:00001014 x.2.23.133.2.2=swtpm x.2.23.133.2.3=id:20191023 >"$work/ak.ext"
    openssl req -new -key "$work/$ca.key" -subj /CN=x -out "$work/ak.csr" 2>/dev/null
    openssl x509 -req -in "$work/ak.csr" -force_pubkey "$key" -subj / -CA "$work/$ca.pem" -CAkey "$work/$ca.key" -CAcreateserial -days 9 \
        -extfile "$work/ak.ext" -out "$out"
}
