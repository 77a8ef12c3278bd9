#!/usr/bin/env bash
# try_upgrade.sh ROOT PACKAGE: two hosts with a tunnel between them, made by what is installed in ROOT.
# Installs PACKAGE over that while a ping goes through, and succeeds if the ping never waited for more
# than half a second, the daemons are those from before, and the new programs look at, reload and take
# down what the old ones made. Its last line tells the longest wait.
set -euo pipefail
source tools/two_hosts.sh
root=$1 package=$2
[[ ${3:-} == inside ]] || exec unshare --net --mount bash "$0" "$root" "$package" inside

two_hosts
two_files "$root"
for side in left right; do ip netns exec $side chroot "$root" ferrule up wg-$side; done
ip netns exec left ping -c 3 -i 0.2 -W 2 10.10.0.2
before=$(pgrep -x ferruled)

ip netns exec left ping -D -n -i 0.02 -W 1 10.10.0.2 >/run/pings &
pings=$!
sleep 1
chroot "$root" env DEBIAN_FRONTEND=noninteractive dpkg -i "$package"
sleep 1
kill -INT "$pings" && wait "$pings"

[[ $(pgrep -x ferruled) == "$before" ]] || { echo "the daemons are others" >&2 && exit 1; }
for side in left right; do
  inside=(ip netns exec "$side" chroot "$root" ferrule)
  "${inside[@]}" show "wg-$side" latest-handshakes
  "${inside[@]}" reload "wg-$side"
done
ip netns exec left ping -c 1 -W 2 10.10.0.2
for side in left right; do ip netns exec $side chroot "$root" ferrule down wg-$side; done
for ((i = 0; i < 100; i++)); do
  pgrep -x ferruled >/dev/null || break
  sleep 0.1
done
((i < 100)) || { echo "a daemon stayed" >&2 && exit 1; }

# Times of answers stand in brackets.
awk -F '[][]' '
  /bytes from/ { if (last && $2 - last > longest) longest = $2 - last; last = $2; count++ }
  END {
    printf "%d answers, the longest wait between two was %.3f s\n", count, longest
    exit !(count > 50 && longest <= 0.5)
  }' /run/pings
