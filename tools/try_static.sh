#!/usr/bin/env bash
# try_static.sh FERRULED: two hosts with a cable between them, and on each a root that holds that one file, a TUN
# device and a folder for the socket. Succeeds if a ping goes through the tunnel between them. Its last line says
# `N passed, N failed`.
set -euo pipefail
source tools/checks.sh
source tools/two_hosts.sh
((EUID == 0)) || { echo "Trying the static binary makes roots and network namespaces, which needs root." >&2; exit 1; }
[[ ${2:-} == inside ]] || exec unshare --net --mount --pid --fork --kill-child --mount-proc bash "$0" "$1" inside

two_hosts
work=/run/scratch  # in memory, and this namespace's alone: it goes with it
log=$work/log
mkdir "$work"
key() { wg genkey | tee "$work/$1.key" | wg pubkey >"$work/$1.pub"; }
key left && key right

# root SIDE: nothing but the program, and what the kernel gives.
root() {
  local root=$work/$1
  mkdir -p "$root"/{dev/net,var/run/wireguard}
  cp "$program" "$root/ferruled"
  mknod "$root/dev/net/tun" c 10 200
}

# start SIDE: in the background, until its socket is there.
start() {
  local tries=0
  ip netns exec "$1" chroot "$work/$1" /ferruled --foreground wg-"$1" >"$work/$1.log" 2>&1 &
  until [[ -S $work/$1/var/run/wireguard/wg-$1.sock ]]; do
    ((++tries < 200)) && kill -0 $! || return 1
    sleep 0.05
  done
}

# configure SIDE OWN OTHER: by the socket, which `wg` wants to find in the machine's own folder.
configure() {
  local other=right
  [[ $1 == left ]] || other=left
  mkdir -p /run/wireguard && ln -sf "$work/$1/var/run/wireguard/wg-$1.sock" /run/wireguard/wg-"$1".sock
  wg set wg-"$1" listen-port 51820 private-key "$work/$1.key" peer "$(cat "$work/$other.pub")" \
    endpoint "192.0.2.$3:51820" allowed-ips "10.10.0.$3/32" &&
    ip -n "$1" addr add "10.10.0.$2/24" dev wg-"$1" && ip -n "$1" link set wg-"$1" up
}

program=$(realpath "$1")
is_static() { ! readelf -d "$program" | grep NEEDED && ! readelf -l "$program" | grep INTERP; }
is_small() { (($(stat -c %s "$program") <= 3 * 1024 * 1024)) || { stat -c "%s bytes" "$program" && false; }; }
check "static: no library and no loader of the machine's" is_static
check "static: at most 3 MiB" is_small
for side in left right; do root $side; done
check "static: --version in an empty root" chroot "$work/left" /ferruled --version
for side in left right; do check "static: starts in an empty root on $side" start $side; done
check "static: is configured on the left" configure left 1 2
check "static: is configured on the right" configure right 2 1
check "static: a ping goes through" ip netns exec left ping -c 3 -W 2 10.10.0.2
((failed == 0)) || cat "$work"/*.log  # what the daemons said
sum_up
