"""`ferrule proxy` by the TCP/IP stack of its own, where user namespaces and /dev/net/tun are not to be had:
the tests of test_proxy.py and test_proxy_weather.py, once more.
"""

import functools

import test_proxy
import test_proxy_weather
from lib.registry import Skip, behaviour
from test_noroot import NOT_GO, Setting

# What has nothing to do with the way inside, or with a namespace.
OTHERS = {"test_other_addresses_than_loopback_need_a_password", "test_files_of_wireproxy_are_taken",
          "test_no_name_and_no_packet_leaves_beside_the_tunnel",
          "test_a_proxy_and_its_helpers_are_in_sandboxes"}
DEADLINE_S = {"test_streams_outlive_a_minute_without_a_network": 180,
              "test_a_peers_name_that_moves_is_followed": 90}


def is_built_in(scene):
    probe = scene.host("probe").run([f"{scene.build_dir}/ferrule", "proxy", "--reach", "lwip", "none"],
                                    check=False)
    return "not built in" not in probe.stderr


def by_lwip(function):
    @functools.wraps(function)
    def test(scene):
        if not is_built_in(scene):
            raise Skip("lwIP was not built in")
        scene.reach = "lwip"
        function(scene)
    del test.__wrapped__
    test.__module__ = __name__
    return test


for module in (test_proxy, test_proxy_weather):
    for name, function in list(vars(module).items()):
        if name.startswith("test_") and callable(function) and name not in OTHERS \
                and function.__module__ == module.__name__:
            behaviour(deadline_s=DEADLINE_S.get(name, 60), **NOT_GO)(by_lwip(function))


# Where the machine has no namespace for an ordinary user, it is chosen, and a line says why.

def echoed(setting, under=(), options=("--reach", "auto")):
    """What standard input comes back as; the lines that were said."""
    result = setting.user.run([*under, "ferrule", "proxy", *options, setting.conf, "--stdio",
                               "10.10.0.2:7"], input="there and back\n", check=False)
    assert result.stdout == "there and back\n", result
    return result.stderr


def without_namespaces(scene, **options):
    if not is_built_in(scene):
        raise Skip("lwIP was not built in")
    setting = Setting(scene, **options)
    test_proxy.Server(setting.right, "10.10.0.2", 7, test_proxy.echo)
    return setting


def chosen(said, why):
    lines = [line for line in said.splitlines() if line.startswith("reach:")]
    assert len(lines) == 1 and lines[0].startswith("reach: lwip:") and why in lines[0], said


LOCKED = ["unshare", "-Ur", "sh", "-c",
          "echo 0 > /proc/sys/user/max_user_namespaces && "
          'exec setpriv --reuid=0 --inh-caps=-all --bounding-set=-all "$@"', "sh"]


@behaviour(**NOT_GO)
def test_where_user_namespaces_are_locked_it_is_chosen(scene):
    setting = without_namespaces(scene)
    chosen(echoed(setting, LOCKED), "max_user_namespaces")
    assert echoed(setting, LOCKED, options=()) == "", "beside a stream nothing is said"


# As containers have it: unshare(2) is refused, and so are the ways around it.
FILTERED = ["/usr/bin/python3", "-c", """
import ctypes, os, sys
CLONE_NEWUSER, EPERM, ALLOW, ERRNO = 0x10000000, 1, 0x7fff0000, 0x00050000
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
class Compare(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64),
                ("b", ctypes.c_uint64)]
context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ALLOW)))
MASKED_EQ = 7
for name in (b"unshare", b"clone"):
    call = seccomp.seccomp_syscall_resolve_name(name)
    seccomp.seccomp_rule_add(context, ctypes.c_uint32(ERRNO | EPERM), call, 1,
                             Compare(0, MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER))
assert seccomp.seccomp_load(context) == 0
os.execvp(sys.argv[1], sys.argv[1:])
"""]


@behaviour(**NOT_GO)
def test_where_a_container_forbids_namespaces_it_is_chosen(scene):
    setting = without_namespaces(scene)
    chosen(echoed(setting, FILTERED), "seccomp")


@behaviour(**NOT_GO)
def test_where_there_is_no_device_it_is_chosen(scene):
    setting = without_namespaces(scene, tun_mode=0o600)
    echoed(setting)
    result = setting.user.run(["ferrule", "proxy", "--reach", "namespace", setting.conf, "--stdio",
                               "10.10.0.2:7"], check=False)
    assert result.returncode == 1 and "chmod 666 /dev/net/tun" in result.stderr, result
    result = setting.user.run(["ferrule", "run", "--reach", "lwip", setting.conf, "--", "true"],
                              check=False)
    assert result.returncode == 125 and "namespace only" in result.stderr, result
