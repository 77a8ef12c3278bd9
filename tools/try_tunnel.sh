#!/usr/bin/env bash
# try_tunnel.sh ROOT: in a network namespace of its own, two hosts with a cable between them; each runs
# what is installed in ROOT. Succeeds if a ping goes through the tunnel that two files make.
set -euo pipefail
root=$1

if [[ ${2:-} != inside ]]; then
  exec unshare --net --mount bash "$0" "$root" inside
fi
mount -t tmpfs tmpfs /run
mkdir /run/netns
for side in left right; do ip netns add $side; done
ip -n left link add cable type veth peer name cable netns right
ip -n left addr add 192.0.2.1/24 dev cable
ip -n right addr add 192.0.2.2/24 dev cable
for side in left right; do ip -n $side link set cable up; done

# shellcheck disable=SC2016  # it is for the shell in there
chroot "$root" bash -euc '
  mkdir -p /etc/wireguard
  cd /etc/wireguard
  umask 077
  for side in left right; do
    ferrule genkey > $side.key
    ferrule pubkey < $side.key > $side.pub
  done
  conf() {
    printf "[Interface]\nPrivateKey = %s\nAddress = 10.10.0.%s/24\nListenPort = 51820\n" \
      "$(cat $1.key)" "$3"
    printf "[Peer]\nPublicKey = %s\nAllowedIPs = 10.10.0.%s/32\nEndpoint = 192.0.2.%s:51820\n" \
      "$(cat $2.pub)" "$4" "$4"
  }
  conf left right 1 2 > wg-left.conf
  conf right left 2 1 > wg-right.conf'
for side in left right; do ip netns exec $side chroot "$root" ferrule up wg-$side; done
ip netns exec left ping -c 3 -W 2 10.10.0.2
for side in left right; do ip netns exec $side chroot "$root" ferrule down wg-$side; done
