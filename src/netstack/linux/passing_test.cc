#include "netstack/linux/passing.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace ferrule::netstack {
namespace {

TEST(Passing, DescriptorsComeWithTheirMessage) {
  Result<Pair> pair = make_pair();
  ASSERT_TRUE(pair);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const io::UniqueFd in(ends[0]);
  io::UniqueFd out(ends[1]);
  ASSERT_TRUE(send_message(pair->ours.get(), "one", std::array{out.get()}));
  ASSERT_TRUE(send_message(pair->ours.get(), "two"));
  out.reset();
  Result<PassedMessage> first = receive_message(pair->theirs.get());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->text, "one");
  ASSERT_EQ(first->descriptors.size(), 1u);
  ASSERT_EQ(::write(first->descriptors[0].get(), "x", 1), 1);
  char byte = 0;
  ASSERT_EQ(::read(in.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  const Result<PassedMessage> second = receive_message(pair->theirs.get());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->text, "two");
  EXPECT_TRUE(second->descriptors.empty());
}

TEST(Passing, TheEndIsAnEmptyMessage) {
  Result<Pair> pair = make_pair();
  ASSERT_TRUE(pair);
  pair->theirs.reset();
  const Result<PassedMessage> last = receive_message(pair->ours.get());
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->text.empty());
}

}  // namespace
}  // namespace ferrule::netstack
