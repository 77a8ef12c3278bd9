#include "packet/checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "packet/checksum_kernels.h"
#include "packet/packets_testing.h"

namespace ferrule::packet {
namespace {

using testing::naive_checksum;
using testing::Packet;
using testing::pick;
using testing::Random;
using testing::random_bytes;

std::uint16_t checksum_of(Bytes bytes) {
  InternetSum sum;
  sum.add(bytes);
  return sum.checksum();
}

// What a kernel returns is in the order of memory: on this project's machines, little-endian.
std::uint16_t folded(std::uint64_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  std::uint8_t bytes[2];
  std::memcpy(bytes,
              std::endian::native == std::endian::little
                  ? reinterpret_cast<const std::uint8_t*>(&sum)
                  : reinterpret_cast<const std::uint8_t*>(&sum) + 6,
              2);
  return load_be16(bytes);
}

struct Kernel {
  std::string name;
  detail::SumKernel sum;
  detail::CopySumKernel copy_sum;
};

std::vector<Kernel> kernels() {
  std::vector<Kernel> kernels{{"portable", detail::sum_portable, detail::copy_sum_portable}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    kernels.push_back({"avx2", detail::sum_avx2, detail::copy_sum_avx2});
  }
#endif
  return kernels;
}

TEST(InternetSum, TheExampleOfRfc1071) {
  const Packet bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  InternetSum sum;
  sum.add(bytes);
  EXPECT_EQ(sum.folded(), 0xddf2);
  EXPECT_EQ(sum.checksum(), 0x220d);
}

TEST(InternetSum, OfNothingIsZero) { EXPECT_EQ(InternetSum().folded(), 0); }

TEST(InternetSum, OfOnesIsOnes) {
  for (std::size_t size : {2u, 64u, 4096u, 65536u}) {
    EXPECT_EQ(checksum_of(Packet(size, 0xff)), 0) << size;
  }
}

TEST(InternetSum, AnOddLastByteCountsAsIfAZeroFollowed) {
  EXPECT_EQ(checksum_of(Packet{0x12}), checksum_of(Packet{0x12, 0}));
}

TEST(InternetSum, WordsAndLongsAreBigEndian) {
  InternetSum sum;
  sum.add_word(0x1234);
  EXPECT_EQ(sum.folded(), 0x1234);
  sum.add_long(0x00010002);
  EXPECT_EQ(sum.folded(), 0x1237);
}

TEST(InternetSum, IsTheSameInOnePieceOrInMany) {
  Random random(2);
  for (int round = 0; round < 2000; ++round) {
    const Packet bytes = random_bytes(random, pick(random, 0, 400));
    InternetSum whole;
    whole.add(bytes);
    InternetSum pieces;
    Bytes rest = bytes;
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.size(), 2 * pick(random, 1, 60));
      InternetSum piece;
      piece.add(rest.first(size));
      pieces.add(piece);
      rest = rest.subspan(size);
    }
    ASSERT_EQ(pieces.folded(), whole.folded());
  }
}

TEST(InternetSum, OfMoreThanAKernelTakesAtOnce) {
  Random random(3);
  const Packet bytes = random_bytes(random, 2 * detail::kMaxKernelSize + 77);
  EXPECT_EQ(checksum_of(bytes), naive_checksum(bytes));
  Packet copied(bytes.size());
  InternetSum sum;
  sum.add_copying(bytes, copied);
  EXPECT_EQ(sum.checksum(), naive_checksum(bytes));
  EXPECT_EQ(copied, bytes);
}

TEST(InternetSum, LargestLanesDoNotOverflow) {
  for (std::uint8_t value : {0x00, 0x7f, 0x80, 0xff}) {
    const Packet bytes(detail::kMaxKernelSize, value);
    for (const Kernel& kernel : kernels()) {
      EXPECT_EQ(folded(kernel.sum(bytes.data(), bytes.size())),
                static_cast<std::uint16_t>(~naive_checksum(bytes)))
          << kernel.name << ' ' << int{value};
    }
  }
}

