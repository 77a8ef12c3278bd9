#include "base/secret.h"

#include <cstring>

namespace ferrule {

void wipe(MutBytes bytes) noexcept {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
}

bool constant_time_equal(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<std::uint8_t>(a[i] ^ b[i]);
  // Keeps the compiler from turning the loop into one that stops early.
  asm volatile("" : "+r"(difference));
  return difference == 0;
}

bool constant_time_is_zero(Bytes bytes) noexcept {
  std::uint8_t any = 0;
  for (std::uint8_t byte : bytes) any |= byte;
  asm volatile("" : "+r"(any));
  return any == 0;
}

}  // namespace ferrule
