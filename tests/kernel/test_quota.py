"""ferruled's lanes and workers where control groups of a real kernel limit its CPU time.

The machine that runs the tests may have no controller for that; a virtual machine's kernel has. It has four
CPUs, and nobody at the other end."""

from guest import machines
from lib.registry import Skip, behaviour
from lib.wait import eventually

BOOT_AND_MORE_S = 100

# By version: how groups are mounted, and where.
MOUNT = {
    1: ("mkdir -p /cgroup; mount -t cgroup -o cpu none /cgroup", "/cgroup"),
    2: ("mount -t cgroup2 none /sys/fs/cgroup; "
        "echo +cpu >/sys/fs/cgroup/cgroup.subtree_control", "/sys/fs/cgroup"),
}


class Groups:
    def __init__(self, guest, version):
        self.guest, self.version = guest, version
        mount, self.root = MOUNT[version]
        said = guest.run(mount, check=False)
        files = guest.run(f"mkdir {self.root}/probe; ls {self.root}/probe", check=False)
        if {1: "cpu.cfs_quota_us", 2: "cpu.max"}[version] not in files.split():
            raise Skip(f"this kernel has no cpu controller of cgroup v{version}: {said.strip()}")

    def make(self, path, quota, is_outer=False):
        """A group that may use so many microseconds in 100,000; None: as many as it likes. An outer one has
        groups in it, and no processes."""
        folder = f"{self.root}/{path}"
        self.guest.run(f"mkdir {folder}")
        if self.version == 2:
            self.guest.run(f"echo {quota or 'max'} 100000 >{folder}/cpu.max")
            if is_outer:
                self.guest.run(f"echo +cpu >{folder}/cgroup.subtree_control")
        else:
            self.guest.run(f"echo 100000 >{folder}/cpu.cfs_period_us; "
                           f"echo {quota or -1} >{folder}/cpu.cfs_quota_us")
        return folder


def spread_of(guest, group):
    """(lanes, workers) of a daemon that is started in `group`."""
    def threads():
        return int(guest.out("ls /proc/$(pidof ferruled)/task | wc -l"))

    guest.run(f"sh -c 'echo $$ >{group}/cgroup.procs && exec ferruled wg0'")
    idle = threads()
    guest.run("ip link set wg0 up")
    eventually(lambda: threads() > idle, "the lanes start")
    found = int(guest.out("ls -d /sys/class/net/wg0/queues/tx-* | wc -l")), threads() - idle
    guest.run("ip link del wg0")
    eventually(lambda: not guest.run("pidof ferruled", check=False).strip(), "the daemon ends")
    return found


def check_quotas(scene, version):
    _, guest = machines(scene, cpus=4)
    groups = Groups(guest, version)
    assert spread_of(guest, groups.make("free", None)) == (2, 4)
    for quota, wanted in ((50_000, (1, 1)), (100_000, (1, 1)), (200_000, (2, 2)), (300_000, (1, 3))):
        found = spread_of(guest, groups.make(f"of{quota}", quota))
        assert found == wanted, f"with {quota} of 100,000 us: {found} lanes and workers"
    groups.make("outer", 200_000, is_outer=True)
    found = spread_of(guest, groups.make("outer/inner", None))
    assert found == (2, 2), f"inside of a group with 200,000 of 100,000 us: {found} lanes and workers"


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_a_quota_of_cgroup_v2_is_followed(scene):
    check_quotas(scene, 2)


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_a_quota_of_cgroup_v1_is_followed(scene):
    check_quotas(scene, 1)
