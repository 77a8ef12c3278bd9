// The list of allowed calls on other machines: what their kernels would make of it.
#include "daemon/allowed_calls.h"

#include <gtest/gtest.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace ferrule::daemon {
namespace {

constexpr std::uint32_t kAllowed = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kEnds = SECCOMP_RET_KILL_PROCESS;
constexpr std::uint32_t kSocketCall = 1;        // SYS_SOCKET of linux/net.h
constexpr std::uint32_t kListenCall = 4;        // SYS_LISTEN
constexpr std::uint32_t kSetName = 0x53564d41;  // PR_SET_VMA

// A kernel of another architecture, as far as its filter goes.
class Kernel {
 public:
  Kernel(std::uint32_t architecture, bool big_endian)
      : architecture_(architecture), big_endian_(big_endian) {
    std::FILE* const file = std::tmpfile();
    if (!write_call_filter(architecture, ::fileno(file))) throw std::runtime_error("no filter");
    std::rewind(file);
    for (sock_filter step; std::fread(&step, sizeof step, 1, file) == 1;) {
      if (big_endian) {
        step.code = __builtin_bswap16(step.code);
        step.k = __builtin_bswap32(step.k);
      }
      program_.push_back(step);
    }
    std::fclose(file);
  }

  // What becomes of the call.
  [[nodiscard]] std::uint32_t answer(const char* name, std::vector<std::uint64_t> arguments = {}) {
    const int call = ::seccomp_syscall_resolve_name_arch(architecture_, name);
    if (call < 0) throw std::runtime_error(std::string("no such call: ") + name);
    words_.fill(0);
    words_[0] = static_cast<std::uint32_t>(call);
    words_[1] = architecture_;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::size_t low = offsetof(seccomp_data, args) / 4 + 2 * i + (big_endian_ ? 1 : 0);
      words_[low] = static_cast<std::uint32_t>(arguments[i]);
      words_[low ^ 1] = static_cast<std::uint32_t>(arguments[i] >> 32);
    }
    return run();
  }

 private:
  // The little of BPF that libseccomp writes.
  std::uint32_t run() const {
    std::uint32_t a = 0;
    for (std::size_t at = 0;; ++at) {
      const sock_filter& step = program_.at(at);
      const auto jump = [&](bool taken) { at += taken ? step.jt : step.jf; };
      switch (step.code) {
        case BPF_LD | BPF_W | BPF_ABS:
          a = words_.at(step.k / 4);
          break;
        case BPF_ALU | BPF_AND | BPF_K:
          a &= step.k;
          break;
        case BPF_JMP | BPF_JA:
          at += step.k;
          break;
        case BPF_JMP | BPF_JEQ | BPF_K:
          jump(a == step.k);
          break;
        case BPF_JMP | BPF_JGT | BPF_K:
          jump(a > step.k);
          break;
        case BPF_JMP | BPF_JGE | BPF_K:
          jump(a >= step.k);
          break;
        case BPF_RET | BPF_K:
          return step.k;
        default:
          throw std::runtime_error("unknown step");
      }
    }
  }

  std::uint32_t architecture_;
  bool big_endian_;
  std::vector<sock_filter> program_;
  std::array<std::uint32_t, sizeof(seccomp_data) / 4> words_{};
};

class CallsOf32BitMachines : public testing::TestWithParam<std::uint32_t> {
 protected:
  Kernel kernel{GetParam(), false};
};
INSTANTIATE_TEST_SUITE_P(Machines, CallsOf32BitMachines,
                         testing::Values(SCMP_ARCH_X86, SCMP_ARCH_ARM, SCMP_ARCH_MIPSEL));

TEST_P(CallsOf32BitMachines, MemoryIsMappedButNoCode) {
  EXPECT_EQ(kernel.answer("mmap2", {0, 4096, PROT_READ | PROT_WRITE}), kAllowed);
  EXPECT_EQ(kernel.answer("mmap2", {0, 4096, PROT_READ | PROT_EXEC}), kEnds);
}

TEST_P(CallsOf32BitMachines, CallsWithA64BitTimeAreAllowed) {
  for (const char* call : {"clock_gettime64", "futex_time64", "ppoll_time64", "recvmmsg_time64",
                           "timerfd_settime64"}) {
    EXPECT_EQ(kernel.answer(call), kAllowed) << call;
  }
}

TEST_P(CallsOf32BitMachines, FilesAreLookedAt) {
  for (const char* call : {"stat64", "fstat64", "fstatat64", "statx"}) {
    EXPECT_EQ(kernel.answer(call), kAllowed) << call;
  }
}

