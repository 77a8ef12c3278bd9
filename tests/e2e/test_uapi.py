"""The UAPI socket, byte by byte: requests good and bad, clients that stall, and many of them.

    client ── /run/wireguard/wg0.sock ── daemon
"""

import errno
import random
import resource

from lib import process
from lib.daemon import parse_lines, read_reply, reply_errno
from lib.registry import Skip, behaviour
from lib.traffic import pattern
from lib.tunnel import new_private_key
from lib.wait import PATIENCE, eventually

OK = "errno=0\n\n"


def keys_of(reply):
    return [key for key, _ in parse_lines(reply)]


# --- get ------------------------------------------------------------------------------------

@behaviour
def test_P101a_get_tells_everything_in_order(scene):
    tunnel, puppet = scene.solo(allowed=["10.10.0.2/32", "fd10::2/128"])
    psk, key = bytes(range(32)).hex(), puppet.public_key.hex()
    tunnel.uapi(f"set=1\nfwmark=81\npublic_key={key}\npreshared_key={psk}\n"
                "persistent_keepalive_interval=25\n\n")
    reply = tunnel.uapi("get=1\n\n")
    assert reply.endswith("\n" + OK), reply[-40:]
    expected = ["private_key", "listen_port", "fwmark", "public_key", "preshared_key",
                "protocol_version", "endpoint", "last_handshake_time_sec",
                "last_handshake_time_nsec", "tx_bytes", "rx_bytes",
                "persistent_keepalive_interval", "allowed_ip", "allowed_ip", "errno"]
    assert keys_of(reply) == expected, keys_of(reply)
    values = dict(parse_lines(reply))
    assert values["private_key"] == tunnel.private_key.hex()
    assert values["listen_port"] == "51820" and values["fwmark"] == "81"
    assert values["public_key"] == key and values["preshared_key"] == psk
    assert values["endpoint"] == "192.0.2.2:51820" and values["protocol_version"] == "1"
    assert {value for name, value in parse_lines(reply) if name == "allowed_ip"} == {
        "10.10.0.2/32", "fd10::2/128"}


@behaviour
def test_P101a_get_leaves_out_what_is_not_there(scene):
    daemon = scene.daemon(scene.host("left"))
    reply = daemon.uapi("get=1\n\n")
    assert set(keys_of(reply)) <= {"listen_port", "errno"}, reply
    daemon.uapi(f"set=1\npublic_key={new_private_key().public.hex()}\n\n")
    keys = keys_of(daemon.uapi("get=1\n\n"))
    assert "endpoint" not in keys and "allowed_ip" not in keys and "fwmark" not in keys
    assert "preshared_key" in keys, "wg needs it"


