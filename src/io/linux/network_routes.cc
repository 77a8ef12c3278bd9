#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "io/linux/network.h"
#include "io/linux/route_attributes.h"

namespace ferrule::io {
namespace {

constexpr std::uint32_t kTablesOfOneByte = 256;
constexpr std::uint32_t kUsualPriorityV6 = 1024;

struct FoundRoute {
  LinkRoute route;
  std::uint32_t mtu_bytes = 0;  // 0: the route does not say
  std::uint32_t priority = 0;
};

std::uint32_t mtu_in(const nlattr& metrics) {
  std::uint32_t mtu = 0;
  for_each_nested(metrics, [&](const nlattr& attribute) {
    if (type_of(attribute) == RTAX_MTU) mtu = u32_of(attribute);
  });
  return mtu;
}

IpAddress any_address(unsigned char family) {
  static constexpr std::array<std::uint8_t, 16> kZeros{};
  if (family == AF_INET) return IpAddress::v4(std::span(kZeros).first<4>());
  return IpAddress::v6(kZeros);
}

std::optional<FoundRoute> read_route(const nlmsghdr& message) {
  const auto* header = extra_of<rtmsg>(message);
  if (header == nullptr || header->rtm_type != RTN_UNICAST) return std::nullopt;
  if ((header->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;  // what the kernel remembers
  FoundRoute found;
  found.route.table = header->rtm_table;
  found.route.is_kernels = header->rtm_protocol == RTPROT_KERNEL;
  IpAddress destination = any_address(header->rtm_family);
  for_each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
    switch (type_of(attribute)) {
      case RTA_DST:
        destination = address_of(attribute);
        break;
      case RTA_TABLE:
        found.route.table = u32_of(attribute);
        break;
      case RTA_OIF:
        found.route.interface_index = u32_of(attribute);
        break;
      case RTA_METRICS:
        found.mtu_bytes = mtu_in(attribute);
        break;
      case RTA_PRIORITY:
        found.priority = u32_of(attribute);
        break;
      default:
        break;
    }
  });
  if (found.route.interface_index == 0 || header->rtm_dst_len > destination.bits()) {
    return std::nullopt;
  }
  found.route.destination = Cidr(destination, header->rtm_dst_len);
  return found;
}

}  // namespace

Result<std::vector<LinkRoute>> Network::list_routes(Family family,
                                                    std::optional<std::uint32_t> priority) {
  NetlinkRequest request(RTM_GETROUTE, 0);
  request.extra<rtmsg>().rtm_family = family == Family::v4 ? AF_INET : AF_INET6;
  std::vector<LinkRoute> routes;
  const auto read = [&](const nlmsghdr& message) {
    const auto found = read_route(message);
    if (found && (!priority || found->priority == *priority)) routes.push_back(found->route);
  };
  if (auto listed = socket_.list(*request.header, "list routes", read); !listed) {
    return std::unexpected(std::move(listed.error()));
  }
  return routes;
}

Result<std::vector<LinkRoute>> Network::routes(Family family) { return list_routes(family, {}); }

// A route is another one by its destination and priority, which for IPv6 is 1024 where nobody says.
Result<std::vector<LinkRoute>> Network::exclusive_routes(Family family) {
  return list_routes(family, family == Family::v4 ? 0 : kUsualPriorityV6);
}

Result<bool> Network::has_routes(std::uint32_t table) {
  bool found = false;
  const auto read = [&](const nlmsghdr& message) {
    const auto* header = extra_of<rtmsg>(message);
    if (header == nullptr) return;
    std::uint32_t of = header->rtm_table;
    for_each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
      if (type_of(attribute) == RTA_TABLE) of = u32_of(attribute);
    });
    found = found || of == table;
  };
  for (const std::uint8_t family : kFamilies) {
    NetlinkRequest request(RTM_GETROUTE, 0);
    request.extra<rtmsg>().rtm_family = family;
    if (auto listed = socket_.list(*request.header, "list routes", read); !listed) {
      return std::unexpected(std::move(listed.error()));
    }
  }
  return found;
}

