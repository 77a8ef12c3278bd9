#include "control/place_text.h"

#include <algorithm>

namespace ferrule::control {

namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view without_blanks(std::string_view text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

}  // namespace

std::optional<LocalAddresses> parse_bind(std::string_view text) noexcept {
  LocalAddresses addresses;
  if (text.empty()) return addresses;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    more = comma != text.npos;
    std::optional<IpAddress> parsed = IpAddress::parse(without_blanks(text.substr(0, comma)));
    if (!parsed) return std::nullopt;
    const IpAddress address = parsed->unmapped();
    // All addresses, in other words: whoever writes that here means something else.
    if (std::ranges::all_of(address.bytes(), [](auto byte) { return byte == 0; })) {
      return std::nullopt;
    }
    IpAddress& place = address.family() == Family::v4 ? addresses.v4 : addresses.v6;
    if (place.family() != Family::none) return std::nullopt;
    place = address;
    if (more) text.remove_prefix(comma + 1);
  }
  return addresses;
}

std::string bind_text(const LocalAddresses& addresses) {
  const std::string v4 = addresses.v4.to_string();
  const std::string v6 = addresses.v6.to_string();
  return v4 + (v4.empty() || v6.empty() ? "" : ",") + v6;
}

bool is_link_name(std::string_view name) noexcept {
  constexpr std::size_t kLongest = 15;
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         std::ranges::all_of(name,
                             [](char c) { return c > ' ' && c <= '~' && c != '/' && c != ':'; });
}

}  // namespace ferrule::control
