# bash completion for ferrule(8): `ferrule complete' knows what may stand next

_ferrule() {
  local line=${COMP_LINE:0:COMP_POINT} word rest
  local -a words
  # Not bash's own words, which end at colons too: without `-r' a space behind a backslash ends none.
  # shellcheck disable=SC2162
  read -a words <<<"$line"
  [[ $line != *[[:space:]] || $line == *\\[[:space:]] ]] || words+=("")
  word=${words[-1]}
  COMPREPLY=()
  # Behind `--' stands another program's command line.
  if [[ ${words[1]:-} == run && " ${words[*]:0:${#words[@]}-1} " == *" -- "* ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -c -f -- "$word")
    return
  fi
  # Of a word with colons, bash takes only what is behind the last one.
  rest=${word##*[:=]}
  while IFS= read -r line; do
    if [[ $line == @files ]]; then
      compopt -o filenames  # bash then puts the quotes
      mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
    else
      line=${line%%$'\t'*}
      printf -v line %q "${line:${#word}-${#rest}}"
      COMPREPLY+=("$line")
    fi
  done < <(ferrule complete -- "${words[@]:1}" 2>/dev/null)
}

complete -o bashdefault -F _ferrule ferrule
