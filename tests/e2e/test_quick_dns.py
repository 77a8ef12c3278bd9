"""DNS of an interface by systemd-resolved's resolvectl, or by resolvconf, or by neither.

Both are scripts. What resolvectl was told of an interface is in /run/resolvconf; what it was called
with, in /run/resolvectl.log. As systemd's it knows interfaces only while they are there, and called
resolvconf it understands what wg-quick has to say.
"""

import os

from lib.registry import behaviour
from lib.wait import eventually

from test_quick import BIN, CONFIG, RESOLVCONF, Quick, read, same
from test_quick_reload import reload

RESOLVECTL = r"""#!/bin/sh
echo "${0##*/} $*" >>/run/resolvectl.log
mkdir -p /run/resolvconf
if [ "${0##*/}" = resolvconf ]; then
  case "$1" in
    -a) servers= domains=
        while read -r key values; do
          case $key in nameserver) servers="$servers $values" ;; search) domains=" $values" ;; esac
        done
        case " $* " in *" -x "*) domains=" ~.$domains" ;; esac
        "$0ctl" dns "$2" $servers && "$0ctl" domain "$2" $domains
        exit ;;
    -d) exec "$0ctl" revert "$2" ;;
    *) exit 1 ;;
  esac
fi
ip link show dev "$2" >/dev/null || exit 1
verb=$1 link=$2
shift 2
case $verb in
  dns | domain) echo "$verb $link $*" >"/run/resolvconf/$link.$verb" ;;
  revert) rm -f "/run/resolvconf/$link.dns" "/run/resolvconf/$link.domain" ;;
esac
# It fails once where a test wants it to, and has done it all the same.
if [ "$(cat /run/resolvectl.fails 2>/dev/null)" = "$verb" ]; then
  rm /run/resolvectl.fails
  exit 5
fi
"""
LOG, FAILS = "/run/resolvectl.log", "/run/resolvectl.fails"
SETTINGS = "DNS = 1.1.1.1, fd10::53\nDNS = corp.example, lan"
TOLD = ["resolvectl dns wg0 1.1.1.1 fd10::53", "resolvectl domain wg0 ~. corp.example lan"]
REVERTED = "resolvectl revert wg0"


class Resolved(Quick):
    """A machine with systemd-resolved, with the link that its package has or without it."""

    def __init__(self, scene, has_link=True):
        super().__init__(scene)
        hide(self.host, "resolvconf", "resolvectl", "systemd-resolve")
        os.remove(self.host.path(f"{BIN}/resolvconf"))
        self.script("resolvectl", RESOLVECTL.replace("$0ctl", f"{BIN}/resolvectl"))
        if has_link:
            self.host.run(f"ln -s resolvectl {BIN}/resolvconf")

    def machine(self):
        # systemd forgets an interface when it goes.
        if not self.host.has_link("wg0"):
            self.host.run("rm -rf /run/resolvconf")
        return super().machine()

    def calls(self):
        """What was called since this was last asked."""
        if not self.host.exists(LOG):
            return []
        lines = read(self.host, LOG).splitlines()
        os.remove(self.host.path(LOG))
        return lines

    def must_fail(self, verb):
        self.host.write(FAILS, verb)


def hide(host, *programs):
    """This machine's own are not there, on this host."""
    for folder in os.environ["PATH"].split(":"):
        for program in programs:
            if os.path.exists(f"{folder}/{program}"):
                host.run(f"mount --bind /dev/null {folder}/{program}")


@behaviour
def test_systemd_resolved_is_told_what_wg_quick_tells_it(scene):
    quick = Resolved(scene)
    before = quick.machine()
    for settings in (SETTINGS, "DNS = 1.1.1.1", "DNS = fd10::53, lan"):
        quick.write(quick.config(settings))
        states = []
        for tool in ("wg-quick", "ferrule"):
            quick.run(tool, "up")
            states.append(quick.machine())
            quick.run(tool, "down")
            quick.is_as(before)
        same(states[1], states[0])


@behaviour
def test_resolvectl_is_asked_itself_where_resolvconf_is_its_link(scene):
    for has_link in (True, False):
        quick = Resolved(scene, has_link)
        quick.write(quick.config(SETTINGS))
        quick.run("ferrule", "up")
        assert quick.calls() == TOLD
        quick.run("ferrule", "down")
        assert quick.calls() == [REVERTED]


# A name with a prefix is none that systemd knows: it is for the resolvconf that orders by names.

@behaviour
def test_the_order_of_interfaces_is_for_resolvconf_alone(scene):
    quick = Resolved(scene)
    quick.host.lines("""
        mkdir -p /run/etc/upper /run/etc/spare
        mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/spare /etc
    """)
    quick.host.write("/etc/resolvconf/interface-order", "lo.inet*\ntun*\n")
    quick.write(quick.config(SETTINGS))
    quick.run("ferrule", "up")
    assert quick.calls() == TOLD
    quick.run("ferrule", "down")
    os.remove(quick.host.path(f"{BIN}/resolvconf"))
    quick.script("resolvconf", RESOLVCONF)
    for tool in ("wg-quick", "ferrule"):
        quick.run(tool, "up")
        assert os.listdir(quick.host.path("/run/resolvconf")) == ["tun.wg0"], tool
        quick.run(tool, "down")
        assert os.listdir(quick.host.path("/run/resolvconf")) == [], tool


