#include "quick/bind.h"

#include <fmt/format.h>

#include "control/hidden_keys.h"
#include "control/named_peers.h"
#include "control/place_text.h"

namespace ferrule::quick {

std::expected<LocalPlace, std::string> place_of(const control::ConfDocument& document) {
  LocalPlace place;
  if (const auto text = control::interface_note(document, "Bind")) {
    const auto addresses = control::parse_bind(*text);
    if (!addresses || addresses->is_empty()) {
      return std::unexpected(fmt::format("Bind is {}, and not `{}'", control::kBindExpected,
                                         control::without_keys(*text)));
    }
    place.addresses = *addresses;
  }
  if (const auto text = control::interface_note(document, "BindInterface")) {
    if (!control::is_link_name(*text)) {
      return std::unexpected(fmt::format("BindInterface is the name of an interface, and not `{}'",
                                         control::without_keys(*text)));
    }
    place.interface = *text;
  }
  return place;
}

std::string place_text(const LocalPlace& place) {
  if (place.is_anywhere()) return "(all addresses)";
  std::string text = control::bind_text(place.addresses);
  if (!text.empty() && !place.interface.empty()) text += " ";
  if (!place.interface.empty()) text += "by " + place.interface;
  return text;
}

}  // namespace ferrule::quick
