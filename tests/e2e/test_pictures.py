"""Pictures of QR codes: `ferrule peer add --png` and qrencode make them, and `ferrule import` reads them,
with Debian's libzbar."""

import ctypes.util
import os
import shutil

from lib.registry import Skip, behaviour
from lib.tunnel import new_preshared_key, new_private_key

CONF = f"""[Interface]
PrivateKey = {new_private_key()}
Address = 10.10.0.2/32, fd10::2/128
DNS = 10.10.0.1

[Peer]
# Name = server
PublicKey = {new_private_key().public}
PresharedKey = {new_preshared_key()}
Endpoint = vpn.example.org:51820
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 25
"""


def tool(scene):
    path = f"{scene.build_dir}/ferrule"
    if not os.path.exists(path):
        raise Skip("ferrule is not built")
    return path


def library():
    name = ctypes.util.find_library("zbar")
    if not name:
        raise Skip("libzbar0 is not installed")
    return name


def picture(host, *options, text=CONF):
    """The path of a new one."""
    if not shutil.which("qrencode"):
        raise Skip("qrencode is not installed")
    host.run(["qrencode", "-o", "/run/picture.png", *options], input=text)
    return "/run/picture.png"


def read(scene, host, path):
    return host.run([tool(scene), "import", "--as", "-", path], check=False)


@behaviour
def test_pictures_of_many_kinds_are_read(scene):
    library()
    host = scene.host("left")
    for options in ((), ("-s", "1", "-m", "1"), ("-s", "12", "-m", "10"), ("-l", "H"), ("-8",),
                    ("-t", "PNG32", "--background=ffffff00"), ("--foreground=303060", "--background=f0e0c0")):
        result = read(scene, host, picture(host, *options))
        assert result.returncode == 0 and result.stdout.strip() == CONF.strip(), (options, result)


@behaviour
def test_a_picture_becomes_a_file_of_an_interface(scene):
    library()
    host = scene.host("left")
    host.run("mount -t tmpfs -o mode=755 tmpfs /etc/wireguard")
    result = host.run([tool(scene), "import", picture(host), "--as", "wg7"])
    assert "/etc/wireguard/wg7.conf has 1 peer" in result.stdout, result.stdout
    assert os.stat(host.path("/etc/wireguard/wg7.conf")).st_mode & 0o777 == 0o600
    piped = host.run(["sh", "-c", f"{tool(scene)} import --as - - </run/picture.png"])
    assert piped.stdout.strip() == CONF.strip()


@behaviour
def test_what_a_server_gives_its_clients_is_read_again(scene):
    library()
    host = scene.host("left")
    host.run("mount -t tmpfs -o mode=755 tmpfs /etc/wireguard")
    host.run([tool(scene), "init", "wg0", "--server", "--endpoint", "vpn.example.org"])
    host.run([tool(scene), "peer", "add", "wg0", "alice", "--psk", "--png", "/run/alice.png",
              "--out", "/run/alice.conf"])
    with open(host.path("/run/alice.conf")) as file:
        given = file.read()
    result = read(scene, host, "/run/alice.png")
    assert result.stdout.strip() == given.strip(), result


@behaviour
def test_a_picture_that_can_not_be_read_says_why(scene):
    name = library()
    host = scene.host("left")
    path = picture(host, text="WIFI:T:WPA;S:home;P:secret-of-mine;;")
    result = read(scene, host, path)
    assert result.returncode == 1 and "holds no configuration" in result.stderr, result
    assert "secret-of-mine" not in result.stdout + result.stderr, result
    with open(host.path(path), "rb") as file:
        whole = file.read()
    with open(host.path("/run/half.png"), "wb") as file:
        file.write(whole[:len(whole) // 2])
    result = read(scene, host, "/run/half.png")
    assert result.returncode == 1 and "this PNG can't be read" in result.stderr, result
    places = host.out(["sh", "-c", f"ldconfig -p | sed -n 's/.*=> \\(.*{name}\\)$/\\1/p'"]).split()
    for place in places:
        host.run(["mount", "--bind", "/dev/null", place])
    result = read(scene, host, path)
    assert result.returncode == 1 and "apt install libzbar0" in result.stderr, result
