#include "protocol/messages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/hex_testing.h"

namespace ferrule::protocol {
namespace {

// A message of this length that starts with `word`, the rest 0xff.
std::vector<std::uint8_t> message_of(std::size_t size, std::uint32_t word) {
  std::vector<std::uint8_t> message(size, 0xff);
  std::array<std::uint8_t, 4> start;
  store_le32(start.data(), word);
  std::copy_n(start.begin(), std::min<std::size_t>(size, 4), message.begin());
  return message;
}

bool length_fits(std::uint32_t type, std::size_t size) {
  switch (type) {
    case 1:
      return size == 148;
    case 2:
      return size == 92;
    case 3:
      return size == 64;
    case 4:
      return size >= 32;
    default:
      return false;
  }
}

TEST(Messages, P10_ANonZeroReservedByteIsRefused) {
  for (std::uint32_t type = 0; type <= 5; ++type) {
    for (std::size_t size = 0; size <= 200; ++size) {
      for (unsigned bit = 8; bit < 32; ++bit) {
        ASSERT_FALSE(classify(message_of(size, type | 1u << bit))) << type << ' ' << size;
      }
    }
  }
}

TEST(Messages, P11_OnlyTheLengthOfItsTypeIsAccepted) {
  for (std::uint32_t type = 0; type <= 5; ++type) {
    for (std::size_t size = 0; size <= 200; ++size) {
      const auto classified = classify(message_of(size, type));
      ASSERT_EQ(classified.has_value(), length_fits(type, size)) << type << ' ' << size;
      if (!classified) continue;
      ASSERT_EQ(static_cast<std::uint32_t>(*classified), type);
    }
  }
}

TEST(Messages, P11_TransportDataMayBeAsLongAsADatagram) {
  EXPECT_EQ(classify(message_of(65507, 4)), MessageType::transport_data);
}

TEST(Messages, P11_UnknownTypesAreRefused) {
  for (std::uint32_t type = 5; type <= 255; ++type) {
    for (const std::size_t size : {32u, 64u, 92u, 148u}) {
      ASSERT_FALSE(classify(message_of(size, type)));
    }
  }
}

TEST(Messages, TheTransportHeaderIsLittleEndian) {
  std::array<std::uint8_t, TransportLayout::kHeaderSize> header;
  write_transport_header(header.data(), RemoteIndex{0x01020304}, 0x1112131415161718);
  EXPECT_EQ(test::hex(header),
            "04000000"
            "04030201"
            "1817161514131211");
}

// The offsets of §5.4, written down a second time.
TEST(Messages, TheFieldsStandWhereThePaperPutsThem) {
  EXPECT_EQ(InitiationLayout::kStatic, 40u);
  EXPECT_EQ(InitiationLayout::kTimestamp, 88u);
  EXPECT_EQ(InitiationLayout::kMac1, 116u);
  EXPECT_EQ(InitiationLayout::kMac2, 132u);
  EXPECT_EQ(ResponseLayout::kNothing, 44u);
  EXPECT_EQ(ResponseLayout::kMac1, 60u);
  EXPECT_EQ(ResponseLayout::kMac2, 76u);
  EXPECT_EQ(CookieReplyLayout::kCookie, 32u);
}

}  // namespace
}  // namespace ferrule::protocol
