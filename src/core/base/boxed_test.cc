#include "base/boxed.h"

#include <gtest/gtest.h>

#include "base/secret.h"

namespace ferrule {
namespace {

TEST(Boxed, IsEmptyUntilItIsSetAndAfterItIsReset) {
  Boxed<int> box;
  EXPECT_FALSE(box.has_value());
  ASSERT_TRUE(box.emplace(5));
  EXPECT_EQ(*box, 5);
  box.reset();
  EXPECT_FALSE(box);
}

TEST(Boxed, TakesWhatCanOnlyBeMoved) {
  Secret<4> secret;
  secret.mut_bytes()[0] = 7;
  Boxed<Secret<4>> box;
  ASSERT_TRUE(box.emplace(std::move(secret)));
  EXPECT_EQ(box->data()[0], 7);
  EXPECT_TRUE(secret.is_zero());  // NOLINT(bugprone-use-after-move): it is wiped
}

TEST(Boxed, IsAsSmallAsAPointer) { static_assert(sizeof(Boxed<Secret<32>>) == sizeof(void*)); }

}  // namespace
}  // namespace ferrule
