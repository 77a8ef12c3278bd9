# shellcheck shell=bash
# What scripts share that try one thing after the other and count. Sourced; `log` is a file of the caller's.

passed=0 failed=0

# check WHAT COMMAND...: one line a fact; what the command says is shown where it fails.
# shellcheck disable=SC2154  # the caller has `log`
check() {
  local what=$1
  shift
  if "$@" >"$log" 2>&1; then
    echo "ok   $what"
    passed=$((passed + 1))
  else
    echo "FAIL $what"
    sed 's/^/     /' "$log"
    failed=$((failed + 1))
  fi
}

# sum_up: the last line, and the status that is due.
sum_up() {
  echo "$passed passed, $failed failed"
  ((failed == 0))
}