@behaviour
def test_P101a_times_and_counters_are_told(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    values = dict(parse_lines(eventually(
        lambda: (reply := tunnel.uapi("get=1\n\n")) and "rx_bytes=180\n" in reply and reply,
        "initiation and keepalive are counted")))
    assert values["tx_bytes"] == "92"
    assert int(values["last_handshake_time_sec"]) > 1_600_000_000
    assert 0 <= int(values["last_handshake_time_nsec"]) < 10**9


# --- set ------------------------------------------------------------------------------------

@behaviour
def test_P101_update_only_and_remove_of_an_absent_peer_are_no_error(scene):
    daemon = scene.daemon(scene.host("left"))
    key = new_private_key().public.hex()
    for line in ("update_only=true", "remove=true"):
        assert daemon.uapi(f"set=1\npublic_key={key}\n{line}\n\n") == OK
        assert "public_key" not in daemon.uapi("get=1\n\n")


@behaviour
def test_P101_replace_peers_and_replace_allowed_ips(scene):
    tunnel, puppet = scene.solo(allowed=["10.1.0.0/16", "10.2.0.0/16"])
    key = puppet.public_key.hex()
    tunnel.uapi(f"set=1\npublic_key={key}\nallowed_ip=10.3.0.0/16\n\n")
    assert len(tunnel.status(puppet).allowed_ips.split(",")) == 3, "without replace, it adds"
    tunnel.uapi(f"set=1\npublic_key={key}\nreplace_allowed_ips=true\nallowed_ip=10.4.0.0/16\n\n")
    assert tunnel.status(puppet).allowed_ips == "10.4.0.0/16"
    other = new_private_key().public
    tunnel.uapi(f"set=1\nreplace_peers=true\npublic_key={other.hex()}\n\n")
    assert [peer.public_key for peer in tunnel.peers()] == [str(other)]


@behaviour
def test_P101_an_all_zero_private_key_removes_it(scene):
    tunnel, puppet = scene.solo()
    assert tunnel.uapi(f"set=1\nprivate_key={bytes(32).hex()}\n\n") == OK
    assert tunnel.wg("show", "private-key") == "(none)"
    puppet.send(puppet.new_handshake().initiation())
    assert puppet.receive(0.3) is None, "answered without an identity"
    tunnel.uapi(f"set=1\nprivate_key={tunnel.private_key.hex()}\n\n")
    puppet.connect()


@behaviour
def test_P26_a_peer_that_is_oneself_is_not_kept(scene):
    tunnel, puppet = scene.solo()
    tunnel.uapi(f"set=1\npublic_key={tunnel.public_key.hex()}\nallowed_ip=10.9.0.0/16\n\n")
    assert [peer.public_key for peer in tunnel.peers()] == [str(puppet.public_key)]
    tunnel.uapi(f"set=1\nprivate_key={puppet.private_key.hex()}\n\n")
    assert tunnel.peers() == []


@behaviour
def test_P101_endpoints_of_both_families_are_taken(scene):
    tunnel, puppet = scene.solo()
    for endpoint in ("203.0.113.7:1", "[2001:db8::7]:65535", "[::1]:5"):
        reply = tunnel.uapi(f"set=1\npublic_key={puppet.public_key.hex()}\nendpoint={endpoint}\n\n")
        assert reply == OK
        assert tunnel.status(puppet).endpoint == endpoint


# --- bad requests -----------------------------------------------------------------------------

BAD_LINES = [
    "nonsense=1", "nonsense", "=", "=1", "listen_port", "listen_port=", "listen_port=65536",
    "listen_port=-1", "listen_port=12x", "listen_port=0x10", "listen_port= 1", "fwmark=4294967296",
    "fwmark=-1", "fwmark=x", "replace_peers=1", "replace_peers=yes", "private_key=",
    "private_key=00", f"private_key={'0' * 63}", f"private_key={'0' * 65}",
    f"private_key={'g' * 64}", "public_key=", "public_key=xyz", f"public_key={'ab' * 33}",
    "endpoint=1.2.3.4:5", "allowed_ip=10.0.0.0/8",
]
BAD_PEER_LINES = [
    "nonsense=1", "endpoint=", "endpoint=1.2.3.4", "endpoint=1.2.3.4:", "endpoint=1.2.3.4:65536",
    "endpoint=example.org:1", "endpoint=1.2.3:1", "endpoint=::1:5", "endpoint=[::1]",
    "endpoint=[::1]:x", "allowed_ip=", "allowed_ip=10.0.0.0/33", "allowed_ip=::/129",
    "allowed_ip=10.0.0.0/-1", "allowed_ip=10.0.0/8", "allowed_ip=x/8", "allowed_ip=10.0.0.0/",
    "allowed_ip=10.0.0.0/8x", "persistent_keepalive_interval=65536",
    "persistent_keepalive_interval=-1", "persistent_keepalive_interval=off",
    "preshared_key=00", f"preshared_key={'z' * 64}", "remove=1", "update_only=1",
    "replace_allowed_ips=false", "protocol_version=2", "protocol_version=x",
]


def refused(daemon, request):
    """Whether a request is refused, with a negative errno that means something."""
    reply = daemon.uapi(request)
    number = reply_errno(reply)
    assert number <= 0, f"{request!r} got {number}"
    assert number == 0 or -number in errno.errorcode, f"{request!r} got {number}"
    return number != 0


@behaviour
def test_P102_bad_device_lines_are_refused(scene):
    daemon = scene.daemon(scene.host("left"))
    taken = [line for line in BAD_LINES if not refused(daemon, f"set=1\n{line}\n\n")]
    assert not taken, f"taken: {taken}"


@behaviour
def test_P102_bad_peer_lines_are_refused(scene):
    daemon = scene.daemon(scene.host("left"))
    key = new_private_key().public.hex()
    taken = [line for line in BAD_PEER_LINES
             if not refused(daemon, f"set=1\npublic_key={key}\n{line}\n\n")]
    assert not taken, f"taken: {taken}"


# A request is taken whole or not at all: with one bad line in it, nothing has changed.

@behaviour(unlike_go="applies line by line")
def test_P102_a_bad_line_anywhere_changes_nothing(scene):
    tunnel, puppet = scene.solo()
    before = tunnel.uapi("get=1\n\n")
    good = [f"private_key={new_private_key().hex()}", "listen_port=40000", "fwmark=7",
            "replace_peers=true", f"public_key={new_private_key().public.hex()}",
            "endpoint=203.0.113.1:9", "allowed_ip=10.77.0.0/16",
            f"public_key={puppet.public_key.hex()}", "replace_allowed_ips=true",
            "persistent_keepalive_interval=9"]
    for position in range(len(good) + 1):
        lines = good[:position] + ["no such line"] + good[position:]
        reply = tunnel.uapi("set=1\n" + "\n".join(lines) + "\n\n")
        assert reply_errno(reply) < 0, reply
        assert tunnel.uapi("get=1\n\n") == before, f"changed, with the bad line at {position}"
    puppet.connect()
    assert puppet.pings(tunnel)


@behaviour(unlike_go="applies line by line")
def test_P102_a_port_in_use_is_refused_and_changes_nothing(scene):
    tunnel, puppet = scene.solo()
    before = tunnel.uapi("get=1\n\n")
    with tunnel.host.udp(port=40000), tunnel.host.udp("::", port=40001):
        for port in (40000, 40001):
            reply = tunnel.uapi(f"set=1\nlisten_port={port}\nfwmark=9\n\n")
            assert reply_errno(reply) == -errno.EADDRINUSE, reply
            assert tunnel.uapi("get=1\n\n") == before
    puppet.connect()
    assert puppet.pings(tunnel)


# Whoever brings the interface up can't be told that its port is taken: who asks for the port is.

@behaviour(unlike_go="applies line by line")
def test_P102_a_port_in_use_is_refused_before_the_interface_is_up(scene):
    host = scene.host("left")
    daemon = scene.daemon(host)
    before = daemon.uapi("get=1\n\n")
    with host.udp(port=40000), host.udp("::", port=40001):
        for port in (40000, 40001):
            reply = daemon.uapi(f"set=1\nlisten_port={port}\nfwmark=9\n\n")
            assert reply_errno(reply) == -errno.EADDRINUSE, reply
            assert daemon.uapi("get=1\n\n") == before
    assert daemon.uapi("set=1\nlisten_port=40000\n\n") == OK


# --- memory ---------------------------------------------------------------------------------

def many_peers(count):
    """Lines that add peers, with endpoints and allowed IPs."""
    return "".join(
        f"public_key={number + 2 ** 200:064x}\nendpoint=192.0.2.9:9\n"
        f"allowed_ip=10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32\n"
        for number in range(count))


def configuration_of(reply):
    """A get's lines but for those that time and traffic change."""
    changing = {"last_handshake_time_sec", "last_handshake_time_nsec", "tx_bytes", "rx_bytes"}
    return [line for line in parse_lines(reply) if line[0] not in changing]


@behaviour(deadline_s=120, unlike_go="ends when there is no memory")
def test_P35_a_set_without_memory_is_refused_whole_and_the_tunnel_lives(scene):
    if PATIENCE != 1:
        raise Skip("sanitizers reserve more memory than there is")
    tunnel, puppet = scene.solo()
    puppet.connect()
    pid = tunnel.daemon.pid
    request = "set=1\nfwmark=7\n" + many_peers(20_000) + "\n"
    refused = 0
    for allowance in (1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64, 256):
        before = configuration_of(tunnel.uapi("get=1\n\n"))
        used = process.status_field(pid, "VmSize") << 10
        _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (used + (allowance << 20), hard))
        reply = tunnel.daemon.uapi(request, 60)
        resource.prlimit(pid, resource.RLIMIT_AS, (hard, hard))
        if reply == OK:
            break
        refused += 1
        assert reply_errno(reply) == -errno.ENOMEM, reply
        assert configuration_of(tunnel.uapi("get=1\n\n")) == before
        assert puppet.pings(tunnel)
    assert reply == OK and refused > 2, refused
    assert tunnel.daemon.uapi("get=1\n\n", 60).count("public_key=") == 20_001
    assert puppet.pings(tunnel)


