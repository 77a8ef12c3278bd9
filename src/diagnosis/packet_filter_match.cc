#include <algorithm>
#include <string>

#include "diagnosis/packet_filter.h"

namespace ferrule::diagnosis {

namespace {

using Json = nlohmann::json;

constexpr Match of(bool holds) noexcept { return holds ? Match::yes : Match::no; }
constexpr Match inverse(Match match) noexcept {
  return match == Match::maybe ? match : of(match == Match::no);
}

// What a left side stands for in this packet.
struct Value {
  enum class Kind : std::uint8_t { unknown, absent, text, number, address } kind = Kind::unknown;
  std::string text = {};
  std::uint64_t number = 0;
  IpAddress address = {};
};
Value unknown() { return {}; }
Value absent() { return {Value::Kind::absent}; }
Value number(std::uint64_t value) { return {Value::Kind::number, {}, value}; }
Value port(std::uint16_t value) { return value == 0 ? unknown() : number(value); }
Value text_of(const std::string& value) {
  return value.empty() ? unknown() : Value{Value::Kind::text, value};
}
Value address(const IpAddress& value) {
  return value.family() == Family::none ? unknown() : Value{Value::Kind::address, {}, 0, value};
}

std::string member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Value protocol_of(const FilterPacket& packet) {
  if (packet.is_udp) return text_of("udp");
  return text_of(packet.family == Family::v4 ? "icmp" : "ipv6-icmp");
}

Value meta_of(const std::string& key, const FilterPacket& packet) {
  const bool is_leaving = packet.hook == Hook::output || packet.hook == Hook::postrouting;
  if (key == "iifname" || key == "iif")
    return packet.in.empty() && is_leaving ? absent() : text_of(packet.in);
  if (key == "oifname" || key == "oif")
    return packet.out.empty() && packet.hook == Hook::input ? absent() : text_of(packet.out);
  if (key == "l4proto") return protocol_of(packet);
  if (key == "nfproto") return text_of(packet.family == Family::v4 ? "ipv4" : "ipv6");
  if (key == "protocol") return text_of(packet.family == Family::v4 ? "ip" : "ip6");
  if (key == "mark") return packet.mark ? number(*packet.mark) : unknown();
  return unknown();
}

Value payload_of(const Json& payload, const FilterPacket& packet) {
  const std::string protocol = member(payload, "protocol");
  const std::string field = member(payload, "field");
  if (protocol == "ip" || protocol == "ip6") {
    if ((protocol == "ip") != (packet.family == Family::v4)) return absent();
    if (field == "saddr") return address(packet.source);
    if (field == "daddr") return address(packet.destination);
    return field == "protocol" || field == "nexthdr" ? protocol_of(packet) : unknown();
  }
  if (protocol == "udp" || protocol == "th") {
    if (!packet.is_udp) return absent();
    if (field == "sport") return port(packet.source_port);
    return field == "dport" ? port(packet.destination_port) : unknown();
  }
  if (protocol == "icmp" || protocol == "icmpv6") {
    const bool is_own = !packet.is_udp && (protocol == "icmp") == (packet.family == Family::v4);
    return is_own ? unknown() : absent();
  }
  return protocol.empty() || protocol == "ether" ? unknown() : absent();  // tcp, sctp, ...
}

Value value_of(const Json& left, const FilterPacket& packet) {
  if (!left.is_object()) return unknown();
  if (const auto meta = left.find("meta"); meta != left.end())
    return meta_of(member(*meta, "key"), packet);
  if (const auto payload = left.find("payload"); payload != left.end())
    return payload_of(*payload, packet);
  if (const auto ct = left.find("ct"); ct != left.end())
    return member(*ct, "key") == "state" ? text_of(packet.state) : unknown();
  return unknown();
}

std::optional<std::uint64_t> number_in(const Json& json) {
  if (json.is_number_unsigned()) return json.get<std::uint64_t>();
  return std::nullopt;
}

// "17", "udp" and 17 are one; a name that ends with a star is the beginning of one.
Match compare_text(const std::string& text, const Json& right) {
  if (right.is_number_unsigned()) {
    const auto code = right.get<std::uint64_t>();
    if (text == "udp") return of(code == 17);
    if (text == "icmp") return of(code == 1);
    if (text == "ipv6-icmp") return of(code == 58);
    return Match::maybe;
  }
  if (!right.is_string()) return Match::maybe;
  const auto pattern = right.get<std::string>();
  if (pattern.starts_with('@')) return Match::maybe;
  if (pattern.ends_with('*')) return of(text.starts_with(pattern.substr(0, pattern.size() - 1)));
  return of(text == pattern || (text == "ipv6-icmp" && pattern == "icmpv6"));
}

Match compare_number(std::uint64_t value, const Json& right) {
  const auto other = number_in(right);
  return other ? of(value == *other) : Match::maybe;
}

Match compare_address(const IpAddress& value, const Json& right) {
  if (!right.is_string()) return Match::maybe;
  const auto other = IpAddress::parse(right.get<std::string>());
  return other ? of(value == *other) : Match::maybe;
}

Match compare_prefix(const Value& value, const Json& prefix) {
  const auto length = number_in(prefix.value("len", Json()));
  const auto base = IpAddress::parse(member(prefix, "addr"));
  if (value.kind != Value::Kind::address || !base || !length || *length > base->bits()) {
    return Match::maybe;
  }
  return of(Cidr(*base, static_cast<unsigned>(*length)).contains(value.address));
}

Match compare_range(const Value& value, const Json& range) {
  if (!range.is_array() || range.size() != 2) return Match::maybe;
  if (value.kind == Value::Kind::number) {
    const auto low = number_in(range[0]);
    const auto high = number_in(range[1]);
    return low && high ? of(*low <= value.number && value.number <= *high) : Match::maybe;
  }
  if (value.kind != Value::Kind::address || !range[0].is_string() || !range[1].is_string()) {
    return Match::maybe;
  }
  const auto low = IpAddress::parse(range[0].get<std::string>());
  const auto high = IpAddress::parse(range[1].get<std::string>());
  return low && high ? of(*low <= value.address && value.address <= *high) : Match::maybe;
}

Match compare_value(const Value& value, const Json& right);

// Any of a set's elements.
Match compare_any(const Value& value, const Json& elements) {
  Match best = Match::no;
  for (const Json& element : elements) best = std::max(best, compare_value(value, element));
  return best;
}

Match compare_value(const Value& value, const Json& right) {
  if (value.kind == Value::Kind::unknown) return Match::maybe;
  if (value.kind == Value::Kind::absent) return Match::no;
  if (right.is_array()) return compare_any(value, right);
  if (right.is_object()) {
    if (const auto set = right.find("set"); set != right.end()) {
      return set->is_array() ? compare_any(value, *set) : compare_value(value, *set);
    }
    if (const auto range = right.find("range"); range != right.end())
      return compare_range(value, *range);
    if (const auto prefix = right.find("prefix"); prefix != right.end())
      return compare_prefix(value, *prefix);
    if (const auto element = right.find("elem"); element != right.end())
      return compare_value(value, element->value("val", Json()));
    return Match::maybe;
  }
  switch (value.kind) {
    case Value::Kind::text:
      return compare_text(value.text, right);
    case Value::Kind::number:
      return compare_number(value.number, right);
    case Value::Kind::address:
      return compare_address(value.address, right);
    case Value::Kind::unknown:
    case Value::Kind::absent:
      break;
  }
  return Match::maybe;
}

}  // namespace

Match compare(const Json& left, const Json& right, const FilterPacket& packet) {
  return compare_value(value_of(left, packet), right);
}

Match match_of(const Json& match, const FilterPacket& packet) {
  const auto left = match.find("left");
  const auto right = match.find("right");
  if (left == match.end() || right == match.end()) return Match::maybe;
  const Value value = value_of(*left, packet);
  // A packet without the field matches in neither direction.
  if (value.kind == Value::Kind::absent && left->contains("payload")) return Match::no;
  const std::string op = member(match, "op");
  if (op == "==" || op == "in") return compare_value(value, *right);
  if (op == "!=") return inverse(compare_value(value, *right));
  const auto bound = number_in(*right);
  if (value.kind != Value::Kind::number || !bound) return Match::maybe;
  if (op == "<") return of(value.number < *bound);
  if (op == "<=") return of(value.number <= *bound);
  if (op == ">") return of(value.number > *bound);
  return op == ">=" ? of(value.number >= *bound) : Match::maybe;
}

}  // namespace ferrule::diagnosis
