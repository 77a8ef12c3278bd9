#!/usr/bin/env bash
# try_container.sh ROOT: two hosts with a cable between them. On the left one, the container's program
# runs in ROOT, where the packages are installed, under the limits of a container: one capability and no
# way to others, no module, no IPv6, 64 KiB of locked memory, /proc/sys, /sys and ROOT read-only. Its file
# makes a full tunnel. Succeeds if a ping goes through it to an address that only the right one has, the
# container is healthy while the tunnel is there, logs to its output, and ends with it.
set -euo pipefail
source tools/two_hosts.sh
root=$1

# must COMMAND...: says which it was that failed.
must() { "$@" || { echo "failed: $*" >&2 && exit 1; }; }

if [[ ${2:-} == container ]]; then
  # Process 1 of the container, still with all rights: puts the limits on.
  mount --make-rprivate /
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  mount -t proc proc "$root/proc"
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  for folder in run tmp var/lib; do mount -t tmpfs tmpfs "$root/$folder"; done
  mkdir "$root/var/lib/ferrule"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  mkdir "$root/dev/net"
  for device in null zero full random urandom tty net/tun; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  cd "$root"
  pivot_root . mnt
  umount -l /mnt
  exec prlimit --memlock=65536:65536 \
    setpriv --bounding-set=-all,+net_admin --inh-caps=-all,+net_admin --no-new-privs \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LOG_LEVEL=verbose \
    ferrule-container wg-left
fi
[[ ${2:-} == inside ]] || exec unshare --net --mount bash "$0" "$root" inside

two_hosts
ip netns exec left sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.conf.all.src_valid_mark=1
ip -n right addr add 198.51.100.1/32 dev lo
install -m 755 packaging/container/ferrule-container packaging/container/ferruled-logged "$root/usr/local/bin/"
two_files "$root" "0.0.0.0/0, ::/0"
ip netns exec right chroot "$root" ferrule up wg-right

log=/run/container.log
ip netns exec left unshare --mount --pid --fork --kill-child bash "$0" "$root" container >"$log" 2>&1 &
outside=$!
trap 'kill -KILL "$outside" || true; sed "s/^/container: /" "$log" >&2' EXIT
healthy() {
  first=$(pgrep -P "$outside") &&
    nsenter --target "$first" --mount --pid --net env PATH=/usr/local/bin:/usr/bin ferrule-container health
}
for ((i = 0; i < 100; i++)); do
  ! healthy 2>/dev/null || break
  sleep 0.1
done
must healthy
must ip netns exec left ping -c 3 -i 0.2 -W 2 198.51.100.1
[[ $(sed -n 's/^CapBnd:\s*//p' "/proc/$first/status") == 0000000000001000 ]] ||
  { echo "failed: the container has other capabilities than CAP_NET_ADMIN" >&2 && exit 1; }
must grep -q "andshake" "$log"

kill -TERM "$first"
must wait "$outside"
! ip -n left link show dev wg-left 2>/dev/null || { echo "failed: the interface stayed" >&2 && exit 1; }
! ip -n left rule show | grep -v "lookup \(local\|main\|default\)" || { echo "failed: rules stayed" >&2 && exit 1; }
ip netns exec right chroot "$root" ferrule down wg-right
trap - EXIT
