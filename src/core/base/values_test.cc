// The small value types: ids, instants, errors, and the check that ends the program.
#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <type_traits>
#include <unordered_set>

#include "base/check.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/keys.h"
#include "base/time.h"

namespace ferrule {
namespace {

static_assert(!std::is_convertible_v<LocalIndex, RemoteIndex>);
static_assert(!std::is_constructible_v<LocalIndex, RemoteIndex>);

TEST(Ids, PeerIdIsNoneAtFirst) {
  EXPECT_TRUE(PeerId().is_none());
  EXPECT_FALSE(PeerId{0}.is_none());
}

TEST(Ids, GenerationsTellPeersOfOneSlotApart) { EXPECT_NE((PeerId{1, 1}), (PeerId{1, 2})); }

TEST(Ids, IndicesAreKeysOfHashTables) {
  const std::unordered_set<LocalIndex> set{{1}, {2}, {1}};
  EXPECT_EQ(set.size(), 2u);
}

TEST(Ids, PublicKeysAreKeysOfHashTables) {
  PublicKey other;
  other.bytes[31] = 1;  // a difference that the hash does not see
  const std::unordered_set<PublicKey> set{PublicKey(), other, PublicKey()};
  EXPECT_EQ(set.size(), 2u);
}

TEST(Instant, NeverIsLaterThanEverything) {
  EXPECT_GT(Instant::never(), Instant::from_ns(INT64_MAX - 1));
  EXPECT_TRUE(Instant::never().is_never());
  EXPECT_FALSE(Instant().is_never());
}

TEST(Instant, DifferencesAreDurations) {
  const Instant start = Instant::from_ns(5);
  EXPECT_EQ((start + 3s) - start, 3s);
  EXPECT_EQ((start + 3s) - 3s, start);
}

TEST(WallTime, ComparesSecondsBeforeNanoseconds) {
  EXPECT_LT((WallTime{1, 999'999'999}), (WallTime{2, 0}));
  EXPECT_LT((WallTime{2, 0}), (WallTime{2, 1}));
}

TEST(Error, SaysWhatWasAttemptedAndWhatTheSystemSaid) {
  const Error error = system_error(ENOENT, "open /dev/net/tun");
  EXPECT_EQ(error.code, ENOENT);
  EXPECT_EQ(error.what, "open /dev/net/tun: No such file or directory");
}

TEST(CheckDeathTest, BrokenInvariantEndsTheProgramAndIsNamed) {
  EXPECT_DEATH(FERRULE_CHECK(1 + 1 == 3), "broken invariant: 1 \\+ 1 == 3");
}

TEST(Check, InvariantThatHoldsCostsNothingToTheProgram) { FERRULE_CHECK(1 + 1 == 2); }

// What chooses a shard of a table, where a word has 32 bits too.
TEST(Ids, HashesOfPublicKeysFillSixtyFourBits) {
  std::set<std::uint64_t> upper;
  PublicKey key;
  for (int i = 0; i < 2000; ++i) {
    key.bytes[0] = static_cast<std::uint8_t>(i);
    key.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    upper.insert(hash_of(key) >> 56);
  }
  EXPECT_EQ(upper.size(), 256u);
}

}  // namespace
}  // namespace ferrule
