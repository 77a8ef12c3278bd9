#include "diagnosis/old_iptables_match.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/net.h"

namespace ferrule::diagnosis {

namespace {

using Json = nlohmann::json;
using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kWgQuick = "wg-quick(8) rule";

void add_match(Json& expressions, Json left, Json right, bool is_inverse) {
  expressions.push_back({{"match",
                          {{"op", is_inverse ? "!=" : "=="},
                           {"left", std::move(left)},
                           {"right", std::move(right)}}}});
}
Json meta(const char* key) { return {{"meta", {{"key", key}}}}; }
Json payload(const char* protocol, const char* field) {
  return {{"payload", {{"protocol", protocol}, {"field", field}}}};
}
Json ports(unsigned low, unsigned high) {
  return low == high ? Json(low) : Json{{"range", {low, high}}};
}
void add_unknown(Json& expressions, std::string_view name) {
  expressions.push_back({{"xt", std::string(name)}});
}

// How many bits a mask has; none when it is no prefix.
std::optional<unsigned> length_of(Bytes mask) {
  unsigned length = 0;
  bool is_over = false;
  for (const std::uint8_t byte : mask) {
    const auto ones = static_cast<unsigned>(std::countl_one(byte));
    if ((is_over && byte != 0) || (byte << ones & 0xFF) != 0) return std::nullopt;
    is_over = is_over || ones < 8;
    length += ones;
  }
  return length;
}

void add_address(Json& expressions, const char* field, const IpAddress& address, Bytes mask,
                 bool is_inverse) {
  const auto length = length_of(mask);
  if (length == 0u && !is_inverse) return;
  if (!length) return add_unknown(expressions, field);
  const char* protocol = address.family() == Family::v4 ? "ip" : "ip6";
  add_match(expressions, payload(protocol, field),
            {{"prefix", {{"addr", address.to_string()}, {"len", *length}}}}, is_inverse);
}

// The mask covers what counts of the name, and its end where nothing may follow.
void add_interface(Json& expressions, const char* key, const char* name, const unsigned char* mask,
                   bool is_inverse) {
  const std::size_t length = strnlen(name, IFNAMSIZ);
  std::size_t covered = 0;
  while (covered < IFNAMSIZ && mask[covered] != 0) ++covered;
  if (length == 0 || covered == 0) return;
  std::string text(name, std::min(length, covered));
  if (covered <= length) text += '*';
  add_match(expressions, meta(key), std::move(text), is_inverse);
}

void add_protocol(Json& expressions, std::uint16_t protocol, bool is_inverse) {
  if (protocol == 0) return;
  const bool is_udp = protocol == IPPROTO_UDP;
  add_match(expressions, meta("l4proto"), is_udp ? Json("udp") : Json(protocol), is_inverse);
}

// Both families' entries name their parts alike.
template <class Head>
void add_head(const Head& head, const IpAddress& from, const IpAddress& to, Json& expressions) {
  const auto bytes = [](const auto& mask) {
    return Bytes(reinterpret_cast<const std::uint8_t*>(&mask), sizeof mask);
  };
  add_address(expressions, "saddr", from, bytes(head.smsk), (head.invflags & IPT_INV_SRCIP) != 0);
  add_address(expressions, "daddr", to, bytes(head.dmsk), (head.invflags & IPT_INV_DSTIP) != 0);
  add_interface(expressions, "iifname", head.iniface, head.iniface_mask,
                (head.invflags & IPT_INV_VIA_IN) != 0);
  add_interface(expressions, "oifname", head.outiface, head.outiface_mask,
                (head.invflags & IPT_INV_VIA_OUT) != 0);
  add_protocol(expressions, head.proto, (head.invflags & XT_INV_PROTO) != 0);
}

template <class T>
std::optional<T> read(Bytes data) {
  if (data.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, data.data(), sizeof value);
  return value;
}

bool add_udp(Bytes data, Json& expressions) {
  const auto udp = read<xt_udp>(data);
  if (!udp) return false;
  const auto add = [&](const char* field, const auto& range, bool is_inverse) {
    if (range[0] == 0 && range[1] == 0xFFFF && !is_inverse) return;
    add_match(expressions, payload("udp", field), ports(range[0], range[1]), is_inverse);
  };
  add("sport", udp->spts, (udp->invflags & XT_UDP_INV_SRCPT) != 0);
  add("dport", udp->dpts, (udp->invflags & XT_UDP_INV_DSTPT) != 0);
  return true;
}

bool add_multiport(Bytes data, std::uint8_t revision, Json& expressions) {
  const auto list = read<xt_multiport_v1>(data);
  if (!list || revision != 1 || list->flags == XT_MULTIPORT_EITHER ||
      list->count > XT_MULTI_PORTS) {
    return false;
  }
  Json set = Json::array();
  for (unsigned i = 0; i < list->count; ++i) {
    const unsigned first = list->ports[i];
    if (list->pflags[i] != 0 && i + 1 < list->count) ++i;  // a range, which ends with the next one
    set.push_back(ports(first, list->ports[i]));
  }
  add_match(expressions, payload("udp", list->flags == XT_MULTIPORT_SOURCE ? "sport" : "dport"),
            {{"set", std::move(set)}}, list->invert != 0);
  return true;
}

void add_states(unsigned mask, bool is_inverse, Json& expressions) {
  Json states = Json::array();
  const auto add = [&](unsigned bit, const char* name) {
    if ((mask & bit) != 0) states.push_back(name);
  };
  add(XT_CONNTRACK_STATE_INVALID, "invalid");
  add(XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED), "established");
  add(XT_CONNTRACK_STATE_BIT(IP_CT_RELATED), "related");
  add(XT_CONNTRACK_STATE_BIT(IP_CT_NEW), "new");
  add_match(expressions, {{"ct", {{"key", "state"}}}}, std::move(states), is_inverse);
}

bool add_conntrack(Bytes data, std::uint8_t revision, Json& expressions) {
  const auto tracked = read<xt_conntrack_mtinfo3>(data);
  constexpr unsigned kState = XT_CONNTRACK_STATE | XT_CONNTRACK_STATE_ALIAS;
  if (!tracked || revision != 3 || (tracked->match_flags & ~kState) != 0) return false;
  add_states(tracked->state_mask, (tracked->invert_flags & XT_CONNTRACK_STATE) != 0, expressions);
  return true;
}

bool add_mark(Bytes data, Json& expressions) {
  const auto mark = read<xt_mark_mtinfo1>(data);
  if (!mark || mark->mask != 0xFFFFFFFF) return false;
  add_match(expressions, meta("mark"), mark->mark, mark->invert != 0);
  return true;
}

// Whether this match is one that is known, and has been added.
bool add_known(std::string_view name, std::uint8_t revision, Bytes data, Json& expressions) {
  if (name == "udp") return add_udp(data, expressions);
  if (name == "multiport") return add_multiport(data, revision, expressions);
  if (name == "conntrack") return add_conntrack(data, revision, expressions);
  if (name == "mark" && revision == 1) return add_mark(data, expressions);
  if (const auto state = read<xt_state_info>(data); name == "state" && state) {
    add_states(state->statemask, false, expressions);
    return true;
  }
  return name == "comment";
}

}  // namespace

