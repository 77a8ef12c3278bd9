// Values as they come from a command line: what is accepted can be written and read again, numbers
// and keys are what a simple reader makes of them, and whatever is refused is refused quietly.
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/key_text.h"
#include "base/net.h"
#include "control/endpoint_text.h"
#include "control/hidden_keys.h"
#include "control/named_peers.h"
#include "control/near_miss.h"
#include "control/values.h"

namespace ferrule {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kHex = "0123456789abcdef";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

bool all_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == text.npos;
}

void check_hex(std::string_view text) {
  const auto key = public_key_from_hex(text);
  FERRULE_CHECK(key.has_value() == (text.size() == kKeyHexSize && all_of(lower(text), kHex)));
  if (key) FERRULE_CHECK(to_hex(*key) == lower(text));
  FERRULE_CHECK(secret_from_hex(text).has_value() == key.has_value());
}

void check_base64(std::string_view text) {
  const auto key = public_key_from_base64(text);
  // The last digit carries four bits of the key: the two below them are zero.
  const bool is_key = text.size() == kKeyBase64Size && text.ends_with('=') &&
                      all_of(text.substr(0, 43), kBase64) && kBase64.find(text[42]) % 4 == 0;
  FERRULE_CHECK(key.has_value() == is_key);
  if (key) FERRULE_CHECK(to_base64(*key) == text);
  FERRULE_CHECK(secret_from_base64(text).has_value() == is_key);
}

// What the digits say, as long as it fits.
std::optional<std::uint64_t> naive_number(std::string_view digits, std::uint64_t max) {
  if (digits.empty() || !all_of(digits, "0123456789")) return std::nullopt;
  std::uint64_t value = 0;
  for (char digit : digits) {
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    if (value > max) return std::nullopt;
  }
  return value;
}

template <class T>
void check_number(std::string_view text) {
  const auto number = control::parse_decimal<T>(text);
  const auto expected = naive_number(text, std::numeric_limits<T>::max());
  FERRULE_CHECK(number.has_value() == expected.has_value());
  if (number) FERRULE_CHECK(*number == *expected);
}

void check_numbers(std::string_view text) {
  check_number<std::uint16_t>(text);
  check_number<std::uint32_t>(text);
  const bool off = lower(text) == "off";
  const auto keepalive = control::parse_keepalive(text);
  FERRULE_CHECK(keepalive.has_value() == (off || naive_number(text, UINT16_MAX)));
  const auto mark = control::parse_fwmark(text);
  if (text.starts_with("0x")) {
    const std::string_view digits = text.substr(2);
    const bool fits = digits.find_first_not_of('0') == digits.npos
                          ? !digits.empty()
                          : digits.size() - digits.find_first_not_of('0') <= 8;
    FERRULE_CHECK(mark.has_value() == (fits && all_of(lower(digits), kHex)));
  } else {
    FERRULE_CHECK(mark.has_value() == (off || naive_number(text, UINT32_MAX)));
  }
}

std::uint32_t scope_of(const char* name) { return std::string_view(name) == "wg0" ? 7 : 0; }
std::string name_of(std::uint32_t index) { return index == 7 ? "wg0" : ""; }

void check_addresses(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) {
    FERRULE_CHECK(IpAddress::parse(address->to_string()) == address);
  }
  if (const auto cidr = Cidr::parse(text)) {
    FERRULE_CHECK(Cidr::parse(cidr->to_string()) == cidr);
    FERRULE_CHECK(cidr->contains(cidr->address()));
    const auto whole = control::parse_interface_address(text);
    FERRULE_CHECK(whole && cidr->contains(whole->address));
    FERRULE_CHECK(Cidr(whole->address, whole->prefix_length) == *cidr);
  }
  if (const auto endpoint = Endpoint::parse(text)) {
    FERRULE_CHECK(Endpoint::parse(endpoint->to_string()) == endpoint);
  }
  if (const auto endpoint = control::parse_endpoint(text, scope_of)) {
    FERRULE_CHECK(control::parse_endpoint(control::endpoint_text(*endpoint, name_of), scope_of) ==
                  endpoint);
    FERRULE_CHECK(control::parse_host_port(text).has_value());
  }
}

void check_composed(std::string_view text) {
  if (const auto place = control::parse_host_port(text)) {
    const bool bracketed = text.starts_with('[');
    FERRULE_CHECK((bracketed ? '[' + place->host + ']' : place->host) + ':' + place->service ==
                  text);
  }
  if (const auto ip = control::parse_allowed_ip(text)) {
    FERRULE_CHECK(ip->incremental == (text.starts_with('-') || text.starts_with('+')));
    FERRULE_CHECK(ip->change.remove == text.starts_with('-'));
    const auto plain = Cidr::parse(text.substr(ip->incremental ? 1 : 0));
    FERRULE_CHECK(plain == ip->change.cidr);
  }
}

void check_dates(std::string_view text) {
  const control::Date today{std::chrono::days(20'000)};
  const auto date = control::parse_date(text);
  if (date) FERRULE_CHECK(control::date_text(*date) == text);
  const auto expiry = control::parse_expiry(text, today);
  FERRULE_CHECK(!date || expiry == date);
  if (expiry) FERRULE_CHECK(control::parse_date(control::date_text(*expiry)) == expiry);
}

void check_messages(std::string_view text) {
  constexpr std::array<std::string_view, 3> kWords{"AllowedIPs", "Endpoint", "MTU"};
  (void)control::nearest(text, kWords);
  const std::string shown = control::without_keys(text);
  FERRULE_CHECK(shown.empty() || shown.size() == text.size());
  std::size_t run = 0;  // of what could be part of a key
  for (char c : shown) {
    run = kBase64.find(c) != kBase64.npos || c == '=' ? run + 1 : 0;
    FERRULE_CHECK(run < 20);
  }
}

}  // namespace
}  // namespace ferrule

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ferrule::check_hex(text);
  ferrule::check_base64(text);
  ferrule::check_numbers(text);
  ferrule::check_addresses(text);
  ferrule::check_composed(text);
  ferrule::check_dates(text);
  ferrule::check_messages(text);
  return 0;
}
