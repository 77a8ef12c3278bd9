// What looks for secrets sees them: a check that can't fail proves nothing.
#include <gtest/gtest.h>

#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/cpu.h"
#include "crypto/avx512/secrecy_testing.h"

namespace ferrule::crypto::avx512 {
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

class Register final : public Leak {
 public:
  FERRULE_AVX512 void run() const override {
    asm volatile("vpbroadcastb %0, %%zmm31" : : "r"(std::uint32_t{secret}) : "xmm31");
  }
};

class SecrecyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!cpu_can_run()) GTEST_SKIP() << "this CPU has no AVX-512 with IFMA";
    if (!test::kIsProductCode) GTEST_SKIP() << "not the code that is looked at";
  }
};

TEST_F(SecrecyTest, ABranchOnASecretIsSeen) {
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

TEST_F(SecrecyTest, ASecretInARegisterIsSeen) {
  Register work;
  const test::Residue first = test::OwnStack::run(work);
  work.secret = 1;
  EXPECT_FALSE(first.registers == test::OwnStack::run(work).registers);
}

}  // namespace
}  // namespace ferrule::crypto::avx512
#endif
