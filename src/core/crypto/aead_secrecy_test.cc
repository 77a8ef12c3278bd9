// What our own backends must not tell (crypto/batch/secrecy_testing.h). Each test does the same
// work twice, with other keys, other texts and other tags at the same addresses, and wants no
// difference.
#include <gtest/gtest.h>

#include "crypto/batch/can_see_testing.h"

#ifdef FERRULE_CAN_SEE
#include <memory>
#include <random>
#include <vector>

#include "crypto/aead_backends.h"
#include "crypto/aead_backends_testing.h"
#include "crypto/batch/secrecy_testing.h"
#include "crypto/batch/trace_testing.h"

namespace ferrule::crypto {
namespace {

using test::differences;
using test::kIsProductCode;
using test::OwnStack;
using test::Residue;
using test::Trace;

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
class AeadWork final : public test::Work {
 public:
  AeadWork(const AeadBackend& backend, const Case& wanted)
      : backend_(backend), case_(wanted), keys_(wanted.keys) {
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
    if (case_.open && right_tags) test::library_backend().seal(packets_);
  }
  void run() const override {
    if (case_.open) {
      backend_.open(packets_, {opened_.get(), packets_.size()});
    } else {
      backend_.seal(packets_);
    }
  }

 private:
  const AeadBackend& backend_;
  const Case& case_;
  std::vector<AeadKey> keys_;
  std::vector<std::vector<std::uint8_t>> buffers_;
  std::vector<AeadPacket> packets_;
  std::unique_ptr<bool[]> opened_;
};

class AeadSecrecy : public testing::TestWithParam<test::VectorBackend> {
 protected:
  void SetUp() override {
    if (backend_ == nullptr) GTEST_SKIP() << GetParam().reason_to_skip;
    if (!kIsProductCode) GTEST_SKIP() << "not the code that is looked at: sanitized or unoptimized";
  }
  const AeadBackend* backend_ = GetParam().get();
};

INSTANTIATE_TEST_SUITE_P(Aead, AeadSecrecy, testing::ValuesIn(test::kVectorBackends),
                         test::name_of_backend);

TEST_P(AeadSecrecy, P2_InstructionsDoNotDependOnKeysTextsOrTags) {
  if (!test::kCanTrace) GTEST_SKIP() << "this CPU does not trap after each instruction";
  // Short ones: a trap takes the time of thousands of instructions.
  for (const bool open : {false, true}) {
    for (const Case& wanted : {Case{"one packet", {300}, 1, open},
                               Case{"nine packets", std::vector<std::size_t>(9, 64), 2, open}}) {
      AeadWork work(*backend_, wanted);
      work.run();  // once before, so that the dynamic linker has nothing left to do
      work.renew(1, true);
      const auto first = Trace::of(work, 100'000);
      work.renew(2, false);
      const auto second = Trace::of(work, 100'000);
      EXPECT_GT(first.size(), 1000u) << wanted.name;
      EXPECT_TRUE(first == second) << wanted.name << (wanted.open ? ", open" : ", seal");
    }
  }
}

TEST_P(AeadSecrecy, P2_NothingOfKeysTextsOrTagsStaysOnTheStack) {
  for (const Case& wanted : cases()) {
    AeadWork work(*backend_, wanted);
    OwnStack::run(work);  // once before, so that callers leave the same in both runs
    work.renew(1, true);
    const Residue first = OwnStack::run(work);
    work.renew(2, true);
    const Residue second = OwnStack::run(work);
    EXPECT_EQ(differences(first, second), "") << wanted.name << (wanted.open ? ", open" : ", seal");
  }
}

TEST_P(AeadSecrecy, P2_NothingStaysInRegisters) {
  for (const Case& wanted : cases()) {
    AeadWork work(*backend_, wanted);
    work.renew(1, true);
    const Residue first = OwnStack::run(work);
    work.renew(2, true);
    const Residue second = OwnStack::run(work);
    EXPECT_TRUE(first.registers.vectors == second.registers.vectors) << wanted.name;
    EXPECT_TRUE(first.registers.words == second.registers.words) << wanted.name;
  }
}

}  // namespace
}  // namespace ferrule::crypto
#endif
