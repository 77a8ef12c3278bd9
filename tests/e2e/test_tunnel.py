"""Two hosts, one tunnel: what everybody expects of it first.

        left                                   right
    ┌───────────────┐                      ┌───────────────┐
    │ wg0           │                      │ wg0           │
    │   10.10.0.1   │                      │   10.10.0.2   │
    │   fd10::1     │      192.0.2.0/24    │   fd10::2     │
    │               │    2001:db8::/64     │               │
    │     eth0   .1 ├──────────────────────┤ .2   eth0     │
    └───────────────┘                      └───────────────┘
"""

import time

from lib import noise, packets
from lib.registry import BOTH, EVERY, behaviour
from lib.sniffer import Sniffer
from lib.traffic import (Flow, must_not_ping, must_ping, ordered_burst, tcp_transfer, udp_echo,
                         wait_ping)
from lib.tunnel import new_preshared_key, new_private_key
from lib.wait import eventually


# The first packet into a new tunnel waits for the handshake and then arrives: a single ping is
# enough, in either direction, for either family, over either family.

@behaviour(peers=EVERY)
def test_P59_first_ping_arrives_over_ipv4(scene):
    left, right = scene.pair(outside=4)
    must_ping(left.host, right.inside4)
    must_ping(left.host, right.inside6)
    must_ping(right.host, left.inside4)
    must_ping(right.host, left.inside6)


@behaviour(peers=EVERY)
def test_P59_first_ping_arrives_over_ipv6(scene):
    left, right = scene.pair(outside=6)
    must_ping(right.host, left.inside6)
    must_ping(right.host, left.inside4)
    must_ping(left.host, right.inside6)
    must_ping(left.host, right.inside4)


# Whatever the size of a packet, up to the MTU and, in fragments, beyond it.

@behaviour(peers=EVERY)
def test_P70_packets_of_all_sizes_pass(scene):
    left, right = scene.pair()
    for size in (0, 1, 15, 16, 17, 100, 1000, 1391, 1392, 1393, 4000, 20000):
        must_ping(left.host, right.inside4, size=size)
    for size in (0, 1, 1371, 1372, 1373, 4000, 20000):
        must_ping(right.host, left.inside6, size=size)


# Bytes arrive as they were sent: TCP both ways over both families, and UDP datagrams.

@behaviour(peers=EVERY)
def test_transfers_arrive_intact(scene):
    left, right = scene.pair()
    tcp_transfer(left.host, right.host, right.inside4)
    tcp_transfer(right.host, left.host, left.inside4)
    tcp_transfer(left.host, right.host, right.inside6)
    tcp_transfer(right.host, left.host, left.inside6)
    with udp_echo(right.host, right.inside4) as address, left.host.udp() as client:
        for size in (0, 1, 500, 1392, 9000):
            client.sendto(bytes(size), address)
            assert client.recv(65536) == bytes(size)


# One inner flow keeps its order, however many cores work on it.

