"""Two daemons with a long path between them, who both begin.

    left wg0 ──── relay, which hands each datagram on after 300 ms ──── wg0 right
"""

from lib import noise
from lib.registry import BOTH, behaviour
from lib.relay import Relay
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE
from lib.traffic import must_ping
from lib.wait import PATIENCE

DELAY_S = 0.3


def ping_once(tunnel, address, wait_s):
    return tunnel.host.spawn(f"ping -n -q -c 1 -W {wait_s} {address}", log_name="ping.log")


# Their initiations cross. Each answers the other's, and the first packets of both get through with that one
# round of handshakes: nobody waits for a retransmission after 5 s, in which all would cross once more.

@behaviour(peers=BOTH)
def test_P34_two_that_begin_at_once_on_a_long_path_connect_at_once(scene):
    left, right = scene.host("left"), scene.host("right")
    with Relay(scene, left, right, DELAY_S) as relay:
        left = scene.tunnel(left, LEFT_INSIDE)
        right = scene.tunnel(right, RIGHT_INSIDE, scene.other)
        left.peer(right, endpoint=relay.left_at)
        right.peer(left, endpoint=relay.right_at)
        wait_s = 4 * PATIENCE
        pings = [ping_once(left, right.inside4, wait_s), ping_once(right, left.inside4, wait_s)]
        assert [ping.wait(wait_s + 5) for ping in pings] == [0, 0], "the first packets are lost"
        initiations = {from_left: when for when, from_left, kind in reversed(relay.came)
                       if kind == noise.INITIATION}
        assert abs(initiations[True] - initiations[False]) < DELAY_S, "they did not cross"
        must_ping(left.host, right.inside4, count=3)
        must_ping(right.host, left.inside4, count=3)
