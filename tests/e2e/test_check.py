"""`ferrule check` on a machine with routes: what only the machine knows of a file."""

import json
import os

from lib.registry import Skip, behaviour
from lib.tunnel import new_private_key

CONFIG = "/run/test/wg0.conf"


def check(scene, host, text, *options):
    """(exit status, {rule: line}) of a file with this text."""
    program = f"{scene.build_dir}/ferrule"
    if not os.path.exists(program):
        raise Skip("ferrule is not built")
    host.write(CONFIG, text)
    os.chmod(host.path(CONFIG), 0o600)
    result = host.run([program, "check", "--json", CONFIG, *options], check=False)
    return result.returncode, {f["rule"]: f["line"] for f in json.loads(result.stdout)}


def config(interface="", peer=""):
    return (f"[Interface]\nPrivateKey = {new_private_key()}\nListenPort = 51820\n{interface}\n"
            f"[Peer]\nPublicKey = {new_private_key().public}\n{peer}\n")


@behaviour
def test_an_interface_means_its_file(scene):
    host = scene.host("left")
    host.run("mount -t tmpfs tmpfs /etc/wireguard")
    assert check(scene, host, config())[0] == 0
    words = [f"{scene.build_dir}/ferrule", "check", "wg0"]
    assert "No such file" in host.run(words, check=False).stdout
    host.run(f"cp -p {CONFIG} /etc/wireguard/wg0.conf")
    assert "/etc/wireguard/wg0.conf: " in host.out(words)


@behaviour
def test_an_mtu_is_held_against_the_route_to_the_endpoint(scene):
    left, _ = scene.linked_hosts(mtu=1400)
    peer = "AllowedIPs = 10.10.0.2/32\nEndpoint = 192.0.2.2:51820"
    assert check(scene, left, config("MTU = 1340", peer)) == (0, {})
    assert check(scene, left, config("MTU = 1341", peer)) == (0, {"mtu-too-large": 4})
    assert check(scene, left, config("MTU = 1341", peer), "--strict")[0] == 1
    assert check(scene, left, config("MTU = 1341", peer), "--offline") == (0, {})


@behaviour
def test_an_endpoint_on_the_own_network_does_not_loop(scene):
    left, _ = scene.linked_hosts()
    assert check(scene, left, config(peer="AllowedIPs = 192.0.0.0/16\n"
                                          "Endpoint = 192.0.2.2:51820")) == (0, {})
    assert check(scene, left, config(peer="AllowedIPs = 192.0.2.0/28\n"
                                          "Endpoint = 192.0.2.2:51820")) == (
        1, {"endpoint-in-tunnel": 8})
