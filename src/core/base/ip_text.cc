#include "base/ip_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"

namespace ferrule {

namespace {

constexpr std::size_t kGroups = 8;
constexpr std::size_t kGroupDigits = 4;
constexpr std::size_t kOctetDigits = 3;

// The number at the start of `text`, of at most `most` digits, which are taken off. False where there is none.
bool take_number(std::string_view& text, int base, std::size_t most, unsigned& out) noexcept {
  const std::string_view digits = text.substr(0, most);
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - digits.data()));
  return true;
}

bool take(std::string_view& text, std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

struct Run {
  std::size_t begin = 0;
  std::size_t size = 0;
};

// The first of the longest runs of zeros.
Run longest_run(std::span<const std::uint16_t, kGroups> groups) noexcept {
  Run best;
  for (std::size_t begin = 0; begin < kGroups; ++begin) {
    std::size_t end = begin;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - begin > best.size) best = {begin, end - begin};
  }
  return best.size >= 2 ? best : Run{};
}

void append_number(std::string& text, unsigned number, int base) {
  std::array<char, 8> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  text.append(digits.data(), end);
}

}  // namespace

bool parse_ipv4(std::string_view text, std::span<std::uint8_t, 4> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i != 0 && !take(text, ".")) return false;
    const bool leading_zero = text.starts_with('0');
    const std::size_t before = text.size();
    unsigned octet = 0;
    if (!take_number(text, 10, kOctetDigits, octet) || octet > UINT8_MAX) return false;
    if (leading_zero && before - text.size() > 1) return false;
    out[i] = static_cast<std::uint8_t>(octet);
  }
  return text.empty();
}

bool parse_ipv6(std::string_view text, std::span<std::uint8_t, 16> out) noexcept {
  std::size_t size = 0;            // bytes before and, where there is a gap, behind it
  std::optional<std::size_t> gap;  // where "::" stands
  std::ranges::fill(out, std::uint8_t{0});
  if (take(text, "::")) gap = 0;
  while (!text.empty()) {
    if (size == out.size()) return false;
    if (size + 4 <= out.size() && parse_ipv4(text, out.subspan(size).first<4>())) {
      size += 4;
      break;
    }
    unsigned group = 0;
    if (!take_number(text, 16, kGroupDigits, group)) return false;
    store_be16(&out[size], static_cast<std::uint16_t>(group));
    size += 2;
    if (text.empty()) break;
    if (!gap && take(text, "::")) {
      gap = size;
    } else if (!take(text, ":") || text.empty()) {
      return false;
    }
  }
  if (!gap) return size == out.size();
  if (size == out.size()) return false;  // it stands for one group at least
  std::copy_backward(out.begin() + static_cast<std::ptrdiff_t>(*gap),
                     out.begin() + static_cast<std::ptrdiff_t>(size), out.end());
  std::ranges::fill(out.subspan(*gap, out.size() - size), std::uint8_t{0});
  return true;
}

std::string ipv4_text(std::span<const std::uint8_t, 4> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (!text.empty()) text += '.';
    append_number(text, byte, 10);
  }
  return text;
}

std::string ipv6_text(std::span<const std::uint8_t, 16> bytes) {
  std::array<std::uint16_t, kGroups> groups;
  for (std::size_t i = 0; i < kGroups; ++i) groups[i] = load_be16(&bytes[2 * i]);
  const Run zeros = longest_run(groups);
  const bool holds_v4 =
      zeros.begin == 0 && (zeros.size == 6 || (zeros.size == 5 && groups[5] == 0xffff));
  const std::size_t end = holds_v4 ? kGroups - 2 : kGroups;
  std::string text;
  for (std::size_t i = 0; i < end; ++i) {
    if (zeros.size != 0 && i == zeros.begin) {
      text += "::";
      i += zeros.size - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    append_number(text, groups[i], 16);
  }
  if (!holds_v4) return text;
  if (text.back() != ':') text += ':';
  return text + ipv4_text(bytes.last<4>());
}

}  // namespace ferrule
