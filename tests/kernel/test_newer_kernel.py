"""A kernel much newer than Debian 12's as peer, and what `ferrule` can do with its WireGuard alone.
"""

import image
from guest import machines, pair
from lib.registry import behaviour
from lib.traffic import must_not_ping, must_ping
from lib.tunnel import new_private_key

BOOT_AND_MORE_S = 100


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_a_tunnel_with_a_newer_kernel(scene):
    ours, theirs = pair(scene, kernel=image.NEWER)
    must_ping(ours.host, theirs.inside4, wait_s=5)
    theirs.host.says("Receiving handshake initiation from peer 1")
    must_ping(ours.host, theirs.inside6)
    assert theirs.host.ping(ours.inside4)
    assert theirs.host.ping(ours.inside6)


# Linux 6.16 learned to remove one allowed IP and leave the others.

@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_the_kernel_removes_a_single_allowed_ip(scene):
    ours, theirs = pair(scene, kernel=image.NEWER)
    guest, peer = theirs.host, ours.public_key
    must_ping(ours.host, theirs.inside6, wait_s=5)
    guest.run(f"ferrule set wg0 peer {peer} allowed-ips +172.16.0.0/12,-{ours.inside6}/128")
    allowed = guest.out("wg show wg0 allowed-ips").split()[1:]
    assert sorted(allowed) == sorted([f"{ours.inside4}/32", "172.16.0.0/12"]), allowed
    must_ping(ours.host, theirs.inside4)
    must_not_ping(ours.host, theirs.inside6)


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_the_kernel_leaves_what_another_peer_has(scene):
    _, guest = machines(scene, kernel=image.NEWER)
    one, other = new_private_key().public, new_private_key().public
    guest.run("ip link add wg0 type wireguard")
    guest.run(f"ferrule set wg0 peer {one} allowed-ips 10.0.0.0/8 peer {other} allowed-ips fd00::/8")
    before = guest.out("wg show wg0 allowed-ips")
    guest.run(f"ferrule set wg0 peer {other} allowed-ips -10.0.0.0/8")
    assert guest.out("wg show wg0 allowed-ips") == before