TEST_P(CallsOf32BitMachines, ASignalsHandlerReturns) {
  EXPECT_EQ(kernel.answer("sigreturn"), kAllowed);
}

TEST_P(CallsOf32BitMachines, ThreadsAreStartedButNoProcesses) {
  EXPECT_EQ(kernel.answer("clone", {CLONE_VM | CLONE_THREAD}), kAllowed);
  EXPECT_EQ(kernel.answer("clone", {SIGCHLD}), kEnds);
}

TEST(CallsOfArm, OnlySomeSocketsAreMade) {
  Kernel kernel(SCMP_ARCH_ARM, false);
  EXPECT_EQ(kernel.answer("socket", {AF_INET, SOCK_DGRAM | SOCK_CLOEXEC}), kAllowed);
  EXPECT_EQ(kernel.answer("socket", {AF_INET, SOCK_STREAM}), kEnds);
}

TEST(CallsOfX86, OneCallForAllThatSocketsDoMakesThem) {
  Kernel kernel(SCMP_ARCH_X86, false);
  EXPECT_EQ(kernel.answer("socketcall", {kSocketCall, 0xbf000010}), kAllowed);
  EXPECT_EQ(kernel.answer("socketcall", {kListenCall, 0xbf000010}), kEnds);
}

// Its mmap takes a pointer to a pointer's worth of arguments, and registers mean nothing.
TEST(CallsOfX86, TheOldMmapEndsTheProcess) {
  EXPECT_EQ(Kernel(SCMP_ARCH_X86, false).answer("mmap", {0xbf000010}), kEnds);
}

TEST(CallsOfS390x, ThreadsAreStartedButNoProcesses) {
  Kernel kernel(SCMP_ARCH_S390X, true);
  EXPECT_EQ(kernel.answer("clone", {0x3ff00000000, CLONE_VM | CLONE_THREAD}), kAllowed);
  EXPECT_EQ(kernel.answer("clone", {CLONE_THREAD, SIGCHLD}), kEnds);
}

// The arguments of mmap lie in memory there.
TEST(CallsOfS390x, MemoryIsMapped) {
  EXPECT_EQ(Kernel(SCMP_ARCH_S390X, true).answer("mmap", {0x3ff00000010, 0, 7}), kAllowed);
}

TEST(CallsOfS390x, NothingIsMadeCodeLater) {
  Kernel kernel(SCMP_ARCH_S390X, true);
  EXPECT_EQ(kernel.answer("mprotect", {0x3ff00000000, 4096, PROT_READ}), kAllowed);
  EXPECT_EQ(kernel.answer("mprotect", {0x3ff00000000, 4096, PROT_READ | PROT_EXEC}), kEnds);
}

class CallsOf64BitMachines : public testing::TestWithParam<std::uint32_t> {
 protected:
  Kernel kernel{GetParam(), false};
};
INSTANTIATE_TEST_SUITE_P(Machines, CallsOf64BitMachines,
                         testing::Values(SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, SCMP_ARCH_RISCV64,
                                         SCMP_ARCH_PPC64LE));

TEST_P(CallsOf64BitMachines, MemoryIsMappedButNoCode) {
  EXPECT_EQ(kernel.answer("mmap", {0, 4096, PROT_READ | PROT_WRITE}), kAllowed);
  EXPECT_EQ(kernel.answer("mmap", {0, 4096, PROT_READ | PROT_EXEC}), kEnds);
}

TEST_P(CallsOf64BitMachines, ThreadsAreStartedButNoProcesses) {
  EXPECT_EQ(kernel.answer("clone", {CLONE_VM | CLONE_THREAD}), kAllowed);
  EXPECT_EQ(kernel.answer("clone", {SIGCHLD, CLONE_THREAD}), kEnds);
}

TEST_P(CallsOf64BitMachines, AMappingGetsNoName) {
  EXPECT_EQ(kernel.answer("prctl", {kSetName, 0}), SECCOMP_RET_ERRNO | EINVAL);
  EXPECT_EQ(kernel.answer("prctl", {PR_SET_NAME}), kAllowed);
  EXPECT_EQ(kernel.answer("prctl", {PR_SET_DUMPABLE, 1}), kEnds);
}

TEST_P(CallsOf64BitMachines, OtherCallsEndTheProcess) {
  for (const char* call : {"execve", "ptrace", "mount"}) {
    EXPECT_EQ(kernel.answer(call), kEnds) << call;
  }
}

}  // namespace
}  // namespace ferrule::daemon