TEST(ChecksumKernels, SumEverySmallSizeAtEveryAlignment) {
  Random random(4);
  const Packet bytes = random_bytes(random, 64 + 320);
  for (const Kernel& kernel : kernels()) {
    for (std::size_t at = 0; at < 64; ++at) {
      for (std::size_t size = 1; size <= 320; ++size) {
        const Bytes span = Bytes(bytes).subspan(at, size);
        ASSERT_EQ(folded(kernel.sum(span.data(), size)),
                  static_cast<std::uint16_t>(~naive_checksum(span)))
            << kernel.name << ' ' << at << ' ' << size;
      }
    }
  }
}

TEST(ChecksumKernels, CopyAndSumEverySmallSize) {
  Random random(5);
  for (const Kernel& kernel : kernels()) {
    for (std::size_t size = 1; size <= 320; ++size) {
      // Allocations of just this size, so that AddressSanitizer sees a step outside.
      const Packet bytes = random_bytes(random, size);
      Packet copied(size);
      const std::uint64_t sum = kernel.copy_sum(bytes.data(), copied.data(), size);
      ASSERT_EQ(folded(sum), static_cast<std::uint16_t>(~naive_checksum(bytes)))
          << kernel.name << ' ' << size;
      ASSERT_EQ(copied, bytes) << kernel.name << ' ' << size;
    }
  }
}

TEST(ChecksumKernels, CopyWritesNothingBesidesTheCopy) {
  const Packet bytes(200, 0x11);
  for (const Kernel& kernel : kernels()) {
    for (std::size_t size = 1; size <= 200; ++size) {
      Packet room(64 + 200 + 64, 0xee);
      kernel.copy_sum(bytes.data(), room.data() + 64, size);
      ASSERT_EQ(std::count(room.begin(), room.end(), 0x11), static_cast<std::ptrdiff_t>(size));
      ASSERT_EQ(room[63], 0xee);
      ASSERT_EQ(room[64 + size], 0xee);
    }
  }
}

TEST(ChecksumKernels, AgreeOnRandomSizes) {
  Random random(6);
  for (int round = 0; round < 3000; ++round) {
    const Packet bytes = random_bytes(random, pick(random, 0, 9100));
    const auto expected = static_cast<std::uint16_t>(~naive_checksum(bytes));
    for (const Kernel& kernel : kernels()) {
      ASSERT_EQ(folded(kernel.sum(bytes.data(), bytes.size())), expected) << kernel.name;
    }
  }
}

TEST(PseudoHeaderSum, OfIpv4) {
  const Packet packet = testing::build({.udp = true, .payload = Packet(100)});
  EXPECT_EQ(pseudo_header_sum(Bytes(packet).subspan(12, 8), 17, 108).folded(),
            testing::naive_pseudo_sum(packet, 17, 108));
}

TEST(PseudoHeaderSum, OfIpv6AboveSixteenBits) {
  const Packet packet = testing::build({.v6 = true, .udp = true, .payload = Packet(100)});
  EXPECT_EQ(pseudo_header_sum(Bytes(packet).subspan(8, 32), 6, 0x1'2345).folded(),
            testing::naive_pseudo_sum(packet, 6, 0x1'2345));
}

TEST(UpdatedChecksum, IsTheOneComputedAfresh) {
  Random random(7);
  for (int round = 0; round < 200'000; ++round) {
    Packet bytes = random_bytes(random, 12);
    if (round % 7 == 0) bytes[2] = bytes[3] = 0;
    bytes[0] = 0x45;  // a sum is never zero in a header
    const std::uint16_t before = checksum_of(bytes);
    const std::uint16_t old_word = load_be16(bytes.data() + 2);
    const auto new_word = static_cast<std::uint16_t>(round % 5 == 0 ? 0xffff : random());
    store_be16(bytes.data() + 2, new_word);
    ASSERT_EQ(updated_checksum(before, old_word, new_word), checksum_of(bytes));
  }
}

TEST(NeverZero, SendsZeroAsItsEqual) {
  EXPECT_EQ(never_zero(0), 0xffff);
  EXPECT_EQ(never_zero(1), 1);
}

}  // namespace
}  // namespace ferrule::packet
