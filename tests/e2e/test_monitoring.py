"""`ferrule watch`, `ferrule metrics` and `ferrule top` beside a tunnel that lives.

    left                                        right
    wg0, watched ────────────────────────────── wg0
"""

import json
import os
import signal
import socket
import subprocess

from lib.registry import BOTH, Skip, behaviour
from lib.terminal import Terminal
from lib.traffic import must_ping
from lib.tunnel import new_private_key
from lib.wait import eventually


def tool(scene):
    path = f"{scene.build_dir}/ferrule"
    if not os.path.exists(path):
        raise Skip("ferrule is not built")
    return path


class Watch:
    """`ferrule watch --json`, and the events that it has told."""

    def __init__(self, scene, host, *words):
        self.process = host.spawn([tool(scene), "watch", "--json", "--interval", "0.05", *words],
                                  log_name="watch.log")

    def once_it_looks(self, tunnel):
        """Waits for its first look, since what is there by then is not news: adds peers until it
        tells of one."""
        def looks():
            tunnel.set(f"peer {new_private_key().public}")
            return any(event["event"] == "peer_added" for event in self.events())
        eventually(looks, "watch looks")
        return self

    def events(self):
        return [json.loads(line) for line in self.process.log().splitlines(keepends=True)
                if line.endswith("\n")]

    def wait(self, name, **fields):
        """The first event of this name with these fields."""
        def told():
            return next((event for event in self.events() if event["event"] == name and
                         all(event.get(key) == value for key, value in fields.items())), None)
        return eventually(told, f"watch tells of {name} {fields}")


@behaviour(peers=BOTH)
def test_watch_tells_of_connecting_and_roaming(scene):
    left, right = scene.pair()
    watch = Watch(scene, left.host).once_it_looks(left)
    must_ping(left.host, right.inside4)
    key = str(right.public_key)
    watch.wait("connected", peer=key, interface="wg0")
    right.set("listen-port 40000")
    must_ping(right.host, left.inside4)
    event = watch.wait("roamed", peer=key)
    assert event["from"] == "192.0.2.2:51820", event
    assert event["endpoint"] == "192.0.2.2:40000", event


@behaviour
def test_watch_tells_what_comes_and_goes(scene):
    tunnel, puppet = scene.solo()
    watch = Watch(scene, tunnel.host).once_it_looks(tunnel)
    other = scene.tunnel(tunnel.host, (), name="wg1", port=51821)
    watch.wait("device_appeared", interface="wg1")
    other.peer(puppet, allowed=["10.9.0.0/16"])
    watch.wait("peer_added", interface="wg1", peer=str(puppet.public_key))
    other.remove(puppet)
    watch.wait("peer_removed", interface="wg1", peer=str(puppet.public_key))
    other.daemon.stop()
    watch.wait("device_vanished", interface="wg1")


@behaviour(unlike_go="wireguard-go has no counters")
def test_watch_tells_why_something_was_dropped(scene):
    tunnel, puppet = scene.solo()
    watch = Watch(scene, tunnel.host, "wg0")
    tunnel.host.run("ip route add 10.66.0.0/16 dev wg0")
    # Again and again, since what happened before the first look is not news.
    def told():
        tunnel.host.run("ping -c 1 -W 1 10.66.0.1", check=False)
        return any(event.get("reason") == "no_route" for event in watch.events())
    eventually(told, "watch tells of a packet without a route")


@behaviour
def test_watch_ends_when_nobody_reads(scene):
    host = scene.host("left")
    result = host.run(["sh", "-c", f"timeout 20 {tool(scene)} watch --for 0.1 > /dev/full; echo $?"])
    assert result.stdout.strip() in ("0", "1"), result.stdout


@behaviour
def test_watch_ends_when_what_it_tells_finds_no_room(scene):
    host = scene.host("left")
    watch = host.spawn(["sh", "-c", f"{tool(scene)} watch --interval 0.05 > /dev/full"],
                       log_name="watch.log")
    tunnel = scene.tunnel(host, ())
    def ended():        # since what is there at the first look is not news
        if watch.running():
            tunnel.set(f"peer {new_private_key().public}")
        return not watch.running()
    eventually(ended, "watch ends")
    assert watch.wait() == 1
    assert "cannot write: No space left on device" in watch.log()


