"""A daemon that is killed and started again with its state file.

    left: the hub, not told where its peer is           right: the peer

What the hub knew of the peer is in the file; the peer hears nothing of the restart.
"""

import os
import re
import signal
import stat
import time

from lib.registry import behaviour
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE
from lib.traffic import must_ping, ping
from lib.wait import PATIENCE, eventually
from test_quick import Quick


STATE = "/run/kept/wg0.state"
OPTIONS = {"arguments": ("-f", "--state", STATE)}


def read_state(hub):
    try:
        with open(hub.host.path(STATE), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def records(hub):
    return (len(read_state(hub)) - 68 - 32) // 104


def hub_and_peer(scene):
    left, right = scene.linked_hosts()
    hub = scene.tunnel(left, LEFT_INSIDE, daemon_options=OPTIONS)
    peer = scene.tunnel(right, RIGHT_INSIDE, scene.other)
    hub.peer(peer)
    peer.peer(hub, endpoint="192.0.2.1:51820")
    must_ping(peer.host, hub.inside4)
    return hub, peer


def restart(scene, hub, number=signal.SIGKILL):
    if number == signal.SIGKILL:
        hub.daemon.kill()
    else:
        hub.daemon.stop(number)
    scene.restart(hub, **OPTIONS)


# The hub speaks first to whom it had a session with: the peer, which has nothing to say and still trusts
# its old session, need not find out in 15 s that it is dead.

@behaviour
def test_a_silent_peer_is_reached_at_once(scene):
    hub, peer = hub_and_peer(scene)
    eventually(lambda: records(hub) == 1, "the state is written")
    restart(scene, hub)
    hub.peer(peer)
    began = time.monotonic()
    assert ping(hub.host, peer.inside4, wait_s=0.3)
    assert time.monotonic() - began < 0.3 * PATIENCE
    assert hub.status(peer).endpoint == "192.0.2.2:51820"


@behaviour
def test_a_peer_that_speaks_on_is_heard_at_once(scene):
    hub, peer = hub_and_peer(scene)
    eventually(lambda: records(hub) == 1, "the state is written")
    restart(scene, hub)
    hub.peer(peer)
    eventually(lambda: ping(peer.host, hub.inside4, wait_s=0.05), "the peer gets through",
               0.3 * PATIENCE, every_s=0.01)


# A kill forgets nothing that a peer could be cheated with: what was recorded before is refused after.

@behaviour
def test_P27_a_replay_from_before_is_refused(scene):
    left, right = scene.linked_hosts()
    hub = scene.tunnel(left, LEFT_INSIDE, daemon_options=OPTIONS)
    puppet = scene.puppet(right, hub)
    hub.peer(puppet)
    handshake = puppet.new_handshake()
    initiation = handshake.initiation()
    puppet.send(initiation)
    assert puppet.receive() is not None
    eventually(lambda: records(hub) == 1, "the state is written")
    restart(scene, hub)
    hub.peer(puppet)
    puppet.send(initiation)
    eventually(lambda: hub.daemon.stats()["drop_replayed_initiation"] == 1, "the replay is refused")


@behaviour
def test_byte_counts_go_on(scene):
    hub, peer = hub_and_peer(scene)
    before = hub.status(peer)
    restart(scene, hub, signal.SIGTERM)
    hub.peer(peer)
    after = hub.status(peer)
    assert after.rx_bytes >= before.rx_bytes and after.tx_bytes >= before.tx_bytes > 0


@behaviour
def test_the_file_is_private_and_holds_no_secret(scene):
    hub, _ = hub_and_peer(scene)
    eventually(lambda: records(hub) == 1, "the state is written")
    assert stat.S_IMODE(os.stat(hub.host.path(STATE)).st_mode) == 0o600
    assert bytes(hub.private_key) not in read_state(hub)
    assert bytes(hub.public_key) not in read_state(hub)


# What is torn, old, of another key or no state at all is named, and the daemon works without.

@behaviour
def test_a_file_that_is_wrong_is_named_and_ignored(scene):
    hub, peer = hub_and_peer(scene)
    restart(scene, hub, signal.SIGTERM)
    good = read_state(hub)
    for name, content, why in (
            ("torn", good[:-7], "torn"), ("changed", good[:-1] + b"x", "checksum"),
            ("old", good[:8] + b"\0" + good[9:], "another version"), ("foreign", b"?" * 200, "no state"),
            ("empty", b"", "too short")):
        hub.daemon.stop()
        with open(hub.host.path(STATE), "wb") as file:
            file.write(content)
        scene.restart(hub, **OPTIONS)
        hub.peer(peer, endpoint="192.0.2.2:51820")
        assert re.search(rf"the state file .* is ignored: .*{why}", hub.daemon.log()), name
        eventually(lambda: ping(hub.host, peer.inside4, wait_s=0.5), f"it works with a {name} file")
        hub.daemon.stop()
        assert records(hub) == 1, name


@behaviour
def test_the_file_of_another_key_is_named_and_ignored(scene):
    hub, peer = hub_and_peer(scene)
    hub.daemon.stop()
    hub.private_key = type(hub.private_key)(bytes(peer.private_key)[:31] + b"\x55")
    scene.restart(hub, **OPTIONS)
    eventually(lambda: "it is of another private key" in hub.daemon.log(), "the file is named")


@behaviour
def test_a_folder_that_can_not_be_written_stops_nothing(scene):
    left, right = scene.linked_hosts()
    hub = scene.tunnel(left, LEFT_INSIDE, daemon_options={
        "arguments": ("-f", "--state", "/proc/ferrule/wg0.state")})
    peer = scene.tunnel(right, RIGHT_INSIDE, scene.other)
    hub.peer(peer)
    peer.peer(hub, endpoint="192.0.2.1:51820")
    must_ping(peer.host, hub.inside4)
    assert hub.daemon.log().count("no state is kept") == 1


# A folder that is there and can only be read: what lies in it is known again, and no more is kept.

@behaviour
def test_a_folder_that_can_only_be_read_is_read(scene):
    hub, peer = hub_and_peer(scene)
    hub.daemon.stop()
    kept = read_state(hub)
    hub.host.lines("""
        mount --bind /run/kept /run/kept
        mount -o remount,bind,ro /run/kept
    """)
    scene.restart(hub, **OPTIONS)
    hub.peer(peer)
    assert hub.status(peer).endpoint == "192.0.2.2:51820"
    must_ping(hub.host, peer.inside4)
    complaints = [line for line in hub.daemon.log().splitlines() if "no state is kept" in line]
    assert len(complaints) == 1 and "/run/kept/wg0.state.new: Read-only file system" in complaints[0], complaints
    hub.daemon.stop()
    assert read_state(hub) == kept


# Killed at any moment, it leaves a whole file.

@behaviour
def test_a_kill_while_it_writes_tears_nothing(scene):
    hub, peer = hub_and_peer(scene)
    for i in range(8):
        must_ping(hub.host, peer.inside4)
        time.sleep(0.01 * i)
        restart(scene, hub)
        assert "is ignored" not in hub.daemon.log(), i
        hub.peer(peer)
        assert ping(hub.host, peer.inside4, wait_s=1), i


# Peers that are not added yet are kept until they are, through further restarts.

@behaviour
def test_a_peer_that_is_not_added_yet_is_kept(scene):
    hub, peer = hub_and_peer(scene)
    hub.daemon.stop()
    for _ in range(2):
        scene.restart(hub, **OPTIONS)
        hub.daemon.stop()
        assert records(hub) == 1
    scene.restart(hub, **OPTIONS)
    hub.peer(peer)
    assert hub.status(peer).endpoint == "192.0.2.2:51820"


# `ferrule up` has its daemon keep its state, and `down` leaves the file for the next `up`.

@behaviour
def test_up_keeps_its_state_and_down_leaves_it(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    path = quick.host.path("/var/lib/ferrule/wg0.state")
    quick.run("ferrule", "up")
    must_ping(quick.host, "10.10.0.2")
    quick.run("ferrule", "down")
    eventually(lambda: os.path.exists(path), "the file is left")
    quick.run("ferrule", "up")
    dump = quick.host.out("wg show wg0 dump").splitlines()[1].split("\t")
    assert int(dump[5]) > 0, "byte counts go on"
    quick.run("ferrule", "down")
