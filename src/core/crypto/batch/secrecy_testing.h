// What vector code must not tell: by the instructions that it takes, or by what it leaves on the stack
// and in registers. A test does the same work twice, with other secrets at the same
// addresses, and wants no difference.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace ferrule::crypto::test {

#if defined(FERRULE_SANITIZED) || !defined(__OPTIMIZE__)
constexpr bool kIsProductCode = false;
#else
constexpr bool kIsProductCode = true;
#endif

/// What is done twice.
class Work {
 public:
  virtual ~Work() = default;
  virtual void run() const = 0;
};

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

/// What a call left behind.
struct Residue {
  std::vector<std::uint8_t> stack;
  std::array<std::array<std::uint8_t, 64>, 32> vectors;  // zeros for what this CPU does not have
  std::array<std::uint64_t, 8> words;                    // those that a call need not preserve
};

/// Runs work on a stack of its own, which nothing else touches until it is looked at.
class OwnStack {
 public:
  static Residue run(const Work& work) {
    constexpr std::size_t kStackSize = 1 << 17;
    constexpr std::uint8_t kPaint = 0x5a;
    static std::vector<std::uint8_t> stack(kStackSize);
    std::fill(stack.begin(), stack.end(), kPaint);
    work_ = &work;
    ucontext_t inside;
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack.data();
    inside.uc_stack.ss_size = stack.size();
    inside.uc_link = &outside_;
    makecontext(&inside, &enter, 0);
    swapcontext(&outside_, &inside);
    work_ = nullptr;
    Residue residue{stack, {}, words_};
    std::memcpy(residue.vectors.data(), vectors_, sizeof vectors_);
    return residue;
  }

 private:
  static void enter() {
    // What others left is not to be seen.
    if (__builtin_cpu_supports("avx512f")) clear_upper_vectors();
    work_->run();
    asm volatile(
        "mov %%rcx, %0\n\tmov %%rdx, %1\n\tmov %%rsi, %2\n\tmov %%rdi, %3\n\t"
        "mov %%r8, %4\n\tmov %%r9, %5\n\tmov %%r10, %6\n\tmov %%r11, %7"
        : "=m"(words_[0]), "=m"(words_[1]), "=m"(words_[2]), "=m"(words_[3]), "=m"(words_[4]),
          "=m"(words_[5]), "=m"(words_[6]), "=m"(words_[7]));
    if (__builtin_cpu_supports("avx512f")) {
      store_32_vectors();
    } else if (__builtin_cpu_supports("avx")) {
      store_16_vectors();
    }
  }
  static void clear_upper_vectors() {
    asm volatile(
        ".irp i, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
        "vpxord %%zmm\\i, %%zmm\\i, %%zmm\\i\n\t"
        ".endr" ::);
  }
  static void store_32_vectors() {
    asm volatile(
        ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, "
        "22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
        "vmovdqu64 %%zmm\\i, 64*\\i(%0)\n\t"
        ".endr"
        :
        : "r"(vectors_)
        : "memory");
  }
  static void store_16_vectors() {
    asm volatile(
        ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
        "vmovdqu %%ymm\\i, 64*\\i(%0)\n\t"
        ".endr"
        :
        : "r"(vectors_)
        : "memory");
  }

  static inline const Work* work_;
  static inline ucontext_t outside_;
  alignas(64) static inline std::uint8_t vectors_[32][64];
  static inline std::array<std::uint64_t, 8> words_;
};

/// The places, from the top, in which two stacks differ.
inline std::string differences(const Residue& a, const Residue& b) {
  std::string places;
  for (std::size_t i = 0; i < a.stack.size(); i += 8) {
    if (!std::equal(&a.stack[i], &a.stack[i] + 8, &b.stack[i])) {
      places += " -" + std::to_string(a.stack.size() - i);
    }
  }
  return places;
}

}  // namespace ferrule::crypto::test
