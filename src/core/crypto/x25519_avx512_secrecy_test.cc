// What the batched X25519 must not tell (crypto/batch/secrecy_testing.h): other keys and other points
// at the same addresses, of low order or not. FERRULE_LONG_TESTS=1 traces all instructions, not only
// the first.
#include <gtest/gtest.h>

#include "crypto/batch/can_see_testing.h"

#if defined(FERRULE_CAN_SEE) && defined(__x86_64__)
#include <cstdlib>
#include <random>
#include <vector>

#include "crypto/batch/secrecy_testing.h"
#include "crypto/batch/trace_testing.h"
#include "crypto/x25519_backends.h"

namespace ferrule::crypto {
namespace {

using test::differences;
using test::kIsProductCode;
using test::OwnStack;
using test::Residue;
using test::Trace;

// A few steps of the ladder, or everything.
std::size_t traced_instructions() {
  const char* wanted = std::getenv("FERRULE_LONG_TESTS");
  return wanted != nullptr && wanted[0] == '1' ? 2'000'000 : 20'000;
}

// A batch at addresses that stay.
class DhWork final : public test::Work {
 public:
  explicit DhWork(std::size_t count) : keys_(count), points_(count), results_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      jobs_.push_back(X25519Job::dh(keys_[i], points_[i], results_[i]));
    }
  }
  void renew(std::uint64_t seed, bool low_order) {
    std::mt19937_64 random(seed);
    for (PrivateKey& key : keys_) {
      for (auto& byte : key.mut_bytes()) byte = static_cast<std::uint8_t>(random());
    }
    for (PublicKey& point : points_) {
      point = {};
      if (low_order) continue;
      for (auto& byte : point.bytes) byte = static_cast<std::uint8_t>(random());
    }
  }
  void run() const override { avx512_x25519()(jobs_); }

 private:
  std::vector<PrivateKey> keys_;
  std::vector<PublicKey> points_;
  std::vector<SharedSecret> results_;
  mutable std::vector<X25519Job> jobs_;
};

class X25519Avx512Secrecy : public testing::Test {
 protected:
  void SetUp() override {
    if (avx512_x25519() == nullptr) GTEST_SKIP() << "this CPU has no AVX-512 with IFMA";
    if (!kIsProductCode) GTEST_SKIP() << "not the code that is looked at: sanitized or unoptimized";
  }
};

TEST_F(X25519Avx512Secrecy, P1_InstructionsDoNotDependOnKeysOrPoints) {
  DhWork work(3);
  work.run();  // once before, so that the dynamic linker has nothing left to do
  work.renew(1, false);
  const auto first = Trace::of(work, traced_instructions());
  work.renew(2, true);
  const auto second = Trace::of(work, traced_instructions());
  EXPECT_GT(first.size(), 10'000u);
  EXPECT_TRUE(first == second);
}

TEST_F(X25519Avx512Secrecy, P1_NothingOfKeysOrResultsStaysOnTheStack) {
  for (const std::size_t count : {3, 8, 13}) {
    DhWork work(count);
    OwnStack::run(work);  // once before, so that callers leave the same in both runs
    work.renew(1, false);
    const Residue first = OwnStack::run(work);
    work.renew(2, false);
    const Residue second = OwnStack::run(work);
    EXPECT_EQ(differences(first, second), "") << count;
  }
}

TEST_F(X25519Avx512Secrecy, P1_NothingStaysInVectorRegisters) {
  for (const std::size_t count : {3, 8, 13}) {
    DhWork work(count);
    work.renew(1, false);
    const Residue first = OwnStack::run(work);
    work.renew(2, false);
    const Residue second = OwnStack::run(work);
    EXPECT_TRUE(first.registers.vectors == second.registers.vectors) << count;
    EXPECT_TRUE(first.registers.words == second.registers.words) << count;
  }
}

}  // namespace
}  // namespace ferrule::crypto
#endif
