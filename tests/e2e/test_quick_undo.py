"""`ferrule undo`: the last edit of a file is taken back, and a tunnel that is up follows.

    left                                        right
    wg0, by ferrule                             wg0
    192.0.2.1 ───────────────────────────────── 192.0.2.2
"""

from lib.registry import behaviour
from lib.traffic import must_ping

from test_quick import CONFIG, Quick, read


def peer(quick, *words):
    return quick.host.run([quick.paths["ferrule"], "peer", words[0], CONFIG, *words[1:]])


@behaviour
def test_undo_takes_back_what_peer_did_to_a_tunnel(scene):
    quick = Quick(scene)
    quick.write(quick.config("# Endpoint = 192.0.2.1"))
    quick.run("ferrule", "up")
    must_ping(quick.host, "10.10.0.2")
    before = read(quick.host, CONFIG), quick.host.out("wg showconf wg0")
    key = str(quick.right.public_key)
    peer(quick, "add", "alice")
    peer(quick, "remove", key)
    assert "10.10.0.0/24" not in quick.host.out("wg show wg0 allowed-ips")
    told = quick.run("ferrule", "undo")[1]
    assert f"wg0: peer {key}: added" in told and f"+ PublicKey = {key}" in told, told
    assert "10.10.0.0/24" in quick.host.out("wg show wg0 allowed-ips")
    assert "alice" in read(quick.host, CONFIG)
    quick.run("ferrule", "undo")
    assert (read(quick.host, CONFIG), quick.host.out("wg showconf wg0")) == before
    must_ping(quick.host, "10.10.0.2")
    assert quick.run("ferrule", "undo", check=False)[0] == 1
    quick.run("ferrule", "down")


@behaviour
def test_undo_brings_back_a_file_as_it_was_before_a_save(scene):
    quick = Quick(scene)
    text = quick.config("# mine\nMTU = 1400")
    quick.write(text)
    quick.run("ferrule", "up")
    quick.host.run("ip link set wg0 mtu 1390")
    quick.run("ferrule", "save")
    assert "1390" in read(quick.host, CONFIG)
    quick.run("ferrule", "undo")
    assert read(quick.host, CONFIG) == text
    assert "mtu 1400" in quick.host.out("ip link show wg0")
    quick.run("ferrule", "down")


# As the peer commands do: in the file and in the device, or in neither.

@behaviour
def test_undo_that_the_tunnel_refuses_changes_nothing(scene):
    quick = Quick(scene)
    quick.write(quick.config("# Endpoint = 192.0.2.1"))
    quick.run("ferrule", "up")
    peer(quick, "add", "alice")
    # What is undone is a port, too, and it is taken by now.
    text = read(quick.host, CONFIG).replace("7000", "7001")
    quick.write(text)
    quick.run("ferrule", "reload")
    with quick.host.udp(port=7000):
        status, log = quick.run("ferrule", "undo", check=False)
    assert status == 1 and "Nothing was changed." in log, log
    assert read(quick.host, CONFIG) == text
    assert "alice" in quick.run("ferrule", "undo")[1]
    quick.run("ferrule", "down")
