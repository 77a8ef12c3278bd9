#include "daemon/cpu_quota.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace ferrule::daemon {
namespace {

// A machine's files, below a folder of their own.
class CpuQuota : public testing::Test {
 protected:
  CpuQuota() {
    std::array<char, 32> name{"/tmp/ferrule-quota-XXXXXX"};
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root = name.data();
  }
  ~CpuQuota() override { std::filesystem::remove_all(root); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }
  void write_v1(const std::string& directory, const std::string& quota) {
    write(directory + "/cpu.cfs_quota_us", quota + "\n");
    write(directory + "/cpu.cfs_period_us", "100000\n");
  }

  std::string root;
};

const std::string kUnified =
    "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "31 22 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST_F(CpuQuota, IsNoneWhereThereAreNoGroups) { EXPECT_FALSE(cpu_quota(root)); }

TEST_F(CpuQuota, OfAUnitIsThatOfItsGroup) {
  write("/proc/self/mountinfo", kUnified);
  write("/proc/self/cgroup", "0::/system.slice/ferruled@wg0.service\n");
  write("/sys/fs/cgroup/system.slice/cpu.max", "max 100000\n");
  write("/sys/fs/cgroup/system.slice/ferruled@wg0.service/cpu.max", "150000 100000\n");
  EXPECT_EQ(cpu_quota(root), 1.5);
}

TEST_F(CpuQuota, IsTheLeastOnTheWayUp) {
  write("/proc/self/mountinfo", kUnified);
  write("/proc/self/cgroup", "0::/a/b/c\n");
  write("/sys/fs/cgroup/a/cpu.max", "300000 100000\n");
  write("/sys/fs/cgroup/a/b/cpu.max", "25000 50000\n");
  write("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  EXPECT_EQ(cpu_quota(root), 0.5);
}

TEST_F(CpuQuota, IsNoneWhereAllMayUseWhatThereIs) {
  write("/proc/self/mountinfo", kUnified);
  write("/proc/self/cgroup", "0::/a\n");
  write("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_FALSE(cpu_quota(root));
}

TEST_F(CpuQuota, OfAContainerIsWhatItsMountShows) {
  write("/proc/self/mountinfo", kUnified);
  write("/proc/self/cgroup", "0::/\n");
  write("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(cpu_quota(root), 2);
}

TEST_F(CpuQuota, IsFoundInTheFirstVersionToo) {
  write("/proc/self/mountinfo",
        "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  write("/proc/self/cgroup", "3:cpuset:/other\n2:cpu,cpuacct:/outer/inner\n0::/\n");
  write_v1("/sys/fs/cgroup/cpu,cpuacct", "-1");
  write_v1("/sys/fs/cgroup/cpu,cpuacct/outer", "250000");
  write_v1("/sys/fs/cgroup/cpu,cpuacct/outer/inner", "-1");
  write_v1("/sys/fs/cgroup/cpuset/other", "10000");
  EXPECT_EQ(cpu_quota(root), 2.5);
}

TEST_F(CpuQuota, OfAContainerWithoutANamespaceOfGroupsIsWhatItsMountShows) {
  write("/proc/self/mountinfo",
        "32 31 0:29 /docker/1234 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  write("/proc/self/cgroup", "1:cpu:/docker/1234\n");
  write_v1("/sys/fs/cgroup/cpu", "100000");
  EXPECT_EQ(cpu_quota(root), 1);
  write("/proc/self/cgroup", "1:cpu:/docker/1234/below\n");
  write_v1("/sys/fs/cgroup/cpu/below", "50000");
  EXPECT_EQ(cpu_quota(root), 0.5);
}

TEST_F(CpuQuota, FollowsNoPathOutOfWhatIsMounted) {
  write("/proc/self/mountinfo", kUnified);
  write("/proc/self/cgroup", "0::/../../neighbour\n");
  write("/sys/fs/cgroup/cpu.max", "100000 100000\n");
  write("/sys/neighbour/cpu.max", "1000 100000\n");
  EXPECT_EQ(cpu_quota(root), 1);
}

TEST_F(CpuQuota, IsFoundBelowAPathWithASpace) {
  write("/proc/self/mountinfo", "31 22 0:27 / /my\\040groups rw - cgroup2 cgroup2 rw\n");
  write("/proc/self/cgroup", "0::/a\n");
  write("/my groups/a/cpu.max", "300000 100000\n");
  EXPECT_EQ(cpu_quota(root), 3);
}

TEST_F(CpuQuota, NonsenseIsNoQuota) {
  write("/proc/self/mountinfo", kUnified + "\n-\n1 2 3\n5 6 7 8 9 - cgroup2\n");
  write("/proc/self/cgroup", "0\n:\n0::\n0::/a\n");
  for (const char* text : {"", "x y\n", "100000\n", "100000 0\n", "-1 100000\n"}) {
    write("/sys/fs/cgroup/a/cpu.max", text);
    EXPECT_FALSE(cpu_quota(root)) << text;
  }
}

}  // namespace
}  // namespace ferrule::daemon
