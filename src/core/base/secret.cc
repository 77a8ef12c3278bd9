#include "base/secret.h"

#include <array>
#include <cstring>

namespace ferrule {

void wipe(MutBytes bytes) noexcept {
  if (bytes.empty()) return;
  std::memset(bytes.data(), 0, bytes.size());
  // Whoever reads this may read those bytes: so the compiler has to believe.
  asm volatile("" : : "r"(bytes.data()) : "memory");
}

namespace {

// A read of the configuration socket, which is parsed below it, and what that calls.
constexpr std::size_t kWipedStackBytes = std::size_t{96} << 10;

#if defined(__x86_64__)
[[gnu::noinline, gnu::target("avx")]] void clear_vectors() noexcept { asm volatile("vzeroall"); }

[[gnu::noinline, gnu::target("avx512f")]] void clear_upper_vectors() noexcept {
  asm volatile(
      "vpxord %zmm16, %zmm16, %zmm16; vpxord %zmm17, %zmm17, %zmm17;"
      "vpxord %zmm18, %zmm18, %zmm18; vpxord %zmm19, %zmm19, %zmm19;"
      "vpxord %zmm20, %zmm20, %zmm20; vpxord %zmm21, %zmm21, %zmm21;"
      "vpxord %zmm22, %zmm22, %zmm22; vpxord %zmm23, %zmm23, %zmm23;"
      "vpxord %zmm24, %zmm24, %zmm24; vpxord %zmm25, %zmm25, %zmm25;"
      "vpxord %zmm26, %zmm26, %zmm26; vpxord %zmm27, %zmm27, %zmm27;"
      "vpxord %zmm28, %zmm28, %zmm28; vpxord %zmm29, %zmm29, %zmm29;"
      "vpxord %zmm30, %zmm30, %zmm30; vpxord %zmm31, %zmm31, %zmm31");
}
#endif

// All vector registers are the callee's to use, so that nobody misses what was in them.
[[gnu::noinline, gnu::zero_call_used_regs("all")]] void wipe_registers() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) clear_upper_vectors();
  if (__builtin_cpu_supports("avx")) clear_vectors();
#endif
}

}  // namespace

[[gnu::noinline]] void wipe_stack() noexcept {
  std::array<std::uint8_t, kWipedStackBytes> below;  // on purpose not initialised
  wipe(below);
  wipe_registers();
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
