# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the tests of hostile CAs after bed.sh, ca-server.sh and bed_up: drives tests/support/hostile-table through one protocol's server.

# hostile_certificate: remembers the certificate in use, which has to stay.
hostile_certificate() { before=$(cat "$SIGNET_LIVE/gateway/cert.pem"); }
is_unchanged() { [ "$(cat "$SIGNET_LIVE/gateway/cert.pem")" = "$before" ]; }
# It still signs, with the key that belongs to it.
works() {
    is_unchanged && openssl x509 -in "$SIGNET_LIVE/gateway/cert.pem" -noout -pubkey >"$work/public.pem" &&
        openssl dgst -sha256 -sign "$SIGNET_LIVE/gateway/key.pem" -out "$work/signature" "$work/public.pem" &&
        openssl dgst -sha256 -verify "$work/public.pem" -signature "$work/signature" "$work/public.pem"
}
no_enroller() { ! pgrep -P "$(cat "$bed/pid/signetd")" -x signet-enroll >/dev/null; }

# fails_so TEXT SECONDS: the rotation fails with these words, within that time, and says so; no enroller is left, and the certificate in use works.
fails_so() {
    local text=$1 most=$2 begin=$SECONDS out
    out=$(rotate gateway 2>&1) && return 1
    printf '%s\n' "$out"
    spent=$((SECONDS - begin))
    [[ $out == *"$text"* ]] && [ "$spent" -le "$most" ] || return 1
    state=$(sed -n 's/^gateway: \([a-z-]*\): .*/\1/p' <<<"$out" | tail -n 1)
    [ "$state" = failed ] && await 2 no_enroller && works
}

# hostile_row SERVER 'OPERATION…' MODE TEXT SECONDS: one row; its line of the table goes out as a comment.
hostile_row() {
    local operations
    read -ra operations <<<"$2"
    ca_mode "$1" "${operations[@]/%/ $3}"
    spent=- state=-
    ok "${2%% *} answered by $3 ends in a state, and the certificate in use works" fails_so "$4" "$5"
    printf '# | %-18s | %-18s | %-7s | %2s s | %s\n' "$2" "$3" "$state" "$spent" "$4"
}

# hostile_words PROTOCOL: lines "MODE|words", of the rows that the protocol has.
hostile_words() {
    local mode est cmp acme scep
    while IFS='|' read -r mode est cmp acme scep; do
        [[ $mode == '#'* ]] || printf '%s|%s\n' "$mode" "${!1}"
    done <"$top/tests/support/hostile-table" | sed 's/ *| */|/; s/ *$//; /|-$/d'
}

# hostile_table PROTOCOL SERVER 'OPERATION…' [OPERATION-OF-CERTIFICATES]: all rows but changed-ca.
hostile_table() {
    local mode text place last=$3
    while IFS='|' read -r mode text; do
        case $mode in
        changed-ca) continue ;;
        wrong-key | someone-else | other-names | no-eku | expired | not-yet-valid | one-minute | fifty-years | long-chain | other-ca)
            place=${4:-$3}
            ;;
        *) place=$3 ;;
        esac
        # what was begun at one place, such as an order, may go on when that answers again
        if [ "$place" != "$last" ]; then
            ca_mode "$2" '* honest'
            ok "$2 goes on as soon as $last answers again" rotate gateway
            hostile_certificate
            last=$place
        fi
        hostile_row "$2" "$place" "$mode" "$text" 8
    done < <(hostile_words "$1")
}

# hostile_changed_ca PROTOCOL SERVER CA: the server comes back as another CA, while Trust= of ca.d/CA.conf still names the first.
hostile_changed_ca() {
    cp "$work/$2/ca/root.pem" "$work/first.pem"
    sed -i "s,^Trust=.*,Trust=$work/first.pem," "$bed/etc/ca.d/$3.conf"
    signetctl reload >/dev/null
    rm -rf "$work/$2/ca"
    ca_restart "$2"
    hostile_row "$2" any changed-ca "$(hostile_words "$1" | sed -n 's/^changed-ca|//p')" 8
}
