"""What `ferrule save`, and `down` with SaveConfig, write; where they can't; and what else would be lost."""

from lib.registry import behaviour
from lib.tunnel import new_private_key
from test_quick import CONFIG, FOLDER, Quick, read

EVERYTHING = "AllowedIPs = 0.0.0.0/0, ::/0"


def chosen(quick, interface="", peer=EVERYTHING):
    """A file that leaves the port to the machine."""
    return quick.config(interface, peer=peer).replace("ListenPort = 7000\n", "")


@behaviour
def test_what_up_chose_is_not_saved(scene):
    quick = Quick(scene)
    quick.write(chosen(quick))
    quick.run("ferrule", "up")
    quick.run("ferrule", "save")
    saved = read(quick.host, CONFIG)
    assert "FwMark" not in saved and "ListenPort" not in saved, saved
    quick.run("ferrule", "reload")
    quick.run("ferrule", "save")
    assert read(quick.host, CONFIG) == saved
    quick.host.run("wg set wg0 listen-port 7001 fwmark 7")
    quick.run("ferrule", "save")
    saved = read(quick.host, CONFIG)
    assert "FwMark = 0x7\n" in saved and "ListenPort = 7001\n" in saved, saved
    quick.run("ferrule", "down")


def mounted(quick):
    """The file alone, as containers have it; the file in a folder that is to be read only."""
    yield lambda: quick.host.run(f"mount --bind {CONFIG} {CONFIG}")
    yield lambda: (quick.host.run(f"mount --bind {FOLDER} {FOLDER}"),
                   quick.host.run(f"mount --bind {CONFIG} {CONFIG}"),
                   quick.host.run(f"mount -o remount,ro,bind {FOLDER}"))


@behaviour
def test_a_file_that_cannot_be_replaced_is_written_into(scene):
    quick = Quick(scene)
    for mount in mounted(quick):
        quick.write(quick.config("SaveConfig = true\n# " + "long " * 1000))
        mount()
        before = quick.machine()
        quick.run("ferrule", "up")
        peer = new_private_key().public
        quick.host.run(f"wg set wg0 peer {peer} allowed-ips 10.66.0.0/16")
        _, log = quick.run("ferrule", "down")
        saved = read(quick.host, CONFIG)
        assert "Warning" not in log and f"PublicKey = {peer}\n" in saved, log + saved
        quick.is_as(before)
        quick.host.run(["sh", "-c", f"umount {CONFIG}; umount {FOLDER}; true"])
        assert quick.host.out(f"ls {FOLDER}").split() == ["bin", "wg0.conf"]


@behaviour
def test_a_file_that_cannot_be_written_keeps_nothing_up(scene):
    quick = Quick(scene)
    text = quick.config("SaveConfig = true")
    quick.write(text)
    quick.host.run(f"mount --bind {FOLDER} {FOLDER}")
    quick.host.run(f"mount -o remount,ro,bind {FOLDER}")
    before = quick.machine()
    quick.run("ferrule", "up")
    peer = new_private_key().public
    quick.host.run(f"wg set wg0 peer {peer} allowed-ips 10.66.0.0/16")
    _, log = quick.run("ferrule", "down")
    assert "Read-only file system" in log and "is not saved: it stays as it is" in log, log
    assert f"peer {peer}, allowed IPs 10.66.0.0/16 is not in {CONFIG}" in log, log
    quick.is_as(before)
    assert read(quick.host, CONFIG) == text


@behaviour
def test_a_peer_that_was_added_by_hand_is_not_lost_in_silence(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    quick.run("ferrule", "up")
    _, log = quick.run("ferrule", "down")
    assert "Warning" not in log, log
    quick.run("ferrule", "up")
    peers = [new_private_key().public for _ in range(7)]
    for peer in peers:
        quick.host.run(f"wg set wg0 peer {peer}")
    _, log = quick.run("ferrule", "down")
    assert log.count("is not in") == 5 and "Warning: and 2 more" in log and "ferrule save" in log, log
    quick.run("ferrule", "up")
    quick.host.run(f"wg set wg0 peer {peers[0]}")
    with open(quick.host.path(CONFIG), "a") as file:
        file.write(f"[Peer]\nPublicKey = {peers[0]}\n")
    _, log = quick.run("ferrule", "down")
    assert "is not in" not in log, log


@behaviour
def test_a_reload_after_a_save_leaves_peers_where_they_are(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    quick.run("ferrule", "up")
    peer = quick.right.public_key
    for endpoint in ("192.0.2.2:7005", "[2001:db8::2]:7006"):
        quick.host.run(f"wg set wg0 peer {peer} endpoint {endpoint}")
        quick.run("ferrule", "save")
        assert f"Endpoint = {endpoint}\n" in read(quick.host, CONFIG)
        quick.host.run(f"wg set wg0 peer {peer} endpoint 192.0.2.2:7007")
        _, log = quick.run("ferrule", "reload")
        assert "no change" in log, log
        assert "192.0.2.2:7007" in quick.host.out("wg show wg0 endpoints")
    quick.write(quick.config(endpoint="192.0.2.2:7008"))
    quick.run("ferrule", "reload")
    assert "192.0.2.2:7008" in quick.host.out("wg show wg0 endpoints")
    quick.run("ferrule", "down")
