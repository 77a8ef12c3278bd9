#include "packet/checksum.h"

#include <algorithm>
#include <cstring>

#include "packet/checksum_kernels.h"
#include "packet/headers.h"

namespace ferrule::packet {

namespace detail {

namespace {

template <class Word>
Word load(const std::uint8_t* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

}  // namespace

std::uint64_t sum_portable(const std::uint8_t* from, std::size_t size) noexcept {
  // Two chains of additions that do not wait for each other. 32-bit words cannot overflow 64 bits.
  std::uint64_t even = 0;
  std::uint64_t odd = 0;
  for (; size >= 16; from += 16, size -= 16) {
    even += std::uint64_t{load<std::uint32_t>(from)} + load<std::uint32_t>(from + 8);
    odd += std::uint64_t{load<std::uint32_t>(from + 4)} + load<std::uint32_t>(from + 12);
  }
  for (; size >= 4; from += 4, size -= 4) even += load<std::uint32_t>(from);
  if (size >= 2) {
    odd += load<std::uint16_t>(from);
    from += 2;
  }
  if (size % 2 != 0) {
    const std::uint8_t last[2] = {*from, 0};
    odd += load<std::uint16_t>(last);
  }
  return even + odd;
}

std::uint64_t copy_sum_portable(const std::uint8_t* from, std::uint8_t* to,
                                std::size_t size) noexcept {
  std::memcpy(to, from, size);
  return sum_portable(to, size);
}

}  // namespace detail

namespace {

// Below this a vector kernel has nothing to work on.
constexpr std::size_t kSmall = 32;

std::uint64_t sum(const std::uint8_t* from, std::size_t size) noexcept {
#if defined(__x86_64__)
  if (size >= kSmall && __builtin_cpu_supports("avx2")) return detail::sum_avx2(from, size);
#endif
  return detail::sum_portable(from, size);
}

std::uint64_t copy_sum(const std::uint8_t* from, std::uint8_t* to, std::size_t size) noexcept {
#if defined(__x86_64__)
  if (size >= kSmall && __builtin_cpu_supports("avx2"))
    return detail::copy_sum_avx2(from, to, size);
#endif
  return detail::copy_sum_portable(from, to, size);
}

}  // namespace

void InternetSum::add(Bytes bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), detail::kMaxKernelSize);
    words_ += folded_to_32(sum(bytes.data(), size));
    bytes = bytes.subspan(size);
  }
}

void InternetSum::add_copying(Bytes from, MutBytes to) noexcept {
  while (!from.empty()) {
    const std::size_t size = std::min(from.size(), detail::kMaxKernelSize);
    words_ += folded_to_32(copy_sum(from.data(), to.data(), size));
    from = from.subspan(size);
    to = to.subspan(size);
  }
}

InternetSum pseudo_header_sum(Bytes addresses, std::uint8_t protocol, std::size_t length) noexcept {
  InternetSum sum;
  if (addresses.size() == 2 * ipv4::kAddressSize) {
    sum.add_header<2 * ipv4::kAddressSize>(addresses.data());
  } else {
    sum.add(addresses);
  }
  sum.add_word(protocol);
  sum.add_long(static_cast<std::uint32_t>(length));
  return sum;
}

}  // namespace ferrule::packet
