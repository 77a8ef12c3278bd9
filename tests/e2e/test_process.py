"""The daemon as a process: how it starts, how it ends, and what it costs when nothing happens."""

import contextlib
import errno
import os
import resource
import signal
import socket
import subprocess
import threading
import time

from lib import process
from lib.cgroup import Group
from lib.daemon import Daemon, answers_uapi, read_reply, reply_errno
from lib.registry import BOTH, Skip, behaviour
from lib.scene import LEFT_INSIDE
from lib.traffic import must_not_ping, must_ping, wait_ping
from lib.tunnel import new_private_key
from lib.wait import PATIENCE, eventually

SOCKET = "/run/wireguard/wg0.sock"
IDLE_RSS_KIB = 8 << 10


def background(scene, host, log_level="verbose"):
    """Starts the daemon as wg-quick does; returns once the command has returned. Its log goes to a
    file: a pipe would be held open by the daemon."""
    return host.run(["sh", "-c", f"exec {scene.subject.path} wg0 >/run/daemon.log 2>&1"],
                    env={"LOG_LEVEL": log_level})


def daemon_pid(host, interface="wg0"):
    """The pid of the process that has the interface's TUN device open on `host`."""
    network = os.readlink(f"/proc/{host.pid}/ns/net")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            inside = os.readlink(f"/proc/{pid}/ns/net") == network
            descriptors = os.listdir(f"/proc/{pid}/fdinfo") if inside else []
        except OSError:                         # it has ended meanwhile
            continue
        if any(_is_tun(f"/proc/{pid}/fdinfo/{fd}", interface) for fd in descriptors):
            return int(pid)
    return None


def _is_tun(path, interface):
    try:
        with open(path) as info:
            return f"iff:\t{interface}\n" in info.read()
    except OSError:                             # it has been closed meanwhile
        return False


# --- start ----------------------------------------------------------------------------------

# The daemon answers within 50 ms of its start. The test allows more on a busy machine, and tells
# what it was.

@behaviour
def test_it_is_ready_at_once(scene):
    host = scene.host("left")
    times = []
    for _ in range(5):
        started = time.monotonic()
        daemon = Daemon(host, scene.subject)
        times.append((time.monotonic() - started) * 1000)
        daemon.stop()
    scene.note(f"ready after {sorted(times)[2]:.0f} ms, nsenter included")
    assert min(times) < 50 * PATIENCE, f"ready after {min(times):.0f} ms at best"


# In the background, the command returns when the daemon answers, not before.

@behaviour
def test_the_command_returns_when_uapi_answers(scene):
    host = scene.host("left")
    for _ in range(5):
        background(scene, host)
        assert answers_uapi(host, "wg0"), "the command returned too early"
        assert host.has_link("wg0")
        pid = daemon_pid(host)
        os.kill(pid, signal.SIGTERM)
        process.wait_gone(pid)


# The daemon leaves its caller's session, so that it survives the terminal; told to be silent, it
# lets go of the caller's pipes, too.

@behaviour(unlike_go="stays in its caller's session")
def test_the_background_daemon_leaves_its_caller(scene):
    host = scene.host("left")
    result = host.run([scene.subject.path, "wg0"], env={"LOG_LEVEL": "silent"}, timeout_s=5)
    assert scene.subject.name == "wireguard-go" or not result.stdout + result.stderr
    pid = daemon_pid(host)
    assert os.getsid(pid) == pid, "it is in the session of its caller"
    os.kill(pid, signal.SIGTERM)
    process.wait_gone(pid)
    assert not host.exists(SOCKET) and not host.has_link("wg0")


# The socket is for root alone, from its first moment.

@behaviour
def test_P100_only_root_may_use_the_socket(scene):
    host = scene.host("left")
    daemon = scene.daemon(host)
    mode = os.stat(host.path(daemon.socket_path)).st_mode & 0o777
    assert mode & 0o077 == 0, oct(mode)


# A second daemon for an interface that has one is refused, and harms nothing.

@behaviour
def test_P103_a_second_start_is_refused(scene):
    host = scene.host("left")
    daemon = scene.daemon(host)
    for arguments in ((), ("-f",)):
        second = host.run([scene.subject.path, *arguments, "wg0"], check=False, timeout_s=10,
                          env={"LOG_LEVEL": "error"})
        assert second.returncode != 0, "a second daemon has started"
        if scene.subject.is_ferrule:
            assert second.stderr + second.stdout, "it did not say why"
    assert daemon.running() and answers_uapi(host, "wg0")
    assert host.has_link("wg0")