@behaviour(peers=BOTH)
def test_P77_a_flow_keeps_its_order(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    received = ordered_burst(left.host, right.host, right.inside4, packets=4000)
    assert len(received) > 40, f"only {len(received)} of 4000 packets arrived: too few to have an order"
    assert received == sorted(received), "packets of one flow changed their order"
    assert len(received) == len(set(received)), "a packet was delivered twice"


# A preshared key must be the same on both sides. With different ones no handshake ends; when they
# are made equal, the next one does.

@behaviour(peers=EVERY)
def test_P22_equal_preshared_keys_connect(scene):
    left, right = scene.pair(psk=new_preshared_key())
    must_ping(left.host, right.inside4)
    must_ping(right.host, left.inside6)


@behaviour(peers=EVERY)
def test_P22_unequal_preshared_keys_do_not_connect(scene):
    key = new_preshared_key()
    left, right = scene.pair(psk=key)
    left.peer(right, psk=new_preshared_key())
    must_not_ping(left.host, right.inside4)
    assert left.status(right).latest_handshake == 0
    left.peer(right, psk=key)
    wait_ping(left.host, right.inside4)


# One side changes its private key while packets flow. The flow goes on with the new key within
# moments, and no packet is delivered twice.

@behaviour(peers=EVERY)
def test_P101_private_key_changes_under_traffic(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    with Flow(left.host, right.host, right.inside4) as flow:
        eventually(lambda: len(flow.received) > 20, "packets flow")
        old_key, left.private_key = left.public_key, new_private_key()
        right.peer(left, endpoint="192.0.2.1:51820")
        right.set(f"peer {old_key} remove")
        left.set("private-key /dev/stdin", input=f"{left.private_key}\n")
        before = len(flow.received)
        eventually(lambda: len(flow.received) > before + 50, "packets flow with the new key", 8)
    assert flow.repeated == 0
    must_ping(right.host, left.inside4)


# Setting the same private key again is no change: not a packet is lost.

@behaviour(peers=BOTH)
def test_P101_the_same_private_key_again_changes_nothing(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    sent = left.status(right).tx_bytes
    left.set("private-key /dev/stdin", input=f"{left.private_key}\n")
    must_ping(left.host, right.inside4)
    assert left.status(right).tx_bytes == sent + 32 + 96, "a handshake was made for nothing"


# A tunnel may run inside another:
#
#     left wg1 ═════════════════════ right wg1      10.20.0.0/24
#     left wg0 ═════════════════════ right wg0      10.10.0.0/24
#     left eth0 ──────────────────── right eth0     192.0.2.0/24

@behaviour(peers=BOTH)
def test_a_tunnel_runs_in_a_tunnel(scene):
    outer_left, outer_right = scene.pair()
    options = {"name": "wg1", "port": 51821}
    left = scene.tunnel(outer_left.host, ("10.20.0.1/24", "fd20::1/64"), scene.subject, **options)
    right = scene.tunnel(outer_right.host, ("10.20.0.2/24", "fd20::2/64"), scene.other, **options)
    left.peer(right, endpoint=f"{outer_right.inside4}:51821")
    right.peer(left, endpoint=f"[{outer_left.inside6}]:51821")
    left.mtu(1340)
    right.mtu(1340)
    must_ping(left.host, right.inside4)
    must_ping(right.host, left.inside6)
    tcp_transfer(left.host, right.host, right.inside4, size=1 << 20)


# `wg show` counts whole messages: 148 and 92 bytes for the handshake, 32 and the padded packet
# for data.

@behaviour
def test_P78_counters_count_whole_messages(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    eventually(lambda: tunnel.status(puppet).rx_bytes, "the handshake is counted")
    eventually(lambda: tunnel.status(puppet).rx_bytes == 148 + 32, "initiation and keepalive")
    assert tunnel.status(puppet).tx_bytes == 92

    with tunnel.host.udp(tunnel.inside4, 2000) as sock:
        puppet.inject(packets.udp_packet(puppet.inside4, tunnel.inside4, bytes(72)))
        sock.recv(100)                                                      # 100, padded 112
        eventually(lambda: tunnel.status(puppet).rx_bytes == 180 + 32 + 112, "a data packet")
        sock.sendto(bytes(1), (puppet.inside4, 2000))                       # 29, padded 32
        eventually(lambda: tunnel.status(puppet).tx_bytes == 92 + 32 + 32, "a packet sent")


@behaviour
def test_P78_counters_leave_out_what_is_not_authentic(scene):
    tunnel, puppet = scene.solo()
    session = puppet.connect()
    eventually(lambda: tunnel.status(puppet).rx_bytes == 180, "initiation and keepalive")
    forged = bytearray(session.message(packets.udp_packet(puppet.inside4, tunnel.inside4, b"x")))
    forged[-1] ^= 1
    puppet.send(bytes(forged))
    puppet.send(session.message(b"", counter=0))                                    # a replay
    puppet.keepalive()
    eventually(lambda: tunnel.status(puppet).rx_bytes >= 212, "the good keepalive is counted")
    assert tunnel.status(puppet).rx_bytes == 212


# An empty packet is a keepalive: it is counted and never delivered.

@behaviour
def test_P71_keepalives_are_not_delivered(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    with Sniffer(tunnel.host, "wg0") as inner:
        puppet.keepalive()
        puppet.inject(packets.udp_packet(puppet.inside4, tunnel.inside4, b"x"))
        inner.wait_udp(port=2000)
        assert len(inner.packets(lambda p: p.source == puppet.inside4)) == 1


# The window of accepted counters reaches 8128 back; each counter is good once.

@behaviour
def test_P43_each_counter_is_accepted_once(scene):
    tunnel, puppet = scene.solo()
    session = puppet.connect()

    def deliver(counter, text):
        puppet.send(session.message(
            packets.udp_packet(puppet.inside4, tunnel.inside4, text), counter=counter))

    with tunnel.host.udp(tunnel.inside4, 2000) as receiver:
        deliver(10000, b"newest")
        deliver(10000, b"replayed")
        deliver(10000 - 8127, b"old enough")
        deliver(10000 - 8129 - 64, b"too old")
        deliver(10000 - 8127, b"replayed")
        deliver(10001, b"last")
        texts = []
        while not texts or texts[-1] != b"last":
            texts.append(receiver.recv(100))
    assert texts == [b"newest", b"old enough", b"last"], texts


# Indices in messages are random, not counted up.

@behaviour
def test_P12_indices_are_random(scene):
    tunnel, puppet = scene.solo()
    indices = []
    for _ in range(8):
        handshake = puppet.new_handshake()
        puppet.send(handshake.initiation())
        response = puppet.receive_kind(noise.RESPONSE)
        assert response, "no response"
        indices.append(int.from_bytes(response[4:8], "little"))
        eventually(_after_flood_gap(), "20 ms pass")
    gaps = [abs(a - b) for a, b in zip(indices, indices[1:])]
    assert len(set(indices)) == len(indices)
    assert min(gaps) > 2**12, indices


def _after_flood_gap():
    """True from 30 ms after the call: an initiation sooner than 20 ms after the last is dropped."""
    deadline = time.monotonic() + 0.03
    return lambda: time.monotonic() > deadline
