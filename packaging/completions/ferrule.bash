# bash completion for ferrule(8)

_ferrule_interfaces() {
  ferrule show interfaces 2>/dev/null
}

_ferrule_files() {
  local file
  for file in /etc/wireguard/*.conf; do
    [[ ! -e $file ]] || basename "$file" .conf
  done
}

_ferrule() {
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]:-}
  local commands fields="public-key private-key listen-port fwmark peers preshared-keys endpoints
    allowed-ips latest-handshakes transfer persistent-keepalive dump"
  COMPREPLY=()
  # Behind `--' stands another program's command line.
  if [[ $command == run && " ${COMP_WORDS[*]:0:COMP_CWORD} " == *" -- "* ]]; then
    mapfile -t COMPREPLY < <(compgen -c -f -- "$word")
    return
  fi
  if ((COMP_CWORD == 1)); then
    commands=$(ferrule --help 2>/dev/null | sed -n 's/^  \([a-z]*\): .*/\1/p')
    mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
    return
  fi
  if [[ $word == -* ]]; then
    commands=$(ferrule "$command" --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
    return
  fi
  case $command:$COMP_CWORD in
    show:2) mapfile -t COMPREPLY < <(compgen -W "$(_ferrule_interfaces) all interfaces" -- "$word") ;;
    show:3) mapfile -t COMPREPLY < <(compgen -W "$fields" -- "$word") ;;
    up:* | down:* | save:* | strip:* | reload:* | resolve:* | init:* | check:* | shell:* | proxy:* | run:2)
      mapfile -t COMPREPLY < <(compgen -W "$(_ferrule_files)" -- "$word"; compgen -f -X '!*.conf' -- "$word") ;;
    setconf:3 | addconf:3 | syncconf:3) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    peer:2) mapfile -t COMPREPLY < <(compgen -W "add list remove rename disable enable expire" -- "$word") ;;
    peer:3) mapfile -t COMPREPLY < <(compgen -W "$(_ferrule_files)" -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$(_ferrule_interfaces)" -- "$word") ;;
  esac
}

complete -F _ferrule ferrule