# Where an interface of that name exists and is not its own, it is refused.

@behaviour
def test_an_interface_of_another_kind_is_refused(scene):
    host = scene.host("left")
    host.run("ip link add wg0 type veth peer name other")
    second = host.run([scene.subject.path, "-f", "wg0"], check=False, timeout_s=10)
    assert second.returncode != 0
    assert "veth" in host.out("ip -d link show wg0")
    assert not host.exists(SOCKET), "a socket was left behind"


# What a container or a machine most often lacks is named together with what to do about it.

def refusal(scene, host, *through):
    result = host.run([*through, scene.subject.path, "-f", "wg0"], check=False, timeout_s=10)
    assert result.returncode == 1 and not host.exists(SOCKET)
    return result.stderr


@behaviour(unlike_go="gives advice of its own")
def test_without_a_tunnel_device_it_says_what_to_do(scene):
    host = scene.host("left")
    host.run("mount -t tmpfs tmpfs /dev/net")
    said = refusal(scene, host)
    assert "No such file" in said and "modprobe tun" in said and "--device /dev/net/tun" in said
    host.run("mknod /dev/net/tun c 10 253")         # nobody has this number
    said = refusal(scene, host)
    assert "No such device" in said and "modprobe tun" in said, said
    host.lines("""
        rm /dev/net/tun
        touch /dev/net/tun
    """)
    assert "not the tun device" in refusal(scene, host)


@behaviour(unlike_go="gives advice of its own")
def test_without_a_capability_it_says_what_to_do(scene):
    host = scene.host("left")
    said = refusal(scene, host, "setpriv", "--reuid=65534", "--clear-groups")
    assert "Permission denied; needs root" in said, said
    said = refusal(scene, host, "setpriv", "--bounding-set=-net_admin")
    assert "Operation not permitted" in said and "--cap-add NET_ADMIN" in said, said
    host.lines("""
        mount -t tmpfs tmpfs /dev/net
        mknod -m 0666 /dev/net/tun c 10 200
        mount -o remount,nodev /dev/net
    """)
    said = refusal(scene, host)
    assert "Permission denied" in said and "nodev" in said, said


@behaviour(unlike_go="gives advice of its own")
def test_where_devices_are_refused_it_says_what_to_do(scene):
    host = scene.host("left")
    with Group(host) as group:
        group.refuse_devices()
        said = refusal(scene, host, *group.through)
    assert "Operation not permitted" in said and "--device /dev/net/tun" in said, said
    assert "DeviceAllow=/dev/net/tun" in said, said


# A limit of CPU time, of a container or a service, is one of cores too.

@behaviour(unlike_go="has no lanes")
def test_no_more_lanes_than_the_cpu_quota_has_cores_for(scene):
    host = scene.host("left")
    if len(os.sched_getaffinity(0)) < 2:
        raise Skip("there is one lane in any case")
    with Group(host, "cpu") as group:
        group.limit_cpu(1)
        daemon = scene.daemon(host, through=group.through)
        lanes = [name for name in daemon.stats() if name.endswith("_sent_packets")]
        assert lanes == ["lane_0_sent_packets"], lanes
        daemon.stop()
        scene.note(f"version {group.version}")
    lanes = [name for name in scene.daemon(host).stats() if name.endswith("_sent_packets")]
    assert len(lanes) > 1, "without a quota there are more"


# kill -9 leaves a socket without a listener. The next daemon takes it over, and the tunnel
# resumes.

@behaviour(peers=BOTH, deadline_s=40)
def test_P103_killed_and_started_again(scene):
    left, right = scene.pair()
    must_ping(right.host, left.inside4)
    left.daemon.kill()
    eventually(lambda: not left.host.has_link("wg0"), "the interface goes with its daemon")
    assert left.host.exists(SOCKET), "there is a stale socket to take over"
    must_not_ping(right.host, left.inside4, wait_s=0.3)

    scene.restart(left)
    left.peer(right, endpoint="192.0.2.2:51820")
    must_ping(left.host, right.inside4)
    must_ping(right.host, left.inside6)


# --- end ------------------------------------------------------------------------------------

# It ends cleanly when asked to, and takes socket and interface with it.

def ends_cleanly(scene, how):
    left, right = scene.solo()
    right.connect()
    how(left)
    status = left.daemon.process.wait(5)
    assert status == 0, f"exit status {status}"
    assert not left.host.exists(SOCKET), "the socket is left"
    assert not left.host.has_link("wg0"), "the interface is left"


