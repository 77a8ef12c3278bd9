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


@behaviour(**NOT_GO)
def test_where_there_is_no_device_it_is_chosen(scene):
    if not is_built_in(scene):
        raise Skip("lwIP was not built in")
    setting = Setting(scene, tun_mode=0o600)
    test_proxy.Server(setting.right, "10.10.0.2", 7, test_proxy.echo)
    result = setting.user.run(["ferrule", "proxy", "--reach", "auto", setting.conf, "--stdio",
                               "10.10.0.2:7"], input="there and back\n")
    assert result.stdout == "there and back\n", result
    result = setting.user.run(["ferrule", "proxy", "--reach", "namespace", setting.conf, "--stdio",
                               "10.10.0.2:7"], check=False)
    assert result.returncode == 1 and "chmod 666 /dev/net/tun" in result.stderr, result
    result = setting.user.run(["ferrule", "run", "--reach", "lwip", setting.conf, "--", "true"],
                              check=False)
    assert result.returncode == 125 and "namespace only" in result.stderr, result
