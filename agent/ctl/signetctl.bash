# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# bash completion for signetctl

_signetctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} word command='' skip=
    local commands='status list show enroll rotate check rollback revoke adopt request import device-code attest verify-evidence reload watch token unlock lock policy setup why-not version help'
    local options='--json --bus-address --help'

    case $prev in
    --bus-address) return ;;
    --object | --nonce | --generation) return ;;
    --user)
        mapfile -t COMPREPLY < <(compgen -u -- "$cur")
        return
        ;;
    --purpose)
        mapfile -t COMPREPLY < <(compgen -W 'tls-client tls-server sign' -- "$cur")
        return
        ;;
    --unit)
        mapfile -t COMPREPLY < <(compgen -W "$(systemctl list-units --type=service --plain --no-legend 2>/dev/null | cut -d ' ' -f 1)" -- "$cur")
        return
        ;;
    --reason)
        mapfile -t COMPREPLY < <(compgen -W 'unspecified keyCompromise affiliationChanged superseded cessationOfOperation privilegeWithdrawn' -- "$cur")
        return
        ;;
    --config-dir | --state-dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    device-code | verify-evidence | --key | --cert | --password-file | --config | --output | -o | --challenge | \
        --import-ak-certificate | --ek-trust | --ak-trust | --make-challenge | --answer | --ak-key)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ -n $skip ]]; then
            skip=
        elif [[ $word == @(--bus-address|--object|--generation|--reason|--key|--cert|--password-file|--config|--user|--unit|--purpose|--nonce|--output|-o|--challenge|--import-ak-certificate|--ek-trust|--ak-trust|--make-challenge|--answer|--ak-key) ]]; then
            skip=yes
        elif [[ $word != -* && -z $command ]]; then
            command=$word
        fi
    done
    case $command in
    '') options="$options $commands" ;;
    attest) options="$options --nonce --output --challenge --import-ak-certificate $(signetctl list --names 2>/dev/null)" ;;
    verify-evidence) options="$options --ek-trust --ak-trust --nonce --make-challenge --challenge --answer --ak-key" ;;
    show | check | rollback | request | import) options="$options $(signetctl list --names 2>/dev/null)" ;;
    enroll | rotate) options="$options --no-wait $(signetctl list --names 2>/dev/null)" ;;
    adopt)
        options="$options --object --key --cert --password-file --ask-password --enroll --take-over --no-wait
            $(signetctl list --names 2>/dev/null)"
        ;;
    revoke) options="$options --generation --reason $(signetctl list --names 2>/dev/null)" ;;
    list) options="$options --names" ;;
    token) options="$options list show measure --names --no-wait $(signetctl token --names 2>/dev/null)" ;;
    unlock) options="$options --pin-fd --last-try --again $(signetctl token --names 2>/dev/null)" ;;
    lock) options="$options $(signetctl token --names 2>/dev/null)" ;;
    why-not)
        options="$options --user --unit --purpose --config-dir $(signetctl list --names 2>/dev/null) $(compgen -c -- "$cur" | head -n 200)"
        ;;
    setup) options="$options openssl --dry-run --check --undo --config" ;;
    policy)
        options="$options check show simulate --config-dir --state-dir --from --to --lifetime --ca-away --ca-back --issuer-end --fleet --within --csv
            $(signetctl list --names 2>/dev/null)"
        ;;
    esac
    if [[ $cur == -* || -z $command || $command == @(show|enroll|rotate|check|rollback|revoke|adopt|attest|request|import|token|unlock|lock|policy|setup|why-not) ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    fi
}

complete -F _signetctl signetctl