@behaviour
def test_P102_a_port_in_use_is_told(scene):
    tunnel, _ = scene.solo()
    with tunnel.host.udp(port=40000):
        assert reply_errno(tunnel.uapi("set=1\nlisten_port=40000\n\n")) == -errno.EADDRINUSE


@behaviour
def test_P102_unknown_requests_are_refused(scene):
    daemon = scene.daemon(scene.host("left"))
    for request in (b"get=2\n\n", b"set=0\n\n", b"gets=1\n\n", b"hello\n\n", b"\n", b"\n\n",
                    b"\0\0\0\n\n", b"\xff\xfe\n\n", b"GET / HTTP/1.1\r\n\r\n"):
        with daemon.connect(3) as connection:
            connection.sendall(request)
            connection.shutdown(1)
            reply = read_reply(connection)          # an error, or a closed connection
        assert "errno=0\n" not in reply and "private_key" not in reply, f"{request}: {reply}"
    assert daemon.uapi("get=1\n\n").endswith(OK)


# Who ends in the middle, or sends a text of Windows, gets an answer that says so, and does not wait for it
# in vain.

@behaviour(unlike_go="applies what came, or closes without a word")
def test_P102_what_is_cut_off_or_has_carriage_returns_gets_an_errno(scene):
    daemon = scene.daemon(scene.host("left"))
    for request in (b"get=1", b"get=1\n", b"set=1\nfwmark=7", b"set=1\nfwmark=7\n"):
        with daemon.connect(3) as connection:
            connection.sendall(request)
            connection.shutdown(1)
            assert reply_errno(read_reply(connection)) == -errno.EPROTO, request
    for request in ("get=1\r\n\r\n", "set=1\r\nfwmark=7\r\n\r\n", "set=1\nfwmark=7\r\n\n"):
        assert reply_errno(daemon.uapi(request)) == -errno.EINVAL, request
    assert "fwmark" not in daemon.uapi("get=1\n\n")


