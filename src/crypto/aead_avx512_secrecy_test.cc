// What the AVX-512 backend must not tell: by the instructions that it takes, or by what it leaves on
// the stack and in the vector registers. Each test does the same work twice, with other keys, other
// texts and other tags at the same addresses, and wants no difference.
#include <gtest/gtest.h>

#if defined(__x86_64__)
#include <ucontext.h>

#include <array>
#include <csignal>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "crypto/aead_backends.h"

namespace ferrule::crypto {
namespace {

#if defined(FERRULE_SANITIZED) || !defined(__OPTIMIZE__)
constexpr bool kIsProductCode = false;
#else
constexpr bool kIsProductCode = true;
#endif

struct Case {
  const char* name;
  std::vector<std::size_t> sizes;
  std::size_t keys;
  bool open;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  std::vector<std::size_t> mixed(40);
  for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] = i * 97 % 1500;
  for (const bool open : {false, true}) {
    all.push_back({"one packet", {1420}, 1, open});
    all.push_back({"one short packet", {64}, 1, open});
    all.push_back({"three packets", {1420, 0, 333}, 2, open});
    all.push_back({"sixteen packets", std::vector<std::size_t>(16, 1420), 1, open});
    all.push_back({"many packets and keys", mixed, 5, open});
  }
  return all;
}

// The packets of a case, at addresses that stay.
class Work {
 public:
  explicit Work(const Case& wanted) : case_(wanted), keys_(wanted.keys) {
    opened_ = std::make_unique<bool[]>(case_.sizes.size());
    for (std::size_t i = 0; i < case_.sizes.size(); ++i) {
      const auto& buffer = buffers_.emplace_back(case_.sizes[i] + kTagSize);
      const AeadKey* key = &keys_[i * keys_.size() / case_.sizes.size()];
      packets_.push_back({const_cast<std::uint8_t*>(buffer.data()), case_.sizes[i], key, i});
    }
  }
  // New keys, texts and tags. What is to be opened has tags that are right, or wrong.
  void renew(std::uint64_t seed, bool right_tags) {
    std::mt19937_64 random(seed);
    const auto fill = [&](MutBytes bytes) {
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    };
    for (AeadKey& key : keys_) fill(key.mut_bytes());
    for (auto& buffer : buffers_) fill(buffer);
    if (case_.open && right_tags) openssl_aead_backend()->seal(packets_);
  }
  void run() const {
    if (case_.open) {
      avx512_aead_backend()->open(packets_, {opened_.get(), packets_.size()});
    } else {
      avx512_aead_backend()->seal(packets_);
    }
  }

 private:
  const Case& case_;
  std::vector<AeadKey> keys_;
  std::vector<std::vector<std::uint8_t>> buffers_;
  std::vector<AeadPacket> packets_;
  std::unique_ptr<bool[]> opened_;
};

class AeadAvx512Secrecy : public testing::Test {
 protected:
  void SetUp() override {
    if (avx512_aead_backend() == nullptr) GTEST_SKIP() << "this CPU has no AVX-512 with IFMA";
    if (!kIsProductCode) GTEST_SKIP() << "not the code that is looked at: sanitized or unoptimized";
  }
};

// The addresses of the instructions that `work` takes: the CPU traps after each.
class Trace {
 public:
  static std::vector<std::uintptr_t> of(const Work& work) {
    addresses_.clear();
    addresses_.reserve(1 << 20);  // the handler must not allocate
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
    const auto* at = static_cast<const ucontext_t*>(context);
    if (addresses_.size() == addresses_.capacity()) return;
    addresses_.push_back(static_cast<std::uintptr_t>(at->uc_mcontext.gregs[REG_RIP]));
  }
  static void set_trap_flag(bool on) {
    constexpr std::uint64_t kTrapFlag = 0x100;
    std::uint64_t flags = __builtin_ia32_readeflags_u64();
    flags = on ? flags | kTrapFlag : flags & ~kTrapFlag;
    __builtin_ia32_writeeflags_u64(flags);
  }

  static inline std::vector<std::uintptr_t> addresses_;
};

TEST_F(AeadAvx512Secrecy, P2_InstructionsDoNotDependOnKeysTextsOrTags) {
  // Short ones: a trap takes the time of thousands of instructions.
  for (const bool open : {false, true}) {
    for (const Case& wanted : {Case{"one packet", {300}, 1, open},
                               Case{"nine packets", std::vector<std::size_t>(9, 64), 2, open}}) {
      Work work(wanted);
      work.run();  // once before, so that the dynamic linker has nothing left to do
      work.renew(1, true);
      const auto first = Trace::of(work);
      work.renew(2, false);
      const auto second = Trace::of(work);
      EXPECT_GT(first.size(), 1000u) << wanted.name;
      EXPECT_TRUE(first == second) << wanted.name << (wanted.open ? ", open" : ", seal");
    }
  }
}

// What a call left behind.
struct Residue {
  std::vector<std::uint8_t> stack;
  std::array<std::array<std::uint8_t, 64>, 32> registers;
};

// Runs work on a stack of its own, which nothing else touches until it is looked at.
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
    Residue residue{stack, {}};
    std::memcpy(residue.registers.data(), registers_, sizeof registers_);
    return residue;
  }

 private:
  static void enter() {
    work_->run();
    asm volatile(
        ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, "
        "22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
        "vmovdqu64 %%zmm\\i, 64*\\i(%0)\n\t"
        ".endr"
        :
        : "r"(registers_)
        : "memory");
  }

  static inline const Work* work_;
  static inline ucontext_t outside_;
  alignas(64) static inline std::uint8_t registers_[32][64];
};

// The places, from the top, in which two stacks differ.
std::string differences(const Residue& a, const Residue& b) {
  std::string places;
  for (std::size_t i = 0; i < a.stack.size(); i += 8) {
    if (!std::equal(&a.stack[i], &a.stack[i] + 8, &b.stack[i])) {
      places += " -" + std::to_string(a.stack.size() - i);
    }
  }
  return places;
}

TEST_F(AeadAvx512Secrecy, P2_NothingOfKeysTextsOrTagsStaysOnTheStack) {
  for (const Case& wanted : cases()) {
    Work work(wanted);
    OwnStack::run(work);  // once before, so that callers leave the same in both runs
    work.renew(1, true);
    const Residue first = OwnStack::run(work);
    work.renew(2, true);
    const Residue second = OwnStack::run(work);
    EXPECT_EQ(differences(first, second), "") << wanted.name << (wanted.open ? ", open" : ", seal");
  }
}

TEST_F(AeadAvx512Secrecy, P2_NothingStaysInVectorRegisters) {
  for (const Case& wanted : cases()) {
    Work work(wanted);
    work.renew(1, true);
    const Residue first = OwnStack::run(work);
    work.renew(2, true);
    const Residue second = OwnStack::run(work);
    EXPECT_TRUE(first.registers == second.registers) << wanted.name;
  }
}

}  // namespace
}  // namespace ferrule::crypto
#endif
