// Passwords, kept as hashes that are slow to try (argon2id).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ferrule::crypto {

/// Whether a text looks like what hash_password gives ("$argon2id$...").
[[nodiscard]] bool is_password_hash(std::string_view text) noexcept;
/// A hash with a salt of its own. Takes 64 MiB for a moment; none: there is no such memory, or no randomness.
[[nodiscard]] std::optional<std::string> hash_password(std::string_view password);
/// Whether the hash is of this password. As slow as the hash says.
[[nodiscard]] bool is_password_of(const std::string& hash, std::string_view password) noexcept;

}  // namespace ferrule::crypto
