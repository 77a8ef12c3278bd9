#include "proxy/settings.h"

#include <algorithm>

#include "control/values.h"

namespace ferrule::proxy {

namespace {

// The parts of a text between colons; those in brackets stay whole, without the brackets. None: a bracket
// stands where it can't.
std::optional<std::vector<std::string_view>> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    std::size_t end = 0;
    if (text.starts_with('[')) {
      const std::size_t close = text.find(']');
      if (close == text.npos) return std::nullopt;
      parts.push_back(text.substr(1, close - 1));
      end = close + 1;
    } else {
      end = std::min(text.find(':'), text.size());
      parts.push_back(text.substr(0, end));
    }
    if (end == text.size()) return parts;
    if (text[end] != ':') return std::nullopt;
    text.remove_prefix(end + 1);
  }
}

std::optional<ListenAt> make_listen(std::string_view address, std::string_view port) {
  const auto number = control::parse_decimal<std::uint16_t>(port);
  if (!number) return std::nullopt;
  if (address.empty() || address == "*") address = "::";
  if (address == "localhost") address = "127.0.0.1";
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return std::nullopt;
  return ListenAt{Endpoint(*parsed, *number)};
}

}  // namespace

bool ListenAt::is_loopback() const noexcept {
  const Bytes bytes = at.address.bytes();
  if (at.address.family() == Family::v4) return bytes[0] == 127;
  return at.address == *IpAddress::parse("::1");
}

std::optional<ListenAt> parse_listen(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  if (parts->size() == 1) return make_listen("127.0.0.1", (*parts)[0]);
  if (parts->size() == 2) return make_listen((*parts)[0], (*parts)[1]);
  return std::nullopt;
}

namespace {

std::optional<Forward> parse_forward(std::string_view text, std::string_view usual_address) {
  Forward forward;
  if (text.ends_with("/udp")) {
    forward.is_udp = true;
    text.remove_suffix(4);
  } else if (text.ends_with("/tcp")) {
    text.remove_suffix(4);
  }
  const auto parts = split(text);
  if (!parts || parts->size() < 3 || parts->size() > 4) return std::nullopt;
  const std::size_t first = parts->size() - 3;
  const auto from =
      first == 1 ? make_listen((*parts)[0], (*parts)[1]) : make_listen(usual_address, (*parts)[0]);
  const auto port = control::parse_decimal<std::uint16_t>((*parts)[first + 2]);
  if (!from || !port || *port == 0) return std::nullopt;
  const auto to = make_target((*parts)[first + 1], *port);
  if (!to) return std::nullopt;
  forward.from = *from;
  forward.to = *to;
  return forward;
}

}  // namespace

std::optional<Forward> parse_local_forward(std::string_view text) {
  return parse_forward(text, "127.0.0.1");
}

std::optional<Forward> parse_remote_forward(std::string_view text) {
  return parse_forward(text, "::");
}

bool ProxySettings::offers_anything() const noexcept {
  return !socks.empty() || !http.empty() || !dns.empty() || !local.empty() || !remote.empty() ||
         stdio.has_value();
}

std::optional<std::string> ProxySettings::open_door() const {
  if (is_insecure) return std::nullopt;
  for (const std::vector<Offer>* offers : {&socks, &http}) {
    for (const Offer& offer : *offers) {
      const bool has_password = !users.empty() || !offer.users.empty();
      if (!offer.at.is_loopback() && !has_password) return offer.at.at.to_string();
    }
  }
  for (const ListenAt& at : dns) {
    if (!at.is_loopback()) return at.at.to_string();
  }
  return std::nullopt;
}

}  // namespace ferrule::proxy
