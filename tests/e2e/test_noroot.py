"""`ferrule run`: a program inside a tunnel, started by an ordinary user.

        left, outside                left, the user's own namespaces        right
    ┌──────────────────────┐        ┌───────────────────────────┐      ┌─────────────────┐
    │ ferrule run wg0.conf │        │ wg0                       │      │ wg0             │
    │      -- COMMAND      ├────────┤   10.10.0.1, fd10::1      │      │   10.10.0.2     │
    │                      │        │   COMMAND                 │      │   fd10::2       │
    │     eth0   .1        ├────────┼───────────────────────────┼──────┤ .2   eth0       │
    └──────────────────────┘        └───────────────────────────┘      └─────────────────┘
"""

import json
import os
import signal
import socket
import time

from lib.ordinary import UID, Ordinary
from lib.process import alive, status_text
from lib.registry import Skip, behaviour
from lib.tunnel import new_private_key
from lib.wait import PATIENCE, eventually

NOT_GO = {"unlike_go": "has no such command"}
DNS = "10.10.0.2"


class Peer:
    """What the right side takes for a peer: the file's interface."""
    addresses = ("10.10.0.1/24", "fd10::1/64")

    def __init__(self):
        self.private_key = new_private_key()
        self.public_key = self.private_key.public


class Setting:
    """The drawing. `conf` is the path of the user's file."""

    def __init__(self, scene, allowed="0.0.0.0/0, ::/0", interface="", tun_mode=0o666):
        if PATIENCE != 1:
            raise Skip("a sanitizer must be able to write its reports")
        self.scene = scene
        self.left, self.right = scene.linked_hosts()
        self.user = Ordinary(self.left, scene.build_dir, tun_mode)
        self.server = scene.tunnel(self.right, ("10.10.0.2/24", "fd10::2/64"))
        self.peer = Peer()
        scene.secrets.append(self.peer.private_key)
        self.server.peer(self.peer)
        self.conf = self.user.write("wg0.conf", f"""[Interface]
PrivateKey = {self.peer.private_key}
Address = 10.10.0.1/24, fd10::1/64
{interface}

[Peer]
PublicKey = {self.server.public_key}
AllowedIPs = {allowed}
Endpoint = 192.0.2.2:51820
""")

    def run(self, command, **options):
        words = command if isinstance(command, list) else ["sh", "-c", command]
        return self.user.run(["ferrule", "run", self.conf, "--", *words], **options)

    def out(self, command, **options):
        return self.run(command, **options).stdout.strip()


@behaviour(**NOT_GO)
def test_a_command_sees_the_tunnel_and_nothing_else(scene):
    setting = Setting(scene)
    links = setting.out("ip -br addr")
    assert [line.split()[0] for line in links.splitlines()] == ["lo", "wg0"], links
    assert "10.10.0.1/24" in links and "fd10::1/64" in links, links
    assert "ttl" in setting.out("ping -c 1 -W 5 10.10.0.2")
    assert "ttl" in setting.out("ping -c 1 -W 5 fd10::2")
    assert setting.run("ping -c 1 -W 1 192.0.2.1", check=False).returncode != 0
    routes = setting.out("ip route; ip -6 route")
    assert "default dev wg0" in routes and "eth0" not in routes, routes
    assert len(setting.left.out("ip -br link").splitlines()) == 2, "an interface outside"


@behaviour(**NOT_GO)
def test_a_command_is_itself(scene):
    setting = Setting(scene)
    assert setting.run("exit 17", check=False).returncode == 17
    assert setting.run("kill -TERM $$", check=False).returncode == -signal.SIGTERM
    assert setting.out("id -u; id -g") == f"{UID}\n{UID}"
    assert setting.out("echo $ODD; pwd", env={"ODD": "a b"}).splitlines()[0] == "a b"
    assert setting.run("cat", input="through\n").stdout == "through\n"
    assert setting.out(["sh", "-c", 'echo "$2"', "sh", "--", "-x y"]) == "-x y"
    result = setting.run(["no-such-command"], check=False)
    assert result.returncode == 127 and "no-such-command" in result.stderr, result
    assert setting.run(["/etc/passwd"], check=False).returncode == 126
    closed = f"ferrule run {setting.conf} -- ls /proc/self/fd <&- 2>&-"
    open_there = setting.user.run(["sh", "-c", closed]).stdout.split()
    assert open_there == ["0", "1"], f"its output, and the folder that it reads: {open_there}"
    children = setting.out("cat /proc/$$/task/$$/children").split()
    assert len(children) <= 1, f"children that it did not start: {children}"   # cat itself


