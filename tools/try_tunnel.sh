#!/usr/bin/env bash
# try_tunnel.sh ROOT: in a network namespace of its own, two hosts with a cable between them; each runs
# what is installed in ROOT. Succeeds if a ping goes through the tunnel that two files make.
set -euo pipefail
source tools/two_hosts.sh
root=$1
[[ ${2:-} == inside ]] || exec unshare --net --mount bash "$0" "$root" inside

two_hosts
two_files "$root"
for side in left right; do ip netns exec $side chroot "$root" ferrule up wg-$side; done
ip netns exec left ping -c 3 -W 2 10.10.0.2
for side in left right; do ip netns exec $side chroot "$root" ferrule down wg-$side; done
