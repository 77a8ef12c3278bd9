// Which instructions a piece of work takes.
#pragma once

#include <ucontext.h>

#include <csignal>
#include <cstdint>
#include <vector>

#include "crypto/batch/secrecy_testing.h"

namespace ferrule::crypto::test {

#if defined(__x86_64__)
constexpr bool kCanTrace = true;

/// The addresses of the instructions that `work` takes: the CPU traps after each.
class Trace {
 public:
  /// At most the first `limit` of them: a trap takes the time of thousands of instructions.
  [[gnu::noinline]] static std::vector<std::uintptr_t> of(const Work& work, std::size_t limit) {
    limit_ = limit;
    addresses_.clear();
    addresses_.reserve(limit);  // the handler must not allocate
    struct sigaction action = {};
    struct sigaction before = {};
    action.sa_sigaction = &note;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGTRAP, &action, &before);
    set_trap_flag(true);
    work.run();
    set_trap_flag(false);
    sigaction(SIGTRAP, &before, nullptr);
    return addresses_;
  }

 private:
  static void note(int, siginfo_t*, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    if (addresses_.size() < limit_) {
      addresses_.push_back(static_cast<std::uintptr_t>(registers[REG_RIP]));
    } else {
      registers[REG_EFL] &= ~static_cast<greg_t>(kTrapFlag);
    }
  }
  static void set_trap_flag(bool on) {
    std::uint64_t flags = __builtin_ia32_readeflags_u64();
    flags = on ? flags | kTrapFlag : flags & ~kTrapFlag;
    __builtin_ia32_writeeflags_u64(flags);
  }

  static constexpr std::uint64_t kTrapFlag = 0x100;
  static inline std::size_t limit_;
  static inline std::vector<std::uintptr_t> addresses_;
};
#else
// Elsewhere a program can't ask for traps in itself: bench/instructions.py compares what an emulator
// sees.
constexpr bool kCanTrace = false;

class Trace {
 public:
  static std::vector<std::uintptr_t> of(const Work&, std::size_t) { return {}; }
};
#endif

}  // namespace ferrule::crypto::test
