// What is in the registers of vectors, and in those that a call need not preserve.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ferrule::crypto::test {

#if defined(__x86_64__)

/// Zeros for what this CPU does not have.
struct Registers {
  std::array<std::array<std::uint8_t, 64>, 32> vectors;
  std::array<std::uint64_t, 8> words;
};

// What others left is not to be seen.
inline void clear_registers() {
  if (!__builtin_cpu_supports("avx512f")) return;
  asm volatile(
      ".irp i, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
      "vpxord %%zmm\\i, %%zmm\\i, %%zmm\\i\n\t"
      ".endr" ::);
}

__attribute__((always_inline)) inline void store_registers(Registers& to) {
  asm volatile(
      "mov %%rcx, %0\n\tmov %%rdx, %1\n\tmov %%rsi, %2\n\tmov %%rdi, %3\n\t"
      "mov %%r8, %4\n\tmov %%r9, %5\n\tmov %%r10, %6\n\tmov %%r11, %7"
      : "=m"(to.words[0]), "=m"(to.words[1]), "=m"(to.words[2]), "=m"(to.words[3]),
        "=m"(to.words[4]), "=m"(to.words[5]), "=m"(to.words[6]), "=m"(to.words[7]));
  if (__builtin_cpu_supports("avx512f")) {
    asm volatile(
        ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, "
        "22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
        "vmovdqu64 %%zmm\\i, 64*\\i(%0)\n\t"
        ".endr"
        :
        : "r"(to.vectors.data())
        : "memory");
  } else if (__builtin_cpu_supports("avx")) {
    asm volatile(
        ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
        "vmovdqu %%ymm\\i, 64*\\i(%0)\n\t"
        ".endr"
        :
        : "r"(to.vectors.data())
        : "memory");
  }
}

#elif defined(__aarch64__)

struct Registers {
  std::array<std::array<std::uint8_t, 16>, 32> vectors;
  std::array<std::uint64_t, 19> words;
};

inline void clear_registers() {}

// The address is in a register that a call overwrites anyway: all others are as it left them.
__attribute__((always_inline)) inline void store_registers(Registers& to) {
  static_assert(offsetof(Registers, vectors) == 0 && offsetof(Registers, words) == 512);
  register Registers* base asm("x30") = &to;
  asm volatile(
      ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18\n\t"
      "str x\\i, [%0, #512 + 8*\\i]\n\t"
      ".endr\n\t"
      ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, "
      "23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
      "str q\\i, [%0, #16*\\i]\n\t"
      ".endr"
      :
      : "r"(base)
      : "memory");
}

#endif

}  // namespace ferrule::crypto::test
