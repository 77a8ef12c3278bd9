"""The benchmarks of parts run to their end. How fast they find things no test asks."""

import os
import subprocess

from lib.registry import Skip, behaviour

NO_DAEMON = "a benchmark runs no daemon"


def run_once(scene, name):
    path = os.path.join(scene.build_dir, name)
    if not os.path.exists(path):
        raise Skip("the benchmarks are not built (FERRULE_BENCH)")
    process = subprocess.run([path, "--benchmark_min_time=0.0001"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    assert process.returncode == 0 and "ERROR OCCURRED" not in process.stdout, process.stdout[-2000:]


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
