#!/usr/bin/env bash
# try_image.sh: builds the image of packaging/container with buildah, as its recipe says, and runs two
# containers of it with podman: a server, and a client with a full tunnel under the limits that the compose
# file has. No registry is asked: debian:12-slim is Debian's smallest root, made here. Succeeds if a ping goes
# through the tunnel, the image's health check says healthy while it is there and unhealthy before, and the
# container takes all down when it is stopped. To be called in a mount namespace of its own.
set -euo pipefail
source tools/lib.sh
source tools/checks.sh
source tools/roots.sh
source tools/two_hosts.sh
bare_root

mount --make-rprivate /
# crun takes no mixture of old and new cgroups; the containers are not put into any.
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
# Timers of health checks are systemd's, which need not be here: the check is run by hand.
export DISABLE_HC_SYSTEMD=true
store=(--root "$PWD/build/container/storage" --runroot /run/storage --storage-driver vfs)
pod() { podman "${store[@]}" --cgroup-manager cgroupfs "$@" 2> >(grep -v "CNI config" >&2); }

say "Building the image (minutes, without a warm compiler's cache) ..."
trap 'rm -rf build/container/storage' EXIT  # gigabytes
rm -rf build/container/storage
tar -C build/bare --exclude='./dev/*' -c . | pod import - debian:12-slim >/dev/null
cache=${CCACHE_DIR:-$HOME/.cache/ccache}
mkdir -p "$cache"
buildah "${store[@]}" build --pull-never --format docker --isolation chroot --network host \
  -v "$cache:/root/.cache/ccache" -v /etc/apt/apt.conf.d:/etc/apt/apt.conf.d:ro --build-arg CI="${CI:-}" \
  -f packaging/container/Dockerfile -t ferrule . >build/container/build.log 2>&1 ||
  { tail -n 50 build/container/build.log >&2 && die "The image can't be built."; }

log=build/container/log
# eventually COMMAND...: within 30 s.
eventually() {
  local i
  for ((i = 0; i < 300; i++)); do
    ! "$@" >/dev/null 2>&1 || return 0
    sleep 0.1
  done
  "$@"
}
not() { ! "$@"; }
health() { pod healthcheck run "$1"; }
state() { pod inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1"; }
is_over() { [[ $(state "$1") == "exited $2" ]]; }
# start NAME HOST TUNNEL: as compose.yaml has it, on a host of ours, and with no more of anything than is here.
start() {
  pod run -d --name "$1" --network "ns:/run/netns/$2" --cgroups=disabled --device /dev/net/tun \
    --cap-drop ALL --cap-add NET_ADMIN --security-opt no-new-privileges --read-only \
    --tmpfs /run --tmpfs /tmp --tmpfs /var/lib/ferrule -v "/run/wireguard/$2:/etc/wireguard:ro" \
    --ulimit memlock=65536:65536 --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
    ferrule "$3" >/dev/null
}

network_of_two
ip netns exec left sysctl -qw net.ipv4.conf.all.src_valid_mark=1
ip -n right addr add 198.51.100.1/32 dev lo
root=$(pod image mount ferrule)
mkdir -p /run/root /run/root-upper /run/root-work
mount -t overlay -o "lowerdir=$root,upperdir=/run/root-upper,workdir=/run/root-work" overlay /run/root
two_files /run/root "0.0.0.0/0, ::/0"
for side in left right; do
  install -D -m 600 -t "/run/wireguard/$side" "/run/root/etc/wireguard/wg-$side.conf"
done

check "container: without a file it says what it needs" \
  grep -q "There is no file in /etc/wireguard" <(pod run --rm --network none --cgroups=disabled \
    --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 ferrule 2>&1)
start server right wg-right
start client left wg-left
check "container: the health check says healthy once the tunnel is up" eventually health client
check "container: a ping goes through a full tunnel" \
  ip netns exec left ping -q -c 3 -i 0.2 -W 2 198.51.100.1
check "container: ferrule status is to be asked in it" pod exec client ferrule status
ip -n left link delete wg-left
check "container: the health check says unhealthy when the tunnel is gone" not health client
check "container: it ends with an error then, for a restart policy" \
  eventually is_over client 1
check "container: it stops when it is told to" pod stop -t 10 server
check "container: and well" is_over server 0
check "container: no interface stays" not ip -n right link show dev wg-right
pod rm -f -a >/dev/null
check "container: the compose file is one" docker-compose -f packaging/container/compose.yaml config -q
sum_up