Result<void> Network::change_route(std::uint16_t type, std::uint16_t flags,
                                   const LinkRoute& route) {
  NetlinkRequest request(type, flags);
  auto& header = request.extra<rtmsg>();
  const IpAddress& address = route.destination.address();
  header.rtm_family = family_of(address);
  header.rtm_dst_len = static_cast<std::uint8_t>(route.destination.length());
  header.rtm_table = route.table < kTablesOfOneByte ? static_cast<std::uint8_t>(route.table)
                                                    : std::uint8_t{RT_TABLE_UNSPEC};
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_scope = address.family() == Family::v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  put_bytes(request, RTA_DST, address.bytes());
  request.put_u32(RTA_TABLE, route.table);
  request.put_u32(RTA_OIF, route.interface_index);
  const std::string verb = type == RTM_NEWROUTE ? "add route " : "delete route ";
  return change(request, verb + route.destination.to_string());
}

Result<void> Network::add_route(const LinkRoute& route) {
  return change_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
}

Result<void> Network::delete_route(const LinkRoute& route) {
  return change_route(RTM_DELROUTE, 0, route);
}

namespace {

constexpr std::uint32_t kMainRulePriority = 32766;  // of the kernel's own rule for the main table

std::optional<RoutingRule> read_rule(Family family, const nlmsghdr& message) {
  const auto* header = extra_of<fib_rule_hdr>(message);
  if (header == nullptr || header->action != FR_ACT_TO_TBL) return std::nullopt;
  bool chooses_by_more = header->src_len != 0 || header->dst_len != 0 || header->tos != 0;
  const bool is_inverted = (header->flags & FIB_RULE_INVERT) != 0;
  // The kernel does not tell a priority of 0.
  RoutingRule rule{family, {}, is_inverted, header->table, {}, 0};
  for_each_attribute(message, sizeof(fib_rule_hdr), [&](const nlattr& attribute) {
    switch (type_of(attribute)) {
      case FRA_FWMARK:
        rule.mark = u32_of(attribute);
        break;
      case FRA_TABLE:
        rule.table = u32_of(attribute);
        break;
      case FRA_PRIORITY:
        rule.priority = u32_of(attribute);
        break;
      // All ones where the rule has none.
      case FRA_SUPPRESS_PREFIXLEN:
        if (u32_of(attribute) != ~0u) rule.suppressed_prefix_length = u32_of(attribute);
        break;
      case FRA_IIFNAME:
      case FRA_OIFNAME:
        chooses_by_more = true;
        break;
      default:
        break;
    }
  });
  if (chooses_by_more) return std::nullopt;
  return rule;
}

}  // namespace

Result<std::vector<RoutingRule>> Network::rules(Family family) {
  NetlinkRequest request(RTM_GETRULE, 0);
  request.extra<fib_rule_hdr>().family = family == Family::v4 ? AF_INET : AF_INET6;
  std::vector<RoutingRule> rules;
  const auto read = [&](const nlmsghdr& message) {
    if (const auto rule = read_rule(family, message)) rules.push_back(*rule);
  };
  if (auto listed = socket_.list(*request.header, "list rules", read); !listed) {
    return std::unexpected(std::move(listed.error()));
  }
  return rules;
}

Result<std::uint32_t> Network::first_rule_priority(Family family,
                                                   const std::vector<std::uint32_t>& passed_over) {
  NetlinkRequest request(RTM_GETRULE, 0);
  request.extra<fib_rule_hdr>().family = family == Family::v4 ? AF_INET : AF_INET6;
  std::uint32_t first = kMainRulePriority;
  const auto read = [&](const nlmsghdr& message) {
    for_each_attribute(message, sizeof(fib_rule_hdr), [&](const nlattr& attribute) {
      if (type_of(attribute) != FRA_PRIORITY || u32_of(attribute) == 0) return;
      if (std::ranges::find(passed_over, u32_of(attribute)) != passed_over.end()) return;
      first = std::min(first, u32_of(attribute));
    });
  };
  if (auto listed = socket_.list(*request.header, "list rules", read); !listed) {
    return std::unexpected(std::move(listed.error()));
  }
  return first;
}