@behaviour
def test_a_resolvconf_of_its_own_comes_first(scene):
    quick = Resolved(scene, has_link=False)
    quick.script("resolvconf", RESOLVCONF)
    quick.write(quick.config(SETTINGS))
    quick.run("ferrule", "up")
    assert "nameserver fd10::53\nsearch corp.example lan" in read(quick.host, "/run/resolvconf/wg0")
    quick.run("ferrule", "down")
    assert not quick.host.exists("/run/resolvconf/wg0")
    assert quick.calls() == []


@behaviour
def test_what_resolvectl_refuses_is_taken_back(scene):
    quick = Resolved(scene)
    before = quick.machine()
    quick.write(quick.config(SETTINGS))
    for verb in ("dns", "domain"):
        quick.must_fail(verb)
        status, log = quick.run("ferrule", "up", check=False)
        assert status == 1 and f"{CONFIG}:5:7: resolvectl ended with status 5" in log, log
        assert quick.calls()[-1] == REVERTED
        quick.is_as(before)
        assert not quick.host.exists("/run/ferrule/wg0.dns")
    quick.must_fail("none")
    quick.write(quick.config(SETTINGS + "\nPostUp = false"))
    assert quick.run("ferrule", "up", check=False)[0] == 1
    assert quick.calls() == [*TOLD, REVERTED]
    quick.is_as(before)


@behaviour
def test_down_goes_on_where_resolvectl_fails(scene):
    quick = Resolved(scene)
    before = quick.machine()
    quick.write(quick.config(SETTINGS))
    quick.run("ferrule", "up")
    quick.must_fail("revert")
    status, log = quick.run("ferrule", "down", check=False)
    assert status == 1 and "resolvectl ended with status 5" in log, log
    quick.is_as(before)


@behaviour
def test_a_reload_changes_what_resolvectl_knows_or_leaves_it(scene):
    quick = Resolved(scene)
    quick.write(quick.config(SETTINGS))
    quick.run("ferrule", "up")
    before = quick.machine()
    for verb, settings in (("dns", "DNS = 9.9.9.9"), ("domain", "DNS = 9.9.9.9"), ("revert", "")):
        quick.must_fail(verb)
        status, log = reload(quick, quick.config(settings), check=False)
        assert status == 1 and "resolvectl ended with status 5" in log, log
        same(quick.machine(), before, ("before", f"{verb} failed"))
    assert "no change" in reload(quick, quick.config(SETTINGS))[1]
    quick.calls()
    reload(quick, quick.config("DNS = 9.9.9.9"))
    assert quick.calls() == ["resolvectl dns wg0 9.9.9.9", "resolvectl domain wg0 ~."]
    reload(quick, quick.config())
    assert quick.calls() == [REVERTED]
    quick.run("ferrule", "down")
    assert quick.calls() == []


@behaviour
def test_without_either_up_says_what_to_install(scene):
    quick = Resolved(scene, has_link=False)
    os.remove(quick.host.path(f"{BIN}/resolvectl"))
    before = quick.machine()
    quick.write(quick.config(SETTINGS))
    status, log = quick.run("ferrule", "up", check=False)
    assert status == 1 and f"{CONFIG}:5:7: DNS: " in log, log
    assert "openresolv" in log and "systemd-resolved" in log, log
    quick.is_as(before)
    assert not quick.host.exists("/run/ferrule/wg0.dns")
    quick.write(quick.config())
    quick.run("ferrule", "up")
    status, log = reload(quick, quick.config(SETTINGS), check=False)
    assert status == 1 and "openresolv" in log, log
    quick.write(quick.config())
    quick.run("ferrule", "down")


@behaviour
def test_down_without_the_program_that_set_it_says_so(scene):
    quick = Resolved(scene, has_link=False)
    before = quick.machine()
    quick.write(quick.config(SETTINGS))
    quick.run("ferrule", "up")
    os.remove(quick.host.path(f"{BIN}/resolvectl"))
    status, log = quick.run("ferrule", "down", check=False)
    assert status == 1 and "openresolv" in log, log
    quick.is_as(before)
    assert not quick.host.exists("/run/ferrule/wg0.dns")


@behaviour
def test_down_unsets_what_is_no_longer_in_the_file(scene):
    quick = Resolved(scene)
    quick.write(quick.config(SETTINGS))
    quick.run("ferrule", "up")
    quick.write(quick.config())
    quick.calls()
    quick.run("ferrule", "down")
    assert quick.calls() == [REVERTED]


# Whoever deletes the interface by hand leaves a note of its DNS behind, which must not be believed.

@behaviour
def test_dns_of_an_interface_that_was_deleted_is_forgotten(scene):
    quick = Resolved(scene)
    quick.write(quick.config(SETTINGS))
    quick.run("ferrule", "up")
    quick.host.run("ip link delete wg0")
    quick.write(quick.config())
    eventually(lambda: quick.run("ferrule", "up", check=False)[0] == 0, "the old daemon has ended")
    quick.calls()
    reload(quick, quick.config(SETTINGS))
    assert quick.calls() == TOLD
    quick.run("ferrule", "down")
