# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# bash completion for signetctl

_signetctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} word command='' skip=
    local commands='status list show enroll rotate reload watch token policy version help'
    local options='--json --bus-address --help'

    case $prev in
    --bus-address) return ;;
    --config-dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ -n $skip ]]; then
            skip=
        elif [[ $word == --bus-address ]]; then
            skip=yes
        elif [[ $word != -* && -z $command ]]; then
            command=$word
        fi
    done
    case $command in
    '') options="$options $commands" ;;
    show) options="$options $(signetctl list --names 2>/dev/null)" ;;
    enroll | rotate) options="$options --no-wait $(signetctl list --names 2>/dev/null)" ;;
    list) options="$options --names" ;;
    policy)
        options="$options check simulate --config-dir --from --to --lifetime --ca-away --ca-back --fleet --within --csv
            $(signetctl list --names 2>/dev/null)"
        ;;
    esac
    if [[ $cur == -* || -z $command || $command == @(show|enroll|rotate|policy) ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    fi
}

complete -F _signetctl signetctl
