"""The benchmarks of parts run to their end. How fast they find things no test asks."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree

from lib.registry import Skip, behaviour

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

NO_DAEMON = "a benchmark runs no daemon"


def built(scene, name):
    path = os.path.join(scene.build_dir, name)
    if not os.path.exists(path):
        raise Skip("the benchmarks are not built (FERRULE_BENCH)")
    return path


def run_once(scene, name):
    path = built(scene, name)
    # Not those of a million peers, which take minutes on a busy machine.
    process = subprocess.run([path, "--benchmark_min_time=0.0001", "--benchmark_filter=-/1000000(/|$)"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                             check=False)
    assert process.returncode == 0 and "ERROR OCCURRED" not in process.stdout, process.stdout[-2000:]


@behaviour(deadline_s=120, unlike_go=NO_DAEMON)
def test_allowed_ips_bench_runs(scene):
    run_once(scene, "allowed_ips_bench")


@behaviour(deadline_s=120, unlike_go=NO_DAEMON)
def test_control_bench_runs(scene):
    run_once(scene, "control_bench")


@behaviour(deadline_s=120, unlike_go=NO_DAEMON)
def test_crypto_bench_runs(scene):
    run_once(scene, "crypto_bench")


@behaviour(deadline_s=120, unlike_go=NO_DAEMON)
def test_handshake_bench_runs(scene):
    run_once(scene, "handshake_bench")


@behaviour(deadline_s=120, unlike_go=NO_DAEMON)
def test_packet_bench_runs(scene):
    run_once(scene, "packet_bench")


# The whole bench, as short as it goes.

def bench(scene, *options):
    return subprocess.run([sys.executable, os.path.join(ROOT, "bench", "run.py"), "--build-dir",
                           scene.build_dir, "--quick", *options], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=100, check=False)


@behaviour(deadline_s=120, unlike_go=NO_DAEMON)
def test_bench_measures_a_further_program_and_writes_json_and_a_plot(scene):
    json_file, svg_file = (os.path.join(scene.log_dir, name) for name in ("figures", "plot"))
    twin = os.path.join(scene.build_dir, "ferruled")
    process = bench(scene, "--only", "rtt50", "rss_idle", "--against", f"twin={twin}",
                    "--json", json_file, "--svg", svg_file)
    assert process.returncode == 0, process.stdout
    assert "twin" in process.stdout.split("\n\n")[1].splitlines()[0], process.stdout
    with open(json_file) as file:
        report = json.load(file)
    assert report["rows"]["rss_idle"]["twin"]["median"] > 0
    assert report["units"]["rtt50"] == "us"
    texts = [element.text for element in xml.etree.ElementTree.parse(svg_file).iter()]
    assert "twin" in texts and "round trip, idle, us" in texts


@behaviour(deadline_s=60, unlike_go=NO_DAEMON)
def test_bench_says_which_program_it_has_not_found(scene):
    process = bench(scene, "--against", "no-such-wireguard")
    assert process.returncode == 2 and "no-such-wireguard: no such program" in process.stdout
    process = bench(scene, "--against", "relay=/bin/true")
    assert process.returncode == 2 and "relay is measured anyway" in process.stdout


# What very many peers cost, with few of them.

def few_peers(scene, *options):
    return subprocess.run([sys.executable, os.path.join(ROOT, "bench", "run.py"), "--scale",
                           "--build-dir", scene.build_dir, "--seconds", "1", *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100,
                          check=False)


@behaviour(deadline_s=120, unlike_go=NO_DAEMON)
def test_bench_scale_measures_a_crowd_and_writes_json_and_a_plot(scene):
    built(scene, "crowd")
    json_file, svg_file = (os.path.join(scene.log_dir, name) for name in ("figures", "plot"))
    process = few_peers(scene, "--peers", "1", "1000", "--only", "memory", "configuration", "one", "live",
                        "return", "unanswered", "--json", json_file, "--svg", svg_file)
    assert process.returncode == 0, process.stdout
    with open(json_file) as file:
        rows = json.load(file)["rows"]
    for row in ("silent", "set", "get", "remove", "one", "live", "return", "innocent"):
        assert rows[row]["by_peers"]["1000"]["median"] > 0, (row, process.stdout)
    # So few that renew may take less than a tick of the system's clock.
    assert "1000" in rows["rekey_cpu"]["by_peers"], process.stdout
    assert rows["return_lost"]["by_peers"]["1000"]["median"] == 0
    texts = [element.text for element in xml.etree.ElementTree.parse(svg_file).iter()]
    assert "set all in one request" in texts


@behaviour(deadline_s=60, unlike_go=NO_DAEMON)
def test_bench_scale_refuses_numbers_that_it_can_not_play(scene):
    process = few_peers(scene, "--peers", "2000000")
    assert process.returncode == 2 and "1 to 1,000,000" in process.stdout
