// The loops under InternetSum, each for one kind of CPU. For checksum.cc and its tests only.
//
// Each sums the 16-bit words of `from` as they lie in memory (an odd last byte as if a zero followed)
// into an integer whose fold to 16 bits is the sum; with a `to`, each copies too. `size` is at least
// 1, and at most kMaxKernelSize, so that no lane of a vector overflows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ferrule::packet::detail {

constexpr std::size_t kMaxKernelSize = std::size_t{1} << 19;

using SumKernel = std::uint64_t (*)(const std::uint8_t* from, std::size_t size);
using CopySumKernel = std::uint64_t (*)(const std::uint8_t* from, std::uint8_t* to,
                                        std::size_t size);

std::uint64_t sum_portable(const std::uint8_t* from, std::size_t size) noexcept;
std::uint64_t copy_sum_portable(const std::uint8_t* from, std::uint8_t* to,
                                std::size_t size) noexcept;

#if defined(__x86_64__)
// For CPUs that have AVX2.
std::uint64_t sum_avx2(const std::uint8_t* from, std::size_t size) noexcept;
std::uint64_t copy_sum_avx2(const std::uint8_t* from, std::uint8_t* to, std::size_t size) noexcept;
#endif

}  // namespace ferrule::packet::detail