# Random text, random bytes, endless lines: an answer or a closed connection, and no growth.

@behaviour(deadline_s=60, unlike_go="reads lines of any length")
def test_P102_garbage_does_no_harm(scene):
    daemon = scene.daemon(scene.host("left"))
    chance = random.Random(5)
    words = [b"set=1\n", b"get=1\n", b"\n", b"=", b"public_key=", b"ab" * 32, b"allowed_ip=",
             b"10.0.0.0/8", b"-", b"\0", b"\xff" * 9, b"endpoint=", b"[::1]:1", b"true", b"\r\n"]
    for seed in range(150):
        request = (pattern(500, seed) if seed % 3 == 0
                   else b"".join(chance.choices(words, k=chance.randrange(1, 40))))
        swallow(daemon, request)
    before = process.status_field(daemon.pid, "VmRSS")
    swallow(daemon, b"set=1\nallowed_ip=" + b"1" * (32 << 20))
    swallow(daemon, b"x" * (32 << 20))
    grown = process.status_field(daemon.pid, "VmRSS") - before
    if PATIENCE == 1:
        assert grown < 8 << 10, f"an endless line is kept: {grown} KiB"
    assert daemon.uapi("get=1\n\n").endswith(OK)


def swallow(daemon, request):
    """Sends what the daemon will take of a request and reads what it answers."""
    with daemon.connect(10) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(1)
            read_reply(connection)
        except (ConnectionError, BrokenPipeError):
            pass


