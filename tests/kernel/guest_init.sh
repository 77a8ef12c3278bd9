#!/bin/busybox sh
# shellcheck shell=dash
# The guest's first and only program: drivers, the control network, and a shell for whoever connects.
/bin/busybox mkdir -p /bin /sbin /usr/bin /usr/sbin
/bin/busybox --install -s
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
ln -s /proc/self/fd/0 /dev/stdin
for module in /modules/*; do insmod "$module"; done
echo 'module wireguard +p' >/proc/dynamic_debug/control
echo 8 >/proc/sys/kernel/printk
for scope in all default; do
  echo 0 >/proc/sys/net/ipv6/conf/$scope/accept_dad
  echo 0 >/proc/sys/net/ipv4/conf/$scope/rp_filter
done
ip() { /sbin/ip "$@"; }  # iproute2's, not busybox's own
ip link set lo up
ip link set eth1 up
ip addr add 198.51.100.2/24 dev eth1
printf '#!/bin/sh\nexec sh -s 2>&1\n' >/control
chmod +x /control
exec nc -ll -p 23 -e /control
