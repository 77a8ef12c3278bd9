#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>

#include "base/hex_testing.h"

namespace ferrule {
namespace {

constexpr std::array<std::uint8_t, 9> kBytes{0xff, 1, 2, 3, 4, 5, 6, 7, 8};
const std::uint8_t* const kUnaligned = kBytes.data() + 1;

TEST(Bytes, LittleEndianLoadsTakeTheFirstByteAsTheLowest) {
  EXPECT_EQ(load_le16(kUnaligned), 0x0201u);
  EXPECT_EQ(load_le32(kUnaligned), 0x04030201u);
  EXPECT_EQ(load_le64(kUnaligned), 0x0807060504030201u);
}

TEST(Bytes, BigEndianLoadsTakeTheFirstByteAsTheHighest) {
  EXPECT_EQ(load_be16(kUnaligned), 0x0102u);
  EXPECT_EQ(load_be32(kUnaligned), 0x01020304u);
  EXPECT_EQ(load_be64(kUnaligned), 0x0102030405060708u);
}

TEST(Bytes, StoresWriteWhatLoadsRead) {
  std::array<std::uint8_t, 9> bytes{};
  std::uint8_t* const at = bytes.data() + 1;
  store_le16(at, 0xa1b2);
  EXPECT_EQ(test::hex(bytes), "00b2a1000000000000");
  store_be16(at, 0xa1b2);
  EXPECT_EQ(test::hex(bytes), "00a1b2000000000000");
  store_le32(at, 0xa1b2c3d4);
  EXPECT_EQ(test::hex(bytes), "00d4c3b2a100000000");
  store_be32(at, 0xa1b2c3d4);
  EXPECT_EQ(test::hex(bytes), "00a1b2c3d400000000");
  store_le64(at, 0xa1b2c3d4e5f60718);
  EXPECT_EQ(test::hex(bytes), "001807f6e5d4c3b2a1");
  store_be64(at, 0xa1b2c3d4e5f60718);
  EXPECT_EQ(test::hex(bytes), "00a1b2c3d4e5f60718");
}

TEST(Bytes, CopyLeavesWhatLiesBehind) {
  std::array<std::uint8_t, 3> to{9, 9, 9};
  copy(std::array<std::uint8_t, 2>{1, 2}, to);
  EXPECT_EQ(to, (std::array<std::uint8_t, 3>{1, 2, 9}));
}

TEST(Bytes, CopyOfNothingNeedsNoAddress) { copy(Bytes(), MutBytes()); }

}  // namespace
}  // namespace ferrule
