#include "base/key_text.h"

#include <array>

#include "base/secret.h"

namespace ferrule {

namespace {

// All ones when low <= value <= high, else zero, for values below 2^31. Each difference that is
// negative sets the top bit.
std::uint32_t mask_between(std::uint32_t value, std::uint32_t low, std::uint32_t high) noexcept {
  std::uint32_t mask = (((value - low) | (high - value)) >> 31) - 1;
  // Hides from the compiler that a mask is a condition: it may turn a condition into a branch.
  asm volatile("" : "+r"(mask));
  return mask;
}

// A range of characters that stand for consecutive digits.
struct DigitRange {
  char first_char;
  std::uint8_t first_digit;
  std::uint8_t count;
};

constexpr std::array kHexLower{DigitRange{'0', 0, 10}, DigitRange{'a', 10, 6}};
constexpr std::array kHexUpper{DigitRange{'A', 10, 6}};
constexpr std::array kBase64{DigitRange{'A', 0, 26}, DigitRange{'a', 26, 26},
                             DigitRange{'0', 52, 10}, DigitRange{'+', 62, 1},
                             DigitRange{'/', 63, 1}};

char encode(std::uint32_t digit, std::span<const DigitRange> ranges) noexcept {
  std::uint32_t found = 0;
  for (const auto& [first_char, first_digit, count] : ranges) {
    const auto shifted = digit - first_digit + static_cast<std::uint8_t>(first_char);
    found |= mask_between(digit, first_digit, first_digit + count - 1u) & shifted;
  }
  return static_cast<char>(found);
}

// Adds the digit's value to `digit` and the mask of having found it to `known`.
void decode(char character, std::span<const DigitRange> ranges, std::uint32_t& digit,
            std::uint32_t& known) noexcept {
  const std::uint32_t code = static_cast<std::uint8_t>(character);
  for (const auto& [first_char, first_digit, count] : ranges) {
    const std::uint32_t low = static_cast<std::uint8_t>(first_char);
    const std::uint32_t mask = mask_between(code, low, low + count - 1u);
    digit |= mask & (code - low + first_digit);
    known |= mask;
  }
}

bool refuse(std::span<std::uint8_t, kKeySize> key) noexcept {
  wipe(key);
  return false;
}

// Keeps the key where `mask` is all ones and clears it where it is zero, without asking which.
bool keep_if(std::uint32_t mask, std::span<std::uint8_t, kKeySize> key) noexcept {
  for (std::uint8_t& byte : key) byte &= static_cast<std::uint8_t>(mask);
  return mask != 0;
}

template <bool (*Read)(std::string_view, std::span<std::uint8_t, kKeySize>) noexcept>
std::optional<Secret<kKeySize>> secret_from(std::string_view text) noexcept {
  Secret<kKeySize> secret;
  if (!Read(text, secret.mut_bytes())) return std::nullopt;
  return secret;
}

template <bool (*Read)(std::string_view, std::span<std::uint8_t, kKeySize>) noexcept>
std::optional<PublicKey> public_key_from(std::string_view text) noexcept {
  PublicKey key;
  if (!Read(text, key.bytes)) return std::nullopt;
  return key;
}

}  // namespace

void key_to_hex(std::span<const std::uint8_t, kKeySize> key,
                std::span<char, kKeyHexSize> text) noexcept {
  for (std::size_t i = 0; i < kKeySize; ++i) {
    text[2 * i] = encode(key[i] >> 4, kHexLower);
    text[2 * i + 1] = encode(key[i] & 15u, kHexLower);
  }
}

bool key_from_hex(std::string_view text, std::span<std::uint8_t, kKeySize> key) noexcept {
  if (text.size() != kKeyHexSize) return refuse(key);
  std::uint32_t all_known = UINT32_MAX;
  for (std::size_t i = 0; i < kKeySize; ++i) {
    std::array<std::uint32_t, 2> digits{};
    for (std::size_t j = 0; j < 2; ++j) {
      std::uint32_t known = 0;
      decode(text[2 * i + j], kHexLower, digits[j], known);
      decode(text[2 * i + j], kHexUpper, digits[j], known);
      all_known &= known;
    }
    key[i] = static_cast<std::uint8_t>(digits[0] << 4 | digits[1]);
  }
  return keep_if(all_known, key);
}

void key_to_base64(std::span<const std::uint8_t, kKeySize> key,
                   std::span<char, kKeyBase64Size> text) noexcept {
  std::uint32_t bits = 0;
  unsigned held = 0;  // bits not written yet; it depends on the position only
  std::size_t out = 0;
  for (const std::uint8_t byte : key) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 6; held -= 6) {
      text[out++] = encode(bits >> (held - 6) & 63u, kBase64);
    }
  }
  text[out++] = encode(bits << (6 - held) & 63u, kBase64);
  text[out] = '=';
}

bool key_from_base64(std::string_view text, std::span<std::uint8_t, kKeySize> key) noexcept {
  if (text.size() != kKeyBase64Size || text.back() != '=') return refuse(key);
  std::uint32_t all_known = UINT32_MAX;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t out = 0;
  for (const char character : text.substr(0, kKeyBase64Size - 1)) {
    std::uint32_t digit = 0;
    std::uint32_t known = 0;
    decode(character, kBase64, digit, known);
    all_known &= known;
    bits = bits << 6 | digit;
    held += 6;
    if (held >= 8) {
      held -= 8;
      key[out++] = static_cast<std::uint8_t>(bits >> held);
    }
  }
  // 43 digits are 258 bits: the last two must be zero, or one key had four texts.
  all_known &= mask_between(bits & 3u, 0, 0);
  return keep_if(all_known, key);
}

std::optional<Secret<kKeySize>> secret_from_hex(std::string_view text) noexcept {
  return secret_from<key_from_hex>(text);
}

std::optional<Secret<kKeySize>> secret_from_base64(std::string_view text) noexcept {
  return secret_from<key_from_base64>(text);
}

std::optional<PublicKey> public_key_from_hex(std::string_view text) noexcept {
  return public_key_from<key_from_hex>(text);
}

std::optional<PublicKey> public_key_from_base64(std::string_view text) noexcept {
  return public_key_from<key_from_base64>(text);
}

std::string to_hex(const PublicKey& key) {
  std::array<char, kKeyHexSize> text;
  key_to_hex(key.bytes, text);
  return std::string(text.data(), text.size());
}

std::string to_base64(const PublicKey& key) {
  std::array<char, kKeyBase64Size> text;
  key_to_base64(key.bytes, text);
  return std::string(text.data(), text.size());
}

}  // namespace ferrule