@behaviour(**NOT_GO)
def test_it_has_no_rights(scene):
    setting = Setting(scene)
    for command in ("ip link set wg0 down", "ip route add 192.0.2.0/24 dev lo",
                    "umount /etc/resolv.conf", "ip addr add 10.9.9.9/32 dev wg0"):
        assert setting.run(command, check=False).returncode != 0, command
    assert int(status_of(setting, "CapEff"), 16) == 0


def status_of(setting, name):
    return setting.out(f"grep {name} /proc/self/status").split()[1]


# Names come from the file's DNS, asked inside; nobody outside hears of them.

def listener(host, address, port):
    sock = host.udp(address, port)
    sock.setblocking(False)
    return sock


def heard(sock):
    try:
        return sock.recvfrom(4096)[0]
    except BlockingIOError:
        return None


@behaviour(**NOT_GO)
def test_names_are_asked_for_inside_only(scene):
    setting = Setting(scene, interface=f"DNS = {DNS}, corp.example")
    inside = listener(setting.right, "0.0.0.0", 53)
    outside = listener(setting.left, "0.0.0.0", 53)
    setting.run("getent hosts intranet.corp.example", check=False, timeout_s=40,
                env={"RES_OPTIONS": "timeout:1 attempts:1"})
    assert b"intranet" in (heard(inside) or b""), "the file's DNS was not asked"
    assert heard(outside) is None, "a name leaked"
    text = setting.out("cat /etc/resolv.conf")
    assert f"nameserver {DNS}" in text and "search corp.example" in text, text
    assert "hosts: files" in setting.out("grep ^hosts: /etc/nsswitch.conf")
    assert DNS not in open(setting.left.path("/etc/resolv.conf")).read()


# Programs as people run them.

def serve_a_page(host):
    server = host.spawn(["/usr/bin/python3", "-c", """
import http.server
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a page of inside")
http.server.HTTPServer(("10.10.0.2", 80), Page).serve_forever()"""], log_name="page.log")
    eventually(lambda: ":80 " in host.out("ss -Hltn"), "the page is served")
    return server


@behaviour(**NOT_GO)
def test_one_command_leads_from_a_file_to_a_page(scene):
    setting = Setting(scene)
    serve_a_page(setting.right)
    result = setting.user.run(["sh", "-c", f"cd {setting.user.home} && exec "
                               "ferrule run ./wg0.conf -- curl -sS --max-time 20 http://10.10.0.2/"])
    assert (result.stdout, result.stderr) == ("a page of inside", ""), result


@behaviour(**NOT_GO)
def test_iperf3_runs_inside(scene):
    setting = Setting(scene)
    setting.right.spawn(["iperf3", "-s", "-1"], log_name="iperf3.log")
    eventually(lambda: ":5201 " in setting.right.out("ss -Hltn"), "iperf3 listens")
    report = json.loads(setting.out(["iperf3", "-c", "10.10.0.2", "-t", "1", "-J"]))
    rate = report["end"]["sum_received"]["bits_per_second"]
    scene.note(f"{rate / 1e9:.2f} Gbit/s")
    assert rate > 1e6, report["end"]


@behaviour(**NOT_GO)
def test_its_loopback_is_its_own(scene):
    setting = Setting(scene)
    outside = setting.left.socket(socket.AF_INET, socket.SOCK_STREAM)
    outside.bind(("127.0.0.1", 8080))
    outside.listen(1)
    probe = ("import socket; s = socket.socket(); s.settimeout(3); "
             "print(s.connect_ex(('127.0.0.1', 8080)))")
    assert setting.out(["/usr/bin/python3", "-c", probe]) == "111"
    server = ("import socket; s = socket.socket(); s.bind(('127.0.0.1', 80)); s.listen(1); "
              "c = socket.create_connection(('127.0.0.1', 80)); print('ok')")
    assert setting.out(["/usr/bin/python3", "-c", server]) == "ok"


# When the command ends, however it ends, all that came with it ends too.

def companions():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as file:
                name = file.read().strip()
        except FileNotFoundError:
            continue
        if name in ("ferrule", "ferruled") and status_text(pid, "Uid").split()[0] == str(UID):
            found += [int(pid)] if alive(int(pid)) else []
    return found


@behaviour(**NOT_GO)
def test_nothing_is_left_behind(scene):
    setting = Setting(scene)
    setting.run("true")
    eventually(lambda: not companions(), "the tunnel ends with its command")
    process = setting.user.spawn(["ferrule", "run", setting.conf, "--", "sleep", "60"],
                                 log_name="sleep.log")
    eventually(lambda: len(companions()) >= 3, "the tunnel runs")
    process.stop(signal.SIGKILL)
    eventually(lambda: not companions(), "the tunnel ends with its command")
    assert os.listdir(setting.left.path(setting.user.home)) == ["wg0.conf"]


