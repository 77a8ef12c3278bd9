// Byte spans, and the loads and stores that give wire integers their byte order.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ferrule {

using Bytes = std::span<const std::uint8_t>;
using MutBytes = std::span<std::uint8_t>;

namespace detail {
template <class T, std::endian Order>
[[nodiscard]] inline T load(const std::uint8_t* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native != Order) {
    if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
  }
  return value;
}

template <class T, std::endian Order>
inline void store(std::uint8_t* to, T value) noexcept {
  if constexpr (std::endian::native != Order) {
    if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
  }
  std::memcpy(to, &value, sizeof value);
}
}  // namespace detail

// The caller guarantees that 2, 4 or 8 bytes are readable or writable; no alignment is needed.
[[nodiscard]] inline std::uint16_t load_le16(const std::uint8_t* p) noexcept {
  return detail::load<std::uint16_t, std::endian::little>(p);
}
[[nodiscard]] inline std::uint32_t load_le32(const std::uint8_t* p) noexcept {
  return detail::load<std::uint32_t, std::endian::little>(p);
}
[[nodiscard]] inline std::uint64_t load_le64(const std::uint8_t* p) noexcept {
  return detail::load<std::uint64_t, std::endian::little>(p);
}
[[nodiscard]] inline std::uint16_t load_be16(const std::uint8_t* p) noexcept {
  return detail::load<std::uint16_t, std::endian::big>(p);
}
[[nodiscard]] inline std::uint32_t load_be32(const std::uint8_t* p) noexcept {
  return detail::load<std::uint32_t, std::endian::big>(p);
}
[[nodiscard]] inline std::uint64_t load_be64(const std::uint8_t* p) noexcept {
  return detail::load<std::uint64_t, std::endian::big>(p);
}
inline void store_le16(std::uint8_t* p, std::uint16_t v) noexcept {
  detail::store<std::uint16_t, std::endian::little>(p, v);
}
inline void store_le32(std::uint8_t* p, std::uint32_t v) noexcept {
  detail::store<std::uint32_t, std::endian::little>(p, v);
}
inline void store_le64(std::uint8_t* p, std::uint64_t v) noexcept {
  detail::store<std::uint64_t, std::endian::little>(p, v);
}
inline void store_be16(std::uint8_t* p, std::uint16_t v) noexcept {
  detail::store<std::uint16_t, std::endian::big>(p, v);
}
inline void store_be32(std::uint8_t* p, std::uint32_t v) noexcept {
  detail::store<std::uint32_t, std::endian::big>(p, v);
}
inline void store_be64(std::uint8_t* p, std::uint64_t v) noexcept {
  detail::store<std::uint64_t, std::endian::big>(p, v);
}

/// Copies `from` to the start of `to`. `to` must be at least as long.
inline void copy(Bytes from, MutBytes to) noexcept {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

}  // namespace ferrule
