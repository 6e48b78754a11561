# SPDX-License-Identifier: Apache-2.0
# Tab completion for bash: commands, and the options that each command's --help lists.
_bitemu() {
    local cur=${COMP_WORDS[COMP_CWORD]} words
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$(bitemu --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
    elif [ "${COMP_WORDS[COMP_CWORD-1]}" = --board ]; then
        words=$(bitemu boards --format json | sed -n 's/.*"name": "\(.*\)",*/\1/p')
    elif [ "${COMP_WORDS[COMP_CWORD-1]}" = --profile ]; then
        words=$(bitemu profiles --format json | sed -n 's/.*"name": "\(.*\)",*/\1/p')
    elif [[ $cur == -* ]]; then
        words=$(bitemu "${COMP_WORDS[1]}" --help 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')
    else
        COMPREPLY=($(compgen -f -- "$cur"))
        return
    fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o filenames -F _bitemu bitemu
