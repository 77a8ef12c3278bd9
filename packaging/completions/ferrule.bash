# bash completion for ferrule(8): `ferrule complete' knows what may stand next

_ferrule() {
  local line word=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  # Behind `--' stands another program's command line.
  if [[ ${COMP_WORDS[1]:-} == run && " ${COMP_WORDS[*]:0:COMP_CWORD} " == *" -- "* ]]; then
    mapfile -t COMPREPLY < <(compgen -c -f -- "$word")
    return
  fi
  while IFS= read -r line; do
    if [[ $line == @files ]]; then
      mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
    else
      printf -v line %q "${line%%$'\t'*}"
      COMPREPLY+=("$line")
    fi
  done < <(ferrule complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -o bashdefault -F _ferrule ferrule