# --- clients --------------------------------------------------------------------------------

@behaviour
def test_P100_several_requests_on_one_connection(scene):
    daemon = scene.daemon(scene.host("left"))
    with daemon.connect() as connection:
        for port in (40001, 40002):
            connection.sendall(f"set=1\nlisten_port={port}\n\n".encode())
            assert read_reply(connection) == OK
            connection.sendall(b"get=1\n\n")
            assert f"listen_port={port}\n" in read_reply(connection)


@behaviour
def test_P100_requests_may_come_in_pieces(scene):
    daemon = scene.daemon(scene.host("left"))
    with daemon.connect() as connection:
        for byte in b"set=1\nlisten_port=40003\n\n":
            connection.sendall(bytes([byte]))
        assert read_reply(connection) == OK


@behaviour(unlike_go="loses what follows a set request too closely")
def test_P100_requests_may_come_together(scene):
    daemon = scene.daemon(scene.host("left"))
    with daemon.connect(3) as connection:
        connection.sendall(b"set=1\nlisten_port=40004\n\nget=1\n\n")
        text = ""
        while text.count("errno=0\n\n") < 2:
            text += read_reply(connection)
        assert "listen_port=40004\n" in text


# A client that stalls in the middle of a request, or never reads its answer, is its own problem.

@behaviour(unlike_go="lets nobody else in while a set request stalls")
def test_P103_stalled_clients_block_nobody(scene):
    tunnel, puppet = scene.solo()
    stalled = [tunnel.daemon.connect() for _ in range(20)]
    for number, connection in enumerate(stalled):
        connection.sendall((b"set=1\n", b"set=1\nlisten_port=4000", b"get=1\n", b"s")[number % 4])
    tunnel.wg("show")
    tunnel.set("fwmark 5")
    assert tunnel.wg("show", "fwmark") == "0x5"
    puppet.connect()
    assert puppet.pings(tunnel)
    for connection in stalled:
        connection.close()
    assert tunnel.wg("show", "listen-port") == "51820", "half a request was applied"


@behaviour
def test_P103_a_client_that_never_reads_blocks_nobody(scene):
    tunnel, puppet = scene.solo()
    prefixes = [f"allowed_ip=10.{i}.{j}.0/24\n" for i in range(50, 90) for j in range(250)]
    tunnel.uapi(f"set=1\npublic_key={puppet.public_key.hex()}\n{''.join(prefixes)}\n")
    greedy = tunnel.daemon.connect()
    greedy.setblocking(False)
    try:
        while True:
            greedy.send(b"get=1\n\n" * 100)
    except BlockingIOError:
        pass
    puppet.connect()
    assert puppet.pings(tunnel)
    assert len(tunnel.status(puppet).allowed_ips.split(",")) == 10002
    greedy.close()


@behaviour
def test_P103_two_hundred_idle_clients_are_nothing(scene):
    tunnel, puppet = scene.solo()
    before = process.status_field(tunnel.daemon.pid, "VmRSS")
    clients = [tunnel.daemon.connect() for _ in range(200)]
    puppet.connect()
    assert puppet.pings(tunnel)
    assert tunnel.wg("show", "listen-port") == "51820"
    grown = process.status_field(tunnel.daemon.pid, "VmRSS") - before
    if PATIENCE == 1:
        assert grown < 8 << 10, f"{grown} KiB for 200 idle clients"
    clients[150].sendall(b"get=1\n\n")
    assert "errno=0\n\n" in read_reply(clients[150])
    for client in clients:
        client.close()
    eventually(lambda: tunnel.uapi("get=1\n\n").endswith(OK), "it still answers")
