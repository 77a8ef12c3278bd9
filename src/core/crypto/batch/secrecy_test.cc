// What looks for secrets sees them: a check that can't fail proves nothing.
#include <gtest/gtest.h>

#include "crypto/batch/can_see_testing.h"

#ifdef FERRULE_CAN_SEE
#include "crypto/batch/secrecy_testing.h"
#include "crypto/batch/trace_testing.h"

namespace ferrule::crypto::batch {
namespace {

constexpr std::size_t kAll = 10'000;

class Leak : public test::Work {
 public:
  volatile std::uint8_t secret = 0;
};

class Branch final : public Leak {
 public:
  void run() const override {
    if (secret == 1) taken_ = true;
  }

 private:
  mutable volatile bool taken_ = false;
};

class Stack final : public Leak {
 public:
  void run() const override {
    volatile std::uint8_t copies[64];
    for (volatile std::uint8_t& copy : copies) copy = secret;
  }
};

class Vector final : public Leak {
 public:
  void run() const override {
#if defined(__x86_64__)
    asm volatile("movd %0, %%xmm15" : : "r"(std::uint32_t{secret}) : "xmm15");
#else
    asm volatile("dup v31.4s, %w0" : : "r"(std::uint32_t{secret}) : "v31");
#endif
  }
};

#if defined(__x86_64__)
// A register that only CPUs with AVX-512 have.
class HighVector final : public Leak {
 public:
  void run() const override {
    asm volatile("vpbroadcastd %0, %%zmm31" : : "r"(std::uint32_t{secret}));
  }
};
#endif

class Word final : public Leak {
 public:
  void run() const override {
#if defined(__x86_64__)
    asm volatile("mov %0, %%r11d" : : "r"(std::uint32_t{secret}) : "r11");
#else
    asm volatile("mov w17, %w0" : : "r"(std::uint32_t{secret}) : "x17");
#endif
  }
};

bool leaves_the_same_vectors(Leak& work) {
  const test::Residue first = test::OwnStack::run(work);
  work.secret = 1;
  return first.registers.vectors == test::OwnStack::run(work).registers.vectors;
}

class SecrecyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::kIsProductCode) GTEST_SKIP() << "not the code that is looked at";
  }
};

TEST_F(SecrecyTest, ABranchOnASecretIsSeen) {
  if (!test::kCanTrace) GTEST_SKIP() << "this CPU does not trap after each instruction";
  Branch work;
  work.run();
  const auto first = test::Trace::of(work, kAll);
  EXPECT_TRUE(first == test::Trace::of(work, kAll));
  work.secret = 1;
  EXPECT_FALSE(first == test::Trace::of(work, kAll));
}

TEST_F(SecrecyTest, ASecretOnTheStackIsSeen) {
  Stack work;
  test::OwnStack::run(work);
  const test::Residue first = test::OwnStack::run(work);
  EXPECT_EQ(differences(first, test::OwnStack::run(work)), "");
  work.secret = 1;
  EXPECT_NE(differences(first, test::OwnStack::run(work)), "");
}

TEST_F(SecrecyTest, ASecretInAVectorRegisterIsSeen) {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx")) GTEST_SKIP() << "this CPU has no AVX";
#endif
  Vector work;
  EXPECT_FALSE(leaves_the_same_vectors(work));
}

#if defined(__x86_64__)
TEST_F(SecrecyTest, ASecretInOneOfTheUpperVectorRegistersIsSeen) {
  if (!__builtin_cpu_supports("avx512f")) GTEST_SKIP() << "this CPU has no AVX-512";
  HighVector work;
  EXPECT_FALSE(leaves_the_same_vectors(work));
}
#endif

TEST_F(SecrecyTest, ASecretInAGeneralRegisterIsSeen) {
  Word work;
  const test::Residue first = test::OwnStack::run(work);
  work.secret = 1;
  EXPECT_FALSE(first.registers.words == test::OwnStack::run(work).registers.words);
}

}  // namespace
}  // namespace ferrule::crypto::batch
#endif