@behaviour
def test_it_ends_cleanly_on_sigterm(scene):
    ends_cleanly(scene, lambda tunnel: tunnel.daemon.process.send_signal(signal.SIGTERM))


@behaviour
def test_it_ends_cleanly_on_sigint(scene):
    ends_cleanly(scene, lambda tunnel: tunnel.daemon.process.send_signal(signal.SIGINT))


# Signals that it was started with ignored it goes on ignoring: nohup, a script that traps them.

@behaviour
def test_it_outlives_a_hangup_that_nohup_ignores(scene):
    daemon = scene.daemon(scene.host("left"), through=("nohup",))
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.uapi("get=1\n\n").endswith("errno=0\n\n")
    time.sleep(0.2)                             # what it must not do is end
    assert daemon.running()


@behaviour(unlike_go="asks to be told of two of them all the same")
def test_it_ignores_what_was_ignored_when_it_started(scene):
    host = scene.host("left")
    daemon = scene.daemon(host, through=("sh", "-c", "trap '' HUP INT TERM USR1; exec \"$@\"", "sh"))
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        daemon.process.send_signal(number)
    assert daemon.uapi("get=1\n\n").endswith("errno=0\n\n")
    time.sleep(0.2)                             # what it must not do is end
    assert daemon.running() and "drops" not in daemon.log()
    os.unlink(host.path(SOCKET))
    assert daemon.process.wait(5) == 0


@behaviour
def test_it_ends_when_its_socket_is_removed(scene):
    ends_cleanly(scene, lambda tunnel: os.unlink(tunnel.host.path(SOCKET)))


@behaviour
def test_it_ends_when_its_interface_is_removed(scene):
    ends_cleanly(scene, lambda tunnel: tunnel.host.run("ip link del wg0"))


# However the interface goes, and whatever state it is in: removed elsewhere, or together with the network
# namespace that it was moved to.

@contextlib.contextmanager
def moved_away(host, interface="wg0"):
    """The interface is in a network namespace of its own, whose process this is; then that ends."""
    other = host.spawn("unshare --net sleep infinity", log_name="other.log")
    eventually(lambda: process.status_text(other.pid, "Name") == "sleep", "the namespace is there")
    host.run(f"ip link set {interface} netns {other.pid}")
    yield ["nsenter", f"--target={other.pid}", "--net", "--"]
    other.stop(signal.SIGKILL)


def check_ended(tunnel):
    assert tunnel.daemon.process.wait(10) == 0
    assert not tunnel.host.exists(SOCKET), "the socket is left, and the name blocked"


@behaviour
def test_it_ends_when_its_interface_goes_with_a_namespace_while_down(scene):
    tunnel, _ = scene.solo()
    tunnel.host.run("ip link set wg0 down")
    with moved_away(tunnel.host):
        pass
    check_ended(tunnel)


@behaviour
def test_it_ends_when_its_interface_goes_with_a_namespace_while_up(scene):
    tunnel, _ = scene.solo()
    with moved_away(tunnel.host) as inside:
        tunnel.host.run([*inside, "ip", "link", "set", "wg0", "up"])
        eventually(lambda: not tunnel.host.is_udp_closed(tunnel.port), "it is up there")
    check_ended(tunnel)


@behaviour(unlike_go="misses that the interface went down elsewhere")
def test_it_ends_when_its_interface_is_removed_elsewhere_while_down(scene):
    tunnel, _ = scene.solo()
    with moved_away(tunnel.host) as inside:
        eventually(lambda: tunnel.host.is_udp_closed(tunnel.port), "it is down there")
        tunnel.host.run([*inside, "ip", "link", "del", "wg0"])
        check_ended(tunnel)


@behaviour(unlike_go="ends when its port is taken")
def test_it_ends_when_its_interface_goes_with_a_namespace_while_its_port_is_taken(scene):
    tunnel, _ = scene.solo()
    with moved_away(tunnel.host) as inside:
        eventually(lambda: tunnel.host.is_udp_closed(tunnel.port), "the sockets are closed")
        taken = tunnel.host.udp(port=tunnel.port, device="eth0")
        tunnel.host.run([*inside, "ip", "link", "set", "wg0", "up"])
        eventually(lambda: "trying again" in tunnel.daemon.log(), "the port can't be had")
    check_ended(tunnel)
    taken.close()


