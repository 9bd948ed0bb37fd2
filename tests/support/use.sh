# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by integration tests, after bed.sh: one use of an identity's key each, of something new, checked with its certificate.

# sign IDENTITY: through the provider, with SHA-256 where the key wants a digest.
sign() {
    local cert=$SIGNET_LIVE/$1/cert.pem file=$work/sign.$BASHPID digest=(-digest sha256)
    ! openssl x509 -in "$cert" -noout -text | grep -q 'Public Key Algorithm: ED25519' || digest=()
    date +%N >"$file"
    openssl pkeyutl -sign -rawin "${digest[@]}" -inkey "$SIGNET_LIVE/$1/key.pem" -in "$file" -out "$file.signature" &&
        openssl pkeyutl -verify -rawin "${digest[@]}" -certin -inkey "$cert" -sigfile "$file.signature" -in "$file"
}

# sign_pss IDENTITY
sign_pss() {
    local pss=(-pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32 -rawin -digest sha256)
    date +%N >"$work/message"
    openssl pkeyutl -sign "${pss[@]}" -inkey "$SIGNET_LIVE/$1/key.pem" -in "$work/message" -out "$work/signature" &&
        openssl pkeyutl -verify "${pss[@]}" -certin -inkey "$SIGNET_LIVE/$1/cert.pem" -sigfile "$work/signature" -in "$work/message"
}

# decrypt IDENTITY
decrypt() {
    local oaep=(-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256)
    date +%N >"$work/plain"
    openssl pkeyutl -encrypt -certin -inkey "$SIGNET_LIVE/$1/cert.pem" "${oaep[@]}" -in "$work/plain" -out "$work/cipher" &&
        openssl pkeyutl -decrypt -inkey "$SIGNET_LIVE/$1/key.pem" "${oaep[@]}" -in "$work/cipher" -out "$work/opened" &&
        cmp "$work/plain" "$work/opened"
}

# module_sign IDENTITY MECHANISM VERIFY-OPTION…: through the PKCS#11 module, verified by openssl.
# tool_as=USER: as that user; message=FILE: is signed.
module_sign() {
    local name=$1 mechanism=$2 file=${message:-$work/message} signature=$work/signature.module run=(pkcs11-tool)
    shift 2
    [ -z "${tool_as:-}" ] || run=(as "$tool_as" pkcs11-tool)
    [ -n "${message:-}" ] || date +%N >"$file"
    "${run[@]}" --module "$SIGNET_PKCS11" --sign --id "$(printf %s "$name" | od -An -v -tx1 | tr -d ' \n')" -m "$mechanism" \
        --signature-format openssl -i "$file" -o "$signature" &&
        openssl x509 -in "$SIGNET_LIVE/$name/cert.pem" -noout -pubkey >"$work/public" || return 1
    if [ "$mechanism" = EDDSA ]; then
        openssl pkeyutl -verify -rawin -pubin -inkey "$work/public" -sigfile "$signature" -in "$file"
    else
        openssl dgst -sha256 -verify "$work/public" -signature "$signature" "$@" "$file"
    fi
}
