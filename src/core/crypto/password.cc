#include "crypto/password.h"

#include <sodium.h>

#include <array>

namespace ferrule::crypto {

bool is_password_hash(std::string_view text) noexcept { return text.starts_with("$argon2id$"); }

std::optional<std::string> hash_password(std::string_view password) {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (::sodium_init() < 0 || ::crypto_pwhash_str(text.data(), password.data(), password.size(),
                                                 crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                                 crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    return std::nullopt;
  }
  return std::string(text.data());
}

bool is_password_of(const std::string& hash, std::string_view password) noexcept {
  return ::sodium_init() >= 0 && hash.size() < crypto_pwhash_STRBYTES &&
         ::crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

}  // namespace ferrule::crypto
