"""What is packaged beside the programs agrees with them."""

import os
import re
import shutil

from lib.registry import Skip, behaviour

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGING = os.path.join(ROOT, "packaging")


def read(*path):
    with open(os.path.join(PACKAGING, *path)) as file:
        return file.read()


def commands(scene, host):
    """What `ferrule --help` lists."""
    tool = f"{scene.build_dir}/ferrule"
    if not os.path.exists(tool):
        raise Skip("ferrule is not built")
    found = re.findall(r"^  ([a-z]+)  ", host.out([tool, "--help"]), re.MULTILINE)
    assert len(found) > 8, found
    return found


@behaviour
def test_the_manual_has_every_command(scene):
    host = scene.host("left")
    manual = read("man", "ferrule.8")
    described = set()
    for line in re.findall(r"^\.It Cm (.*)$", manual, re.MULTILINE):
        described.update(re.findall(r"[a-z]+", line.split(" Ar ")[0].split(" Oo ")[0]))
    missing = [command for command in commands(scene, host) if command not in described]
    assert not missing, missing


@behaviour
def test_the_manual_has_every_option_of_the_daemon(scene):
    host = scene.host("left")
    usage = host.out([scene.subject.path, "--help"])
    options = set(re.findall(r"--([a-z][a-z-]*)", usage))
    manual = set(re.findall(r"Fl -([a-z][a-z-]*)", read("man", "ferruled.8")))
    manual |= {"foreground"}    # `.It Fl f , -foreground`
    assert options <= manual, options - manual


@behaviour
def test_bash_completes_commands_and_interfaces(scene):
    host = scene.host("left")
    names = commands(scene, host)
    scene.daemon(host)

    def complete(*words):
        script = (f"source {PACKAGING}/completions/ferrule.bash; PATH={scene.build_dir}:$PATH; "
                  f"COMP_LINE='ferrule {' '.join(words)}'; COMP_POINT=${{#COMP_LINE}}; _ferrule; "
                  'echo "${COMPREPLY[*]}"')
        return host.out(["bash", "-c", script]).split()
    assert set(names) <= set(complete(""))
    assert complete("sho") == ["show", "showconf"]
    assert complete("show", "wg") == ["wg0"]
    assert complete("show", "wg0", "lis") == ["listen-port"]
    assert "--json" in complete("watch", "--j")


@behaviour
def test_units_are_what_systemd_takes(scene):
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        raise Skip("systemd-analyze is not installed")
    host = scene.host("left")
    folder = host.path("/run/units")
    os.makedirs(folder)
    for name in os.listdir(os.path.join(PACKAGING, "systemd")):
        text = read("systemd", name).replace("@CMAKE_INSTALL_FULL_BINDIR@", "/bin")
        # The programs are not installed here: whether they are there is not the question.
        text = re.sub(r"/bin/ferruled?\b", "/bin/true", text)
        with open(os.path.join(folder, name.removesuffix(".in")), "w") as file:
            file.write(text)
    for unit in ("ferruled@wg0.service", "ferrule@wg0.service", "ferrule-expire@wg0.timer"):
        template = re.sub("@wg0", "@", unit)
        shutil.copy(os.path.join(folder, template), os.path.join(folder, unit))
        result = host.run([analyze, "verify", "--man=no", f"/run/units/{unit}"], check=False)
        complaints = [line for line in result.stderr.splitlines() if "ferrule" in line]
        assert not complaints, complaints
