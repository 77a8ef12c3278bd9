#include "daemon/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>
#include <cstring>

namespace ferrule::daemon {
namespace {

// Gives the thread its cores back.
class Affinity {
 public:
  Affinity() { ::sched_getaffinity(0, sizeof before_, &before_); }
  ~Affinity() { ::sched_setaffinity(0, sizeof before_, &before_); }

  // Leaves the thread one core.
  void narrow() {
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &before_)) continue;
      CPU_SET(cpu, &one);
      break;
    }
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  }

 private:
  cpu_set_t before_;
};

TEST(Cores, AreThoseThatTheProcessMayUse) {
  Affinity affinity;
  EXPECT_GE(usable_cores(), 1u);
  affinity.narrow();
  EXPECT_EQ(usable_cores(), 1u);
  EXPECT_EQ(default_lanes(), 1u);
}

TEST(Cores, AreCountedWhereTheKernelCouldRunMoreThanASetHasRoomFor) {
  // As sched_getaffinity(2) of a kernel for 8192 CPUs, of which it runs four.
  const auto large_kernel = [](pid_t, std::size_t bytes, cpu_set_t* set) {
    if (bytes < 8192 / 8) {
      errno = EINVAL;
      return -1;
    }
    std::memset(set, 0, bytes);
    for (const int cpu : {0, 1, 4000, 8191}) CPU_SET_S(cpu, bytes, set);
    return 0;
  };
  EXPECT_EQ(allowed_cpus(large_kernel), 4u);
  EXPECT_EQ(allowed_cpus([](pid_t, std::size_t, cpu_set_t*) {
              errno = EINVAL;
              return -1;
            }),
            1u);
}

TEST(Cores, LanesAndWorkersNeverOutnumberThem) {
  for (std::size_t lanes = 1; lanes <= 64; ++lanes) {
    const std::size_t workers = workers_per_lane(lanes);
    EXPECT_GE(workers, 1u);
    EXPECT_TRUE(lanes > usable_cores() || lanes * workers <= usable_cores()) << lanes;
  }
  EXPECT_LE(default_lanes(), usable_cores());
}

}  // namespace
}  // namespace ferrule::daemon