def scrape(host, port, path="/metrics"):
    connection = host.socket(socket.AF_INET, socket.SOCK_STREAM)
    with connection:
        connection.settimeout(10)
        connection.connect(("127.0.0.1", port))
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        reply = b""
        while piece := connection.recv(65536):
            reply += piece
    return reply.decode()


@behaviour(peers=BOTH)
def test_metrics_are_served_on_loopback(scene):
    left, right = scene.pair()
    server = left.host.spawn([tool(scene), "metrics", "--listen", "127.0.0.1:9999"],
                             log_name="metrics.log")
    eventually(lambda: "Serving http://127.0.0.1:9999/metrics" in server.log(), "metrics serve")
    must_ping(left.host, right.inside4)
    page = scrape(left.host, 9999)
    assert " 200 " in page.splitlines()[0], page
    sample = next(line for line in page.splitlines()
                  if line.startswith("wireguard_sent_bytes_total{"))
    assert f'public_key="{right.public_key}"' in sample, sample
    assert float(sample.split()[-1]) > 0, sample
    assert str(left.private_key) not in page
    assert server.stop() == 0, "a signal ends it in order"


@behaviour(peers=BOTH, unlike_go="wireguard-go has no counters")
def test_lanes_are_counted(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    stats = left.daemon.stats()
    lanes = [name for name in stats if name.startswith("lane_") and name.endswith("_cpu_ns")]
    assert lanes, stats
    for what in ("sent_packets", "received_packets"):
        assert sum(stats[name.replace("cpu_ns", what)] for name in lanes) > 0, stats
    assert sum(stats[name] for name in lanes) > 0, stats
    assert stats["control_cpu_ns"] > 0, stats


@behaviour(peers=BOTH, unlike_go="wireguard-go has no counters")
def test_messages_that_are_lost_on_the_way_are_counted_by_peer(scene):
    left, right = scene.pair()
    must_ping(right.host, left.inside4)
    before = left.daemon.peer_stats(right.public_key)
    left.host.nft("table ip lossy { chain input { type filter hook input priority 0; "
                  "udp length > 1000 drop; }; }")
    right.host.run(f"ping -n -c 20 -i 0.02 -W 0.1 -s 1200 {left.inside4}", check=False)
    must_ping(right.host, left.inside4)     # the first that comes again tells what is missing
    after = left.daemon.peer_stats(right.public_key)
    expected = after["expected_messages"] - before["expected_messages"]
    received = after["received_messages"] - before["received_messages"]
    assert expected - received == 20, (before, after)
    assert received > 0, (before, after)
    page = left.host.out([tool(scene), "metrics", "--once"])
    for what in ("expected", "received"):
        sample = next(line for line in page.splitlines()
                      if line.startswith(f"ferrule_peer_{what}_messages_total{{"))
        assert f'public_key="{right.public_key}"' in sample, sample
        assert int(sample.split()[-1]) >= after[f"{what}_messages"], (sample, after)


@behaviour
def test_get_tells_nothing_that_other_tools_do_not_know(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    assert "messages" not in left.uapi("get=1\n\n")


@behaviour
def test_metrics_go_on_without_a_device(scene):
    host = scene.host("left")
    page = host.out([tool(scene), "metrics", "--once"])
    assert "ferrule_info" in page, page
    daemon = scene.daemon(host)
    assert 'ferrule_peers{interface="wg0"} 0' in host.out([tool(scene), "metrics", "--once"])
    daemon.stop()


# An interface that is named must be there; one that goes later is said to be gone, and looked for.

@behaviour
def test_views_of_nothing_are_refused(scene):
    host = scene.host("left")
    for words in (["watch", "wg0"], ["metrics", "wg0"], ["metrics", "--once", "wg0"],
                  ["top", "wg0"]):
        result = host.run([tool(scene), *words], check=False, timeout_s=10)
        assert result.returncode == 1, words
        assert result.stderr == f"{tool(scene)}: `wg0' is not a WireGuard interface\n", result.stderr


@behaviour
def test_views_go_on_when_their_interface_does_not(scene):
    host = scene.host("left")
    daemon = scene.daemon(host)
    terminal = Terminal(host, [tool(scene), "top", "--interval", "0.1", "wg0"])
    terminal.wait("peers 0")
    server = host.spawn([tool(scene), "metrics", "--listen", "127.0.0.1:9999", "wg0"],
                        log_name="metrics.log")
    eventually(lambda: "Serving" in server.log(), "metrics serve")
    assert 'ferrule_up{interface="wg0"} 1' in scrape(host, 9999)
    daemon.stop()
    terminal.wait("wg0 (gone)")
    assert 'ferrule_up{interface="wg0"} 0' in scrape(host, 9999)
    scene.daemon(host)
    eventually(lambda: 'ferrule_up{interface="wg0"} 1' in scrape(host, 9999), "it is back")
    terminal.type("q")
    assert terminal.process.wait(10) == 0


# --- top: a person at a terminal --------------------------------------------------------------

@behaviour(peers=BOTH)
def test_top_shows_the_tunnel_and_quits(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    terminal = Terminal(left.host, [tool(scene), "top", "--interval", "0.1"])
    terminal.wait("1 with a session")
    terminal.wait(str(right.public_key)[:13])
    terminal.wait("192.0.2.2:51820")
    terminal.type("\r")
    terminal.wait("persistent keepalive")
    if scene.subject.is_ferrule:
        terminal.wait("lost on the way here")
    terminal.type("\x1b")
    terminal.type("q")
    assert terminal.process.wait(10) == 0
    assert "\x1b[?1049l" in terminal.drawn.decode(errors="replace") + _rest(terminal), \
        "the terminal is given back"


def _rest(terminal):
    terminal.text()
    return terminal.drawn.decode(errors="replace")


@behaviour
def test_top_shows_peers_in_a_small_window(scene):
    tunnel, puppet = scene.solo()
    terminal = Terminal(tunnel.host, [tool(scene), "top", "--interval", "0.1"], rows=5, columns=20)
    terminal.wait(str(puppet.public_key)[:13])
    terminal.type("/zo\u00eb")
    terminal.wait("\u00eb_")
    terminal.wait("no peer matches")
    terminal.type("\r")
    terminal.type("q")
    assert terminal.process.wait(10) == 0


@behaviour
def test_top_refuses_what_it_cannot_draw_on(scene):
    host = scene.host("left")
    for term in ("dumb", "nonsense"):
        terminal = Terminal(host, [tool(scene), "top"], term=term)
        assert terminal.process.wait(10) == 1
        terminal.wait(f"TERM={term}: ")


@behaviour(peers=BOTH)
def test_show_is_live_until_interrupted(scene):
    left, right = scene.pair()
    terminal = Terminal(left.host, [tool(scene), "show", "wg0", "--watch=0.1"], rows=12)
    terminal.wait(f"peer: {right.public_key}")
    assert "latest handshake" not in terminal.text()
    must_ping(left.host, right.inside4)
    terminal.wait("latest handshake")
    terminal.wait("ago")
    for _ in range(3):
        left.set(f"peer {new_private_key().public}")
    terminal.wait(" more lines)")
    terminal.resize(60, 100)
    left.daemon.stop()
    terminal.wait("is not a WireGuard interface")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(10) == 0
    assert _rest(terminal).endswith("\x1b[?1049l"), "the terminal is given back"


@behaviour
def test_show_of_nothing_is_no_live_view(scene):
    host = scene.host("left")
    terminal = Terminal(host, [tool(scene), "show", "wg0", "--watch"])
    assert terminal.process.wait(10) == 1
    assert "\x1b" not in _rest(terminal)
    terminal.wait("is not a WireGuard interface")


@behaviour
def test_top_follows_the_size_of_its_terminal(scene):
    host = scene.host("left")
    scene.daemon(host)
    terminal = Terminal(host, [tool(scene), "top", "--interval", "0.1"], columns=40)
    terminal.wait("ferrule top")
    assert "RECEIVED" not in terminal.text()
    terminal.resize(30, 160)
    os.kill(terminal.process.pid, signal.SIGWINCH)
    terminal.wait("RECEIVED")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(10) == 0
