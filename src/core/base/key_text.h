// Keys as text: hex on the UAPI, base64 in files and on the command line.
//
// No branch and no table index depends on a key. Only the verdict is public: that a text was no key
// at all, and never where in it the fault was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/keys.h"

namespace ferrule {

constexpr std::size_t kKeyHexSize = 2 * kKeySize;
constexpr std::size_t kKeyBase64Size = 44;  // 43 digits and one '='

/// Writes a key as lower-case hex, or as padded base64, without a terminating zero. The text is as
/// secret as the key: its buffer is the caller's to wipe.
void key_to_hex(std::span<const std::uint8_t, kKeySize> key,
                std::span<char, kKeyHexSize> text) noexcept;
void key_to_base64(std::span<const std::uint8_t, kKeySize> key,
                   std::span<char, kKeyBase64Size> text) noexcept;

/// Reads 64 hex digits of either case. False, and `key` all zero, when `text` is anything else.
[[nodiscard]] bool key_from_hex(std::string_view text,
                                std::span<std::uint8_t, kKeySize> key) noexcept;

/// Reads the one base64 text that `key_to_base64` writes for a key: 44 characters, padded, the two
/// bits beyond the key zero. False, and `key` all zero, when `text` is anything else.
[[nodiscard]] bool key_from_base64(std::string_view text,
                                   std::span<std::uint8_t, kKeySize> key) noexcept;

/// The same for the types of keys. A PrivateKey or PresharedKey is made of the Secret.
[[nodiscard]] std::optional<Secret<kKeySize>> secret_from_hex(std::string_view text) noexcept;
[[nodiscard]] std::optional<Secret<kKeySize>> secret_from_base64(std::string_view text) noexcept;
[[nodiscard]] std::optional<PublicKey> public_key_from_hex(std::string_view text) noexcept;
[[nodiscard]] std::optional<PublicKey> public_key_from_base64(std::string_view text) noexcept;
[[nodiscard]] std::string to_hex(const PublicKey& key);
[[nodiscard]] std::string to_base64(const PublicKey& key);

}  // namespace ferrule
