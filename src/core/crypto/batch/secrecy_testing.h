// What vector code must not tell: by the instructions that it takes, or by what it leaves on the stack
// and in registers. A test does the same work twice, with other secrets at the same
// addresses, and wants no difference.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "crypto/batch/registers_testing.h"

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

/// What a call left behind.
struct Residue {
  std::vector<std::uint8_t> stack;
  Registers registers;
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
    return {stack, registers_};
  }

 private:
  static void enter() {
    clear_registers();
    work_->run();
    store_registers(registers_);
  }

  static inline const Work* work_;
  static inline ucontext_t outside_;
  static inline Registers registers_;
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