@behaviour(unlike_go="lets nobody else in while a set request stalls")
def test_it_ends_under_traffic_and_open_connections(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    connections = [tunnel.daemon.connect() for _ in range(10)]
    connections[0].sendall(b"set=1\nlisten_port=")
    flood = subprocess.Popen(
        ["nsenter", f"--target={tunnel.host.pid}", "--net", "--", "ping", "-q", "-f", "-W", "1",
         puppet.inside4], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: tunnel.status(puppet).tx_bytes > 20000, "traffic flows")
        assert tunnel.daemon.stop() == 0
    finally:
        flood.kill()
        flood.wait()
    for connection in connections:
        connection.close()
    assert not tunnel.host.exists(SOCKET)


# An end in the middle of a start is an end, too.

@behaviour
def test_it_can_be_ended_while_it_starts(scene):
    host = scene.host("left")
    for delay_ms in (0, 1, 2, 4, 8, 16):
        daemon = Daemon(host, scene.subject, wait=False)
        time.sleep(delay_ms / 1000)             # the moment is the test
        daemon.stop()
        assert not host.has_link("wg0")
    scene.daemon(host)


# Neither do requests that come at the same moment keep it from ending: changes of keys, changes of
# peers, and answers so long that the end comes while they are written.

def ask_on(daemon, make_request):
    """Makes one request after the other until it answers no more."""
    while True:
        try:
            with daemon.connect() as connection:
                connection.sendall(make_request().encode())
                if not read_reply(connection).endswith("errno=0\n\n"):
                    return
        except OSError:
            return


def ends_while_asked(daemon, requests, delay_ms, how):
    """Ends it `how`, `delay_ms` after clients have begun to make the requests."""
    asking = [threading.Thread(target=ask_on, args=(daemon, each)) for each in requests]
    for thread in asking:
        thread.start()
    time.sleep(delay_ms / 1000)                 # the moment is the test
    how()
    assert daemon.process.wait(10) == 0
    for thread in asking:
        thread.join()
    assert not daemon.host.exists(SOCKET) and not daemon.host.has_link("wg0")


def change_of_keys():
    return f"set=1\nprivate_key={new_private_key().hex()}\n\n"


def change_of_peers(count=1000):
    # Any 32 bytes are a public key.
    return "set=1\nreplace_peers=true\n" + "".join(
        f"public_key={os.urandom(32).hex()}\nallowed_ip=10.{i >> 8}.{i & 255}.0/24\n"
        for i in range(count)) + "\n"


@behaviour
def test_it_can_be_ended_while_its_keys_change(scene):
    host = scene.host("left")
    for delay_ms in (1, 4, 16, 64):
        daemon = Daemon(host, scene.subject)
        host.run("ip link set wg0 up")
        ends_while_asked(daemon, [change_of_keys] * 3, delay_ms,
                         lambda: daemon.process.send_signal(signal.SIGTERM))


@behaviour
def test_it_can_be_ended_while_requests_are_under_way(scene):
    host = scene.host("left")
    requests = [lambda: "get=1\n\n"] * 3 + [change_of_peers, change_of_keys]
    ends = (lambda: daemon.process.send_signal(signal.SIGTERM),
            lambda: os.unlink(host.path(SOCKET)),
            lambda: host.run("ip link del wg0"))
    for how in ends:
        for delay_ms in (2, 20, 150):
            daemon = Daemon(host, scene.subject)
            host.run("ip link set wg0 up")
            daemon.uapi(change_of_peers(5000))
            unread = daemon.connect()           # its answers wait, and are never taken
            unread.sendall(b"get=1\n\n" * 100)
            ends_while_asked(daemon, requests, delay_ms, how)
            unread.close()


# --- its log --------------------------------------------------------------------------------

# Whoever reads the log may stall, a full pipe or a journal that is stopped: nothing waits for him. What
# found no room is dropped, and counted where it is missing.

def refused_set(number):
    word = "".join(chr(ord("a") + int(digit)) for digit in str(number))
    return f"set=1\nno_such_key_{word}=1\n\n"


@behaviour(unlike_go="waits for whoever reads its log")
def test_a_log_that_nobody_reads_stops_nothing(scene):
    tunnel, puppet = scene.solo()
    fifo = tunnel.host.path("/run/log")
    os.mkfifo(fifo)
    with open(os.open(fifo, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0) as log:
        through = ("sh", "-c", 'exec "$@" 2>/run/log', "sh")
        stalled = scene.daemon(tunnel.host, interface="wg1", through=through,
                               env={"LOG_LEVEL": "error"})
        with stalled.connect() as connection:
            for number in range(4000):
                connection.sendall(refused_set(number).encode())
                assert reply_errno(read_reply(connection)) < 0
        assert answers_uapi(tunnel.host, "wg1")
        lines = drain(log)
        assert len(lines) < 4000
        eventually(lambda: lines.extend(drain(log)) or "dropped" in lines[-1], "it says what is missing")
        dropped = int(lines[-1].split()[-1])
        assert len(lines) - 1 + dropped == 4000, (len(lines), dropped)
        stalled.uapi(refused_set(1))
        eventually(lambda: "no_such_key_b:" in "".join(drain(log)), "it goes on")
        for number in range(4000):
            stalled.uapi(refused_set(number))
        assert stalled.stop() == 0, "it waits at its end"
    puppet.connect()


def drain(log):
    text = b""
    while piece := log.read(1 << 20):
        text += piece
    return text.decode().splitlines()


@behaviour(unlike_go="tells it each time")
def test_a_line_that_repeats_is_told_once_with_a_count(scene):
    daemon = scene.daemon(scene.host("left"), env={"LOG_LEVEL": "error"})
    for _ in range(500):
        daemon.uapi(refused_set(1))
    eventually(lambda: "repeated" in daemon.log(), "it counts them")
    daemon.uapi(refused_set(2))
    eventually(lambda: "no_such_key_c" in daemon.log(), "and goes on")
    assert daemon.log().count("no_such_key_b") == 1
    counts = [int(line.split()[-1]) for line in daemon.log().splitlines() if "repeated" in line]
    assert sum(counts) == 499, counts


# --- at rest --------------------------------------------------------------------------------

# An idle daemon sleeps: nothing wakes it but timers that are due, and it is small.

@behaviour(unlike_go="has a clock that ticks every second, and a garbage collector")
def test_an_idle_daemon_sleeps(scene):
    if PATIENCE != 1:
        raise Skip("sanitizers have threads of their own, which wake up")
    tunnel, puppet = scene.solo()
    puppet.connect()
    assert puppet.pings(tunnel)
    pid = tunnel.daemon.pid
    _wait_for_rest(pid)
    before, cpu = process.context_switches(pid), process.cpu_seconds(pid)
    time.sleep(2)                               # the two seconds are the test
    woken = process.context_switches(pid) - before
    scene.note(f"{woken} wake-ups in 2 s")
    assert woken == 0, f"{woken} wake-ups in 2 s of idleness"
    assert process.cpu_seconds(pid) == cpu


def _wait_for_rest(pid):
    def still():
        before = process.context_switches(pid)
        time.sleep(0.3)
        return process.context_switches(pid) == before
    eventually(still, "the daemon comes to rest")


@behaviour
def test_an_idle_daemon_is_small(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    assert puppet.pings(tunnel)
    rss = process.status_field(tunnel.daemon.pid, "VmRSS")
    scene.note(f"RSS {rss / 1024:.1f} MiB")
    if PATIENCE == 1:                           # sanitizers need memory of their own
        assert rss < IDLE_RSS_KIB, f"{rss} KiB"


# The lanes share the port by SO_REUSEPORT, which would let any program of the same user in. It is refused,
# in whatever way it asks: also while the interface is down, and the port comes back with it.

def ways_to_share(host, port):
    """What a program gets for each way to ask for the port: None, or the errno."""
    for address in ("0.0.0.0", "127.0.0.1", "::", "::1"):
        for option in (None, socket.SO_REUSEPORT, socket.SO_REUSEADDR):
            try:
                host.udp(address, port, share=option).close()
                yield f"{address} {option}", None
            except OSError as error:
                yield f"{address} {option}", error.errno


def must_be_refused(host, port):
    for way, error in ways_to_share(host, port):
        assert error == errno.EADDRINUSE, f"{way}: {error}"


@behaviour(unlike_go="shares nothing, and lets its port go when the interface goes down")
def test_P75a_no_other_program_gets_the_port(scene):
    tunnel, puppet = scene.solo(daemon_options={"arguments": ("-f", "--lanes", "8")})
    must_be_refused(tunnel.host, tunnel.port)
    for _ in range(3):
        tunnel.host.run("ip link set wg0 down")
        eventually(lambda: tunnel.host.is_udp_closed(tunnel.port), "the socket is closed")
        must_be_refused(tunnel.host, tunnel.port)
        tunnel.host.run("ip link set wg0 up")
        eventually(lambda: not tunnel.host.is_udp_closed(tunnel.port), "the socket is open")
        tunnel.daemon.uapi("get=1\n\n")       # is answered when all sockets of the port are
        must_be_refused(tunnel.host, tunnel.port)
    tunnel.host.address("wg0", LEFT_INSIDE[1])          # going down has taken it
    puppet.connect()
    assert puppet.pings(tunnel)


@behaviour(unlike_go="shares nothing, and lets its port go when the interface goes down")
def test_P75a_a_port_that_is_changed_is_free(scene):
    tunnel, puppet = scene.solo()
    tunnel.set("listen-port 40000")
    tunnel.host.udp(port=51820).close()
    tunnel.host.run("ip link set wg0 down")
    eventually(lambda: tunnel.host.is_udp_closed(40000), "the socket is closed")
    tunnel.set("listen-port 40001")
    tunnel.host.udp(port=40000).close()
    must_be_refused(tunnel.host, 40001)
    with tunnel.host.udp(port=40002):
        assert reply_errno(tunnel.uapi("set=1\nlisten_port=40002\n\n")) == -errno.EADDRINUSE
    must_be_refused(tunnel.host, 40001)
    tunnel.host.run("ip link set wg0 up")
    puppet.to = ("192.0.2.1", 40001)
    puppet.connect()
    assert puppet.pings(tunnel)


# What binds to an interface of the machine gets past that, while the daemon's interface is down: it has the
# port when that comes up. The daemon says so, lives on, and takes the port when it comes up the next time.

@behaviour(unlike_go="misses the interface going down on newer kernels")
def test_P75b_a_port_taken_meanwhile_ends_nothing(scene):
    tunnel, puppet = scene.solo()
    tunnel.host.run("ip link set wg0 down")
    eventually(lambda: tunnel.host.is_udp_closed(tunnel.port), "the socket is closed")
    with tunnel.host.udp(port=tunnel.port, device="eth0"):
        tunnel.host.run("ip link set wg0 up")
        tunnel.host.run(f"ping -c 1 -W 0.2 {puppet.inside4}", check=False)
        assert tunnel.daemon.running()
        tunnel.wg("show")
        tunnel.host.run("ip link set wg0 down")
    tunnel.host.run("ip link set wg0 up")
    eventually(lambda: not tunnel.host.is_udp_closed(tunnel.port), "the port is taken")
    puppet.connect()
    assert puppet.pings(tunnel)


# No thread can be had when it comes up, as where a container has all of its processes. The daemon says
# so, and tries again until there is room. (The limit is one of memory here: root has no other.)

@behaviour(unlike_go="its runtime ends with the process, or has threads to spare")
def test_lanes_without_threads_are_tried_again(scene):
    if PATIENCE != 1:
        raise Skip("sanitizers need memory of their own")
    host = scene.host("left")
    daemon = scene.daemon(host)
    daemon.uapi("set=1\nlisten_port=7000\n\n")
    limit = resource.prlimit(daemon.pid, resource.RLIMIT_AS)
    with open(f"/proc/{daemon.pid}/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.prlimit(daemon.pid, resource.RLIMIT_AS, (used + 2**20, limit[1]))
    host.run("ip link set wg0 up")
    eventually(lambda: "start a worker: Resource temporarily unavailable; trying again"
               in daemon.log(), "it says so")
    assert host.out("wg show wg0 listen-port") == "7000"
    resource.prlimit(daemon.pid, resource.RLIMIT_AS, limit)
    eventually(lambda: 7000 in host.udp_ports(), "it has started")


# Interfaces come and go without a trace: file descriptors and memory stay where they were.

@behaviour(peers=BOTH)
def test_sessions_leave_nothing_behind(scene):
    left, right = scene.pair()
    pid = left.daemon.pid

    def descriptors():
        return len(os.listdir(f"/proc/{pid}/fd"))

    must_ping(left.host, right.inside4)
    before = None
    for round_number in range(6):
        # An initiation within 20 ms of the last one is dropped (P28), and the next comes 5 s later.
        time.sleep(0.03)
        for action in ("down", "up"):
            left.host.run(f"ip link set wg0 {action}")
        left.set(f"listen-port {51820 + round_number % 2}")
        left.remove(right)
        left.peer(right, endpoint="192.0.2.2:51820")
        wait_ping(left.host, right.inside4)
        if round_number == 0:
            eventually(lambda: left.uapi("get=1\n\n"), "answers")
            before = descriptors()
    eventually(lambda: descriptors() <= before, f"{descriptors()} descriptors, {before} before")