bool add_head_matches(const ipt_entry& entry, Json& expressions) {
  const auto address = [](const in_addr& from) {
    return IpAddress::v4(
        std::span<const std::uint8_t, 4>(reinterpret_cast<const std::uint8_t*>(&from.s_addr), 4));
  };
  add_head(entry.ip, address(entry.ip.src), address(entry.ip.dst), expressions);
  if ((entry.ip.flags & IPT_F_FRAG) != 0) add_unknown(expressions, "frag");
  return (entry.ip.flags & IPT_F_GOTO) != 0;
}

bool add_head_matches(const ip6t_entry& entry, Json& expressions) {
  const auto address = [](const in6_addr& from) {
    return IpAddress::v6(std::span<const std::uint8_t, 16>(from.s6_addr, 16));
  };
  add_head(entry.ipv6, address(entry.ipv6.src), address(entry.ipv6.dst), expressions);
  return (entry.ipv6.flags & IP6T_F_GOTO) != 0;
}

bool add_matches(Bytes matches, Json& expressions) {
  bool is_wg_quick = false;
  xt_entry_match head;
  while (matches.size() >= sizeof head) {
    std::memcpy(&head, matches.data(), sizeof head);
    const std::size_t size = head.u.match_size;
    if (size < sizeof head || size > matches.size()) break;
    const std::string name(head.u.user.name, strnlen(head.u.user.name, sizeof head.u.user.name));
    const Bytes data = matches.subspan(sizeof head, size - sizeof head);
    if (!add_known(name, head.u.user.revision, data, expressions)) add_unknown(expressions, name);
    if (name == "comment") {
      const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
      is_wg_quick = is_wg_quick || text.starts_with(kWgQuick);
    }
    matches = matches.subspan(size);
  }
  return is_wg_quick;
}

}  // namespace ferrule::diagnosis
