"""`ferrule` on the kernel's WireGuard, beside `wg`: what one says or does, the other says or does too.
"""

from guest import machines, tunnels
from lib.registry import behaviour
from lib.scene import RIGHT_INSIDE, outside_endpoint
from lib.traffic import must_ping
from lib.tunnel import new_preshared_key, new_private_key

BOOT_AND_MORE_S = 100
FIELDS = ("public-key", "private-key", "listen-port", "fwmark", "peers", "preshared-keys", "endpoints",
          "allowed-ips", "latest-handshakes", "transfer", "persistent-keepalive", "dump")


def example_peers(count):
    """A part of a .conf file."""
    text = ""
    for number in range(count):
        text += (f"\n[Peer]\nPublicKey = {new_private_key().public}\n"
                 f"PresharedKey = {new_preshared_key()}\n"
                 f"AllowedIPs = 10.{number // 256}.{number % 256}.0/24, fd00:{number:x}::/32\n"
                 f"Endpoint = 203.0.113.1:{1000 + number}\nPersistentKeepalive = 25\n")
    return text


def both(guest, words):
    """What ferrule and wg print for these words, which must be the same."""
    ferrule, wg = guest.out(f"ferrule {words}"), guest.out(f"wg {words}")
    assert ferrule == wg, f"{words}:\n--- ferrule\n{ferrule[:2000]}\n--- wg\n{wg[:2000]}"
    return ferrule


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_ferrule_shows_what_wg_shows(scene):
    ours, theirs = tunnels(scene, *machines(scene), psk=new_preshared_key())
    must_ping(ours.host, theirs.inside4, wait_s=5)
    guest = theirs.host
    guest.run("wg set wg0 fwmark 0xca6c; ip link add wg1 type wireguard")
    guest.run("wg addconf wg0 /dev/stdin", input=example_peers(200))    # several messages of netlink
    for field in FIELDS:
        both(guest, f"show wg0 {field}")
    both(guest, "showconf wg0")
    assert both(guest, "show interfaces").split() == ["wg0", "wg1"]
    assert str(ours.public_key) in both(guest, "show all peers")


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_ferrule_configures_as_wg_does(scene):
    _, guest = machines(scene)
    guest.run("ip link add wg0 type wireguard; ip link add wg1 type wireguard")
    config = (f"[Interface]\nPrivateKey = {new_private_key()}\nFwMark = 7\n" + example_peers(300)
              + f"\n[Peer]\nPublicKey = {new_private_key().public}\nAllowedIPs = "
              + ", ".join(f"172.16.{n // 256}.{n % 256}" for n in range(3000)) + "\n")
    guest.run("cat > /tmp/wg.conf", input=config)

    def same(what):
        dumps = [guest.out(f"wg show {name} dump").splitlines() for name in ("wg0", "wg1")]
        assert dumps[0][1:] == dumps[1][1:], what
        return len(dumps[0]) - 1

    guest.run("ferrule setconf wg0 /tmp/wg.conf; wg setconf wg1 /tmp/wg.conf", timeout_s=60)
    assert same("setconf") == 301
    peer = new_private_key().public
    words = f"peer {peer} allowed-ips 192.168.0.0/24,fd99::/64 endpoint [2001:db8::7]:9 persistent-keepalive 9"
    guest.run(f"ferrule set wg0 {words}; wg set wg1 {words}")
    assert same("set") == 302
    guest.run(f"ferrule set wg0 peer {peer} remove; wg set wg1 peer {peer} remove")
    assert same("remove") == 301
    guest.run("head -n 10 /tmp/wg.conf > /tmp/few.conf")
    guest.run("ferrule syncconf wg0 /tmp/few.conf; wg syncconf wg1 /tmp/few.conf", timeout_s=60)
    assert same("syncconf") == 1


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_ferrule_brings_up_the_kernels_interface(scene):
    host, guest = machines(scene)
    ours = scene.tunnel(host, ("10.10.0.1/24", "fd10::1/64"))
    key = new_private_key()
    scene.secrets.append(key)
    config = (f"[Interface]\n# Implementation = kernel\nPrivateKey = {key}\nListenPort = 51820\n"
              f"Address = {', '.join(RIGHT_INSIDE)}\n\n"
              f"[Peer]\nPublicKey = {ours.public_key}\nAllowedIPs = 10.10.0.1/32, fd10::1/128, 10.77.0.0/16\n"
              f"Endpoint = {outside_endpoint(1)}\n")
    guest.run("umask 077; mkdir -p /etc/wireguard; cat > /etc/wireguard/wg0.conf", input=config)
    guest.run("ferrule up wg0")
    ours.set(f"peer {key.public} allowed-ips 10.10.0.2/32,fd10::2/128 endpoint {outside_endpoint(2)}")
    must_ping(host, "10.10.0.2", wait_s=5)
    assert "10.77.0.0/16" in guest.out("ip route show dev wg0")
    guest.run("ferrule down wg0")               # this kernel has no nftables loaded
    assert "wg0" not in guest.out("ip link")


# Debian 12's kernel can't: it must not be taken for done, and nothing may change.

@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_a_kernel_that_cannot_remove_a_single_allowed_ip_refuses(scene):
    _, guest = machines(scene)
    peer = new_private_key().public
    guest.run("ip link add wg0 type wireguard")
    guest.run(f"ferrule set wg0 peer {peer} allowed-ips 10.0.0.0/8,fd00::/8")
    before = guest.out("wg show wg0 dump")
    output = guest.run(f"ferrule set wg0 peer {peer} allowed-ips -10.0.0.0/8 && echo done", check=False)
    assert "done" not in output, output
    assert "6.16" in output, output
    assert guest.out("wg show wg0 dump") == before