Result<void> Network::change_rule(std::uint16_t type, std::uint16_t flags,
                                  const RoutingRule& rule) {
  NetlinkRequest request(type, flags);
  auto& header = request.extra<fib_rule_hdr>();
  header.family = rule.family == Family::v4 ? AF_INET : AF_INET6;
  header.table = rule.table < kTablesOfOneByte ? static_cast<std::uint8_t>(rule.table)
                                               : std::uint8_t{RT_TABLE_UNSPEC};
  header.action = FR_ACT_TO_TBL;
  if (rule.is_inverted) header.flags = FIB_RULE_INVERT;
  request.put_u32(FRA_TABLE, rule.table);
  if (rule.priority) request.put_u32(FRA_PRIORITY, *rule.priority);
  if (rule.mark) request.put_u32(FRA_FWMARK, *rule.mark);
  if (rule.suppressed_prefix_length) {
    request.put_u32(FRA_SUPPRESS_PREFIXLEN, *rule.suppressed_prefix_length);
  }
  return change(request, type == RTM_NEWRULE ? "add routing rule" : "delete routing rule");
}

Result<void> Network::add_rule(const RoutingRule& rule) {
  return change_rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

Result<void> Network::delete_rule(const RoutingRule& rule) {
  return change_rule(RTM_DELRULE, 0, rule);
}

Result<Network::Path> Network::path(const Endpoint& destination, std::uint32_t mark) {
  const std::string attempted = "find the route to " + destination.address.to_string();
  if (destination.is_none()) return std::unexpected(system_error(EDESTADDRREQ, attempted));
  NetlinkRequest request(RTM_GETROUTE, 0);
  auto& header = request.extra<rtmsg>();
  header.rtm_family = family_of(destination.address);
  header.rtm_dst_len = static_cast<std::uint8_t>(destination.address.bits());
  put_bytes(request, RTA_DST, destination.address.bytes());
  if (mark != 0) request.put_u32(RTA_MARK, mark);
  if (destination.scope_id != 0) {
    request.put_u32(RTA_OIF, destination.scope_id);
  }
  const auto answer = socket_.request(*request.header, attempted);
  if (!answer) return std::unexpected(answer.error());
  Path path;
  for_each_attribute(**answer, sizeof(rtmsg), [&](const nlattr& attribute) {
    if (type_of(attribute) == RTA_OIF) path.interface_index = u32_of(attribute);
    if (type_of(attribute) == RTA_METRICS) path.mtu_bytes = mtu_in(attribute);
  });
  if (path.interface_index == 0) return std::unexpected(system_error(ENETUNREACH, attempted));
  if (path.mtu_bytes != 0) return path;
  const auto mtu = link_mtu(path.interface_index);
  if (!mtu) return std::unexpected(mtu.error());
  path.mtu_bytes = *mtu;
  return path;
}

Result<Network::Path> Network::default_path() {
  NetlinkRequest request(RTM_GETROUTE, 0);
  request.extra<rtmsg>().rtm_family = AF_INET;
  std::optional<Path> path;
  const auto read = [&](const nlmsghdr& message) {
    const auto found = read_route(message);
    if (path || !found || found->route.table != RT_TABLE_MAIN) return;
    if (found->route.destination.length() != 0) return;
    path = Path{found->route.interface_index, found->mtu_bytes};
  };
  if (auto listed = socket_.list(*request.header, "list routes", read); !listed) {
    return std::unexpected(std::move(listed.error()));
  }
  if (!path) return std::unexpected(system_error(ENETUNREACH, "find a default route"));
  if (path->mtu_bytes != 0) return *path;
  const auto mtu = link_mtu(path->interface_index);
  if (!mtu) return std::unexpected(mtu.error());
  path->mtu_bytes = *mtu;
  return *path;
}

}  // namespace ferrule::io