@behaviour(**NOT_GO)
def test_signals_are_the_commands_own(scene):
    setting = Setting(scene)
    process = setting.user.spawn(
        ["ferrule", "run", setting.conf, "--", "sh", "-c",
         "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.1; done"],
        log_name="trap.log")
    eventually(lambda: "ready" in process.log(), "it runs")
    assert process.stop(signal.SIGTERM) == 3
    assert "caught" in process.log()


@behaviour(**NOT_GO)
def test_the_daemon_of_a_command_is_in_its_sandbox(scene):
    setting = Setting(scene)
    process = setting.user.spawn(["ferrule", "run", setting.conf, "--", "sleep", "60"],
                                 log_name="sleep.log")

    def filtered():
        return [pid for pid in companions() if status_text(pid, "Seccomp") == "2"]
    eventually(lambda: len(filtered()) == 2, "ferruled and the helper have filters")
    for pid in companions():
        command = open(f"/proc/{pid}/cmdline").read()
        assert str(setting.peer.private_key) not in command
        assert int(status_text(pid, "CapEff"), 16) == 0, command
    process.stop()


@behaviour(**NOT_GO)
def test_root_may_run_commands_inside_too(scene):
    setting = Setting(scene, interface=f"DNS = {DNS}")
    result = setting.left.run(["/run/bin/ferrule", "run", setting.conf, "--", "sh", "-c",
                               "id -u; ping -c 1 -W 5 10.10.0.2; cat /etc/resolv.conf"])
    assert result.stdout.startswith("0\n") and DNS in result.stdout, result


@behaviour(**NOT_GO)
def test_a_published_port_leads_to_the_command(scene):
    setting = Setting(scene)
    server = ("import socket; s = socket.create_server(('127.0.0.1', 80)); "
              "c, _ = s.accept(); c.sendall(c.recv(100).upper())")
    process = setting.user.spawn(
        ["ferrule", "run", "--publish", "8080:80", setting.conf, "--", "/usr/bin/python3", "-c",
         server], log_name="server.log")

    def answered():
        sock = setting.left.socket(socket.AF_INET, socket.SOCK_STREAM)
        with sock:
            sock.settimeout(5 * PATIENCE)
            try:
                sock.connect(("127.0.0.1", 8080))
                sock.sendall(b"word")
                return sock.recv(100) == b"WORD"
            except ConnectionError:
                return False
    eventually(answered, "the command answers")
    assert process.wait() == 0
    result = setting.user.run(["ferrule", "run", "--publish", "80", setting.conf, "--", "true"],
                              check=False)
    assert result.returncode == 125 and "--publish 80" in result.stderr, result


# What the machine does not allow is told together with what to do about it.

@behaviour(**NOT_GO)
def test_a_device_for_root_alone_is_told(scene):
    setting = Setting(scene, tun_mode=0o600)
    result = setting.run("true", check=False)
    assert result.returncode == 125 and "chmod 666 /dev/net/tun" in result.stderr, result


@behaviour(**NOT_GO)
def test_a_lock_on_user_namespaces_is_told(scene):
    setting = Setting(scene)
    result = setting.user.run(
        ["unshare", "-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces && "
         f"setpriv --reuid=0 --inh-caps=-all --bounding-set=-all ferrule run {setting.conf} -- true"],
        check=False)
    assert result.returncode == 125 and "max_user_namespaces" in result.stderr, result


@behaviour(**NOT_GO)
def test_wrong_usage_of_run_is_told(scene):
    setting = Setting(scene)
    for words in (["run"], ["run", setting.conf], ["run", setting.conf, "--"],
                  ["run", "/no/such.conf", "--", "true"],
                  ["run", "--reach", "lwip", setting.conf, "--", "true"]):
        result = setting.user.run(["ferrule", *words], check=False)
        assert result.returncode == 125 and result.stderr, (words, result)
    result = setting.user.run(["ferrule", "run", "--reach", "auto", setting.conf, "--", "true"])
    assert "reach: namespace" in result.stderr, result


@behaviour(**NOT_GO)
def test_a_taken_port_is_no_obstacle(scene):
    setting = Setting(scene, interface="ListenPort = 40404")
    taken = setting.left.udp("0.0.0.0", 40404)
    result = setting.run("ping -c 1 -W 5 10.10.0.2")
    assert "40404 is taken" in result.stderr, result
    taken.close()


@behaviour(**NOT_GO)
def test_the_first_byte_comes_soon(scene):
    setting = Setting(scene)
    started = time.monotonic()
    setting.run(["true"])
    scene.note(f"{1000 * (time.monotonic() - started):.0f} ms for `true' inside")
