"""Configuration and data at the same time. Whatever is changed, flows that it does not concern lose
nothing, and those that it does go on.

    left wg0 ═════════════════════ right wg0
          └── peers that come and go, and need not exist
"""

import contextlib
import socket
import threading

from lib.registry import BOTH, behaviour
from lib.traffic import Flow, must_ping, pattern, tcp_transfer
from lib.tunnel import new_preshared_key, new_private_key
from lib.wait import eventually

UDP_SEGMENT, UDP_GRO = 103, 104         # Python's socket module has no names for them


@contextlib.contextmanager
def repeatedly(action):
    """Does `action(n)` over and over beside the test; what it raises, the test raises."""
    stop, errors = threading.Event(), []

    def work():
        number = 0
        while not stop.is_set() and not errors:
            try:
                action(number)
            except Exception as error:          # handed to the test below
                errors.append(error)
            number += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if errors:
        raise errors[0]


# Peers and allowed IPs come and go while a flow runs to another peer. It loses nothing.

@behaviour(peers=BOTH)
def test_P91_a_flow_does_not_notice_other_peers(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    keys = [new_private_key().public.hex() for _ in range(20)]

    def reconfigure(number):
        key = keys[number % len(keys)]
        lines = [f"public_key={key}", "replace_allowed_ips=true"]
        lines += [f"allowed_ip=10.{number % 200}.{i}.0/24" for i in range(11, 60)]
        lines += [f"preshared_key={new_preshared_key().hex()}", "endpoint=203.0.113.1:1"]
        if number % 3 == 2:
            lines = [f"public_key={keys[(number - 1) % len(keys)]}", "remove=true"]
        reply = left.uapi("set=1\n" + "\n".join(lines) + "\n\n")
        assert reply == "errno=0\n\n", reply

    with repeatedly(reconfigure), Flow(left.host, right.host, right.inside4, 0.002) as flow:
        eventually(lambda: len(flow.received) > 500, "500 packets arrive")
    assert flow.lost == 0 and flow.repeated == 0 and flow.out_of_order == 0, \
        f"{flow.lost} lost, {flow.repeated} repeated, {flow.out_of_order} out of order"


# Reading the configuration and the counters disturbs nobody, either.

@behaviour(peers=BOTH)
def test_reading_the_configuration_disturbs_no_flow(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    with repeatedly(lambda _: left.wg("show", "dump")), \
            repeatedly(lambda _: right.uapi("get=1\n\n")):
        tcp_transfer(left.host, right.host, right.inside4)
        tcp_transfer(right.host, left.host, left.inside6)


# The port and the mark change while a transfer runs: sockets are bound anew, and the peer follows.

@behaviour(peers=BOTH, deadline_s=40)
def test_P74_a_transfer_survives_changes_of_port_and_mark(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    ports = [51820, 40001, 40002, 40003]

    def rebind(number):
        left.set(f"listen-port {ports[number % 4]} fwmark {number % 3}")

    with repeatedly(rebind):
        tcp_transfer(left.host, right.host, right.inside4, size=8 << 20)
    must_ping(left.host, right.inside4)         # tells right of the last port
    must_ping(right.host, left.inside4)


# The very peer that a flow runs to is removed and added again: the flow goes on.

@behaviour(peers=BOTH)
def test_a_flow_goes_on_when_its_peer_is_added_again(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    with Flow(left.host, right.host, right.inside4) as flow:
        for _ in range(3):
            left.remove(right)
            left.peer(right, endpoint="192.0.2.2:51820")
            before = len(flow.received)
            eventually(lambda: len(flow.received) > before + 20, "packets flow again", 12)
    assert flow.repeated == 0


# Several transfers at once, both ways and over both families, arrive as they were sent.

@behaviour(peers=BOTH)
def test_many_transfers_at_once_arrive_intact(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    routes = [(left.host, right.host, right.inside4), (right.host, left.host, left.inside4),
              (left.host, right.host, right.inside6), (right.host, left.host, left.inside6)]
    errors = []

    def transfer(route):
        try:
            tcp_transfer(*route)
        except AssertionError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=transfer, args=(route,)) for route in routes * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


# An application hands the kernel many datagrams in one piece (UDP_SEGMENT). They arrive one by one,
# each whole, in order, for all sizes of the last one.

def send_segmented(scene, family):
    left, right = scene.pair()
    address = right.inside4 if family == socket.AF_INET else right.inside6
    must_ping(left.host, address)
    with left.host.udp("0.0.0.0" if family == socket.AF_INET else "::") as sender, \
            right.host.udp(address, 2000) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        for segment, total in ((1000, 20000), (1200, 1201), (100, 6350), (1372, 13720), (1, 60),
                               (537, 30000)):
            data = pattern(total, seed=segment)
            sender.setsockopt(socket.SOL_UDP, UDP_SEGMENT, segment)
            sender.sendto(data, (address, 2000))
            for offset in range(0, total, segment):
                piece = receiver.recv(65536)
                assert piece == data[offset:offset + segment], \
                    f"{segment} of {total}: the datagram at {offset} arrived as {len(piece)} bytes"


@behaviour(peers=BOTH)
def test_segmented_datagrams_arrive_one_by_one(scene):
    send_segmented(scene, socket.AF_INET)


@behaviour(peers=BOTH)
def test_segmented_datagrams_arrive_one_by_one_over_ipv6(scene):
    send_segmented(scene, socket.AF_INET6)


# Two flows between the same hosts stay apart, and keep their ports, whatever is merged on the way.

@behaviour(peers=BOTH)
def test_flows_are_not_mixed_up(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    senders = [left.host.udp(port=3000 + i) for i in range(4)]
    with right.host.udp(right.inside4, 2000) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        receiver.settimeout(1)
        for number in range(50):
            for index, sender in enumerate(senders):
                sender.sendto(bytes([index, number]) * 300, (right.inside4, 2000))
        last, arrived = {}, 0
        with contextlib.suppress(TimeoutError):
            while arrived < 200:
                data, (_, port) = receiver.recvfrom(65536)
                index, number = data[0], data[1]
                assert data == bytes([index, number]) * 300 and port == 3000 + index
                assert last.get(index, -1) < number, "a flow changed its order"
                last[index], arrived = number, arrived + 1
    assert arrived >= 50, f"only {arrived} of 200 datagrams arrived"
    for sender in senders:
        sender.close()


# A monitor pings peers that are not there, with as much as the daemon lets wait in all. Who is there
# is reached at once. (wireguard-go bounds only what waits for one peer.)

@behaviour
def test_P73a_peers_that_are_not_there_keep_nobody_from_a_session(scene):
    left, right = scene.pair()
    absent = [f"10.200.{n // 200}.{n % 200}" for n in range(400)]
    lines = [f"public_key={new_private_key().public.hex()}\nendpoint=192.0.2.99:{1000 + n}\n"
             f"allowed_ip={address}/32" for n, address in enumerate(absent)]
    reply = left.uapi("set=1\n" + "\n".join(lines) + "\n\n")
    assert reply == "errno=0\n\n", reply
    left.host.run("ip route add 10.200.0.0/16 dev wg0")
    with left.host.udp() as sock:
        def hoard():
            for address in absent:
                for _ in range(20):
                    sock.sendto(bytes(1350), (address, 2000))
            return left.daemon.stats()["drop_staged_overflow"] > 128
        eventually(hoard, "there is no more room")
    must_ping(left.host, right.inside4, wait_s=1)
