# shellcheck shell=bash
# What scripts share that try installed programs between two hosts. Sourced, in network and mount
# namespaces of their own.

# two_hosts: namespaces "left" (192.0.2.1) and "right" (192.0.2.2), and a cable between them.
two_hosts() {
  mount -t tmpfs tmpfs /run
  network_of_two
}

# network_of_two: the same, where /run is already nobody else's.
network_of_two() {
  local side
  mkdir -p /run/netns
  for side in left right; do ip netns add $side; done
  ip -n left link add cable type veth peer name cable netns right
  ip -n left addr add 192.0.2.1/24 dev cable
  ip -n right addr add 192.0.2.2/24 dev cable
  for side in left right; do ip -n $side link set lo up && ip -n $side link set cable up; done
}

# two_files ROOT [ALLOWED]: /etc/wireguard/wg-left.conf and wg-right.conf in ROOT, with 10.10.0.1 and
# 10.10.0.2. ALLOWED is what goes from left to right, if it is more than that.
# shellcheck disable=SC2016  # it is for the shell in there
two_files() {
  chroot "$1" bash -euc '
    mkdir -p /etc/wireguard
    cd /etc/wireguard
    umask 077
    left=$(ferrule genkey) right=$(ferrule genkey)
    conf() {
      printf "[Interface]\nPrivateKey = %s\nAddress = 10.10.0.%s/24\nListenPort = 51820\n" "$1" "$3"
      printf "[Peer]\nPublicKey = %s\nAllowedIPs = %s\nEndpoint = 192.0.2.%s:51820\n" \
        "$(ferrule pubkey <<<"$2")" "$5" "$4"
    }
    conf "$left" "$right" 1 2 "$0" > wg-left.conf
    conf "$right" "$left" 2 1 10.10.0.1/32 > wg-right.conf' "${2:-10.10.0.2/32}"
}
