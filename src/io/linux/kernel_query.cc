#include "io/linux/kernel_query.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace ferrule::io {
namespace {

// The value of the attribute of `type` behind an extra header of `offset` bytes.
std::optional<std::uint32_t> u32_of(const nlmsghdr& message, std::size_t offset,
                                    std::uint16_t type) {
  std::optional<std::uint32_t> value;
  for_each_attribute(message, offset, [&](const nlattr& attribute) {
    if (type_of(attribute) != type) return;
    if (const auto number = number_of(attribute)) value = number;
  });
  return value;
}

// An address among the attributes of a route; none where there is none.
IpAddress address_of(const nlmsghdr& message, std::uint16_t type) {
  IpAddress address;
  for_each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
    if (type_of(attribute) != type) return;
    const Bytes bytes = bytes_of(attribute);
    if (bytes.size() == 4) address = IpAddress::v4(bytes.first<4>());
    if (bytes.size() == 16) address = IpAddress::v6(bytes.first<16>());
  });
  return address;
}

std::string link_name_of(const nlmsghdr& message) {
  std::string name;
  for_each_attribute(message, sizeof(ifinfomsg), [&](const nlattr& attribute) {
    if (type_of(attribute) != IFLA_IFNAME) return;
    if (const auto text = text_of(attribute)) name = *text;
  });
  return name;
}

// The MTU among a route's metrics.
std::optional<std::uint32_t> route_mtu_of(const nlmsghdr& message) {
  std::optional<std::uint32_t> mtu;
  for_each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
    if (type_of(attribute) != RTA_METRICS) return;
    for_each_nested(attribute, [&](const nlattr& metric) {
      if (type_of(metric) != RTAX_MTU) return;
      if (const auto number = number_of(metric)) mtu = number;
    });
  });
  return mtu;
}

std::uint8_t family_of(const IpAddress& address) noexcept {
  return address.family() == Family::v4 ? AF_INET : AF_INET6;
}

void start_route_request(NetlinkRequest& request, const IpAddress& destination) noexcept {
  auto& route = request.extra<rtmsg>();
  route.rtm_family = family_of(destination);
  route.rtm_dst_len = static_cast<std::uint8_t>(destination.bits());
  request.put(RTA_DST, destination.bytes());
}

void put_source(NetlinkRequest& request, const IpAddress& source,
                const IpAddress& destination) noexcept {
  if (source.family() != destination.family()) return;
  request.extra_again<rtmsg>().rtm_src_len = static_cast<std::uint8_t>(source.bits());
  request.put(RTA_SRC, source.bytes());
}

}  // namespace

Result<KernelQuery> KernelQuery::open() {
  auto socket = NetlinkSocket::open();
  if (!socket) return std::unexpected(std::move(socket.error()));
  return KernelQuery(std::move(*socket));
}

Result<LinkState> KernelQuery::link(const std::string& name,
                                    std::optional<std::int32_t> namespace_id) {
  const std::string attempted = "read state of interface " + name;
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return std::unexpected(system_error(EINVAL, attempted));
  }
  NetlinkRequest request(RTM_GETLINK, 0);
  request.extra<ifinfomsg>();
  if (namespace_id) request.put_u32(IFLA_TARGET_NETNSID, static_cast<std::uint32_t>(*namespace_id));
  request.put_text(IFLA_IFNAME, name.c_str());
  return ask_link(request, attempted);
}

Result<LinkState> KernelQuery::link(std::uint32_t index) {
  NetlinkRequest request(RTM_GETLINK, 0);
  request.extra<ifinfomsg>().ifi_index = static_cast<int>(index);
  return ask_link(request, "read state of interface " + std::to_string(index));
}

Result<LinkState> KernelQuery::ask_link(NetlinkRequest& request, const std::string& attempted) {
  auto answer = socket_.request(*request.header, attempted);
  if (!answer) return std::unexpected(std::move(answer.error()));
  const nlmsghdr& message = **answer;
  const auto mtu = u32_of(message, sizeof(ifinfomsg), IFLA_MTU);
  if (message.nlmsg_type != RTM_NEWLINK || extra_of<ifinfomsg>(message) == nullptr || !mtu) {
    return std::unexpected(system_error(EBADMSG, attempted));
  }
  const auto* info = extra_of<ifinfomsg>(message);
  return LinkState{link_name_of(message), static_cast<std::uint32_t>(info->ifi_index), *mtu,
                   (info->ifi_flags & IFF_UP) != 0};
}

// NETNSA_NSID_NOT_ASSIGNED when it has no number yet.
Result<std::int32_t> KernelQuery::known_namespace_id(int namespace_fd) {
  const std::string attempted = "find the number of a network namespace";
  NetlinkRequest request(RTM_GETNSID, 0);
  request.extra<rtgenmsg>();
  request.put_u32(NETNSA_FD, static_cast<std::uint32_t>(namespace_fd));
  auto answer = socket_.request(*request.header, attempted);
  if (!answer) return std::unexpected(std::move(answer.error()));
  const auto id = u32_of(**answer, NLMSG_ALIGN(sizeof(rtgenmsg)), NETNSA_NSID);
  if (!id) return std::unexpected(system_error(EBADMSG, attempted));
  return static_cast<std::int32_t>(*id);
}

Result<std::int32_t> KernelQuery::namespace_id(int namespace_fd) {
  auto id = known_namespace_id(namespace_fd);
  if (!id || *id != NETNSA_NSID_NOT_ASSIGNED) return id;
  NetlinkRequest request(RTM_NEWNSID, NLM_F_ACK);
  request.extra<rtgenmsg>();
  request.put_u32(NETNSA_FD, static_cast<std::uint32_t>(namespace_fd));
  request.put_u32(NETNSA_NSID, static_cast<std::uint32_t>(NETNSA_NSID_NOT_ASSIGNED));
  auto given = socket_.request(*request.header, "number a network namespace");
  // EEXIST: somebody else was faster.
  if (!given && given.error().code != EEXIST) return std::unexpected(std::move(given.error()));
  return known_namespace_id(namespace_fd);
}

Result<std::uint32_t> KernelQuery::route(const Endpoint& destination, const Source& source,
                                         std::uint32_t mark) {
  const std::string attempted = "find the route to " + destination.address.to_string();
  if (destination.is_none()) return std::unexpected(system_error(EDESTADDRREQ, attempted));
  NetlinkRequest request(RTM_GETROUTE, 0);
  start_route_request(request, destination.address);
  put_source(request, source.address, destination.address);
  if (mark != 0) request.put_u32(RTA_MARK, mark);
  if (destination.scope_id != 0) request.put_u32(RTA_OIF, destination.scope_id);
  auto answer = socket_.request(*request.header, attempted);
  if (!answer) return std::unexpected(std::move(answer.error()));
  const auto interface = u32_of(**answer, sizeof(rtmsg), RTA_OIF);
  if (!interface) return std::unexpected(system_error(ENETUNREACH, attempted));
  return *interface;
}

WayOut KernelQuery::way_out(const Endpoint& destination, const Source& source, std::uint32_t mark) {
  const auto chosen = route(destination, source, mark);
  if (chosen && *chosen == source.interface_index) return WayOut::chosen;
  if (leads(destination, source, mark)) return WayOut::possible;
  return chosen ? WayOut::other : WayOut::nowhere;
}

// Without RTM_F_FIB_MATCH the kernel would answer over IPv4 with the neighbour that it makes up. Over IPv6
// it answers with a route by another interface where there is none by this one.
bool KernelQuery::leads(const Endpoint& destination, const Source& source, std::uint32_t mark) {
  if (destination.address.family() != Family::v4) {
    Endpoint by_interface = destination;
    by_interface.scope_id = source.interface_index;
    const auto interface = route(by_interface, source, mark);
    return interface && *interface == source.interface_index;
  }
  if (way_ && way_->source == source && way_->mark == mark &&
      way_->to.contains(destination.address)) {
    return true;
  }
  NetlinkRequest request(RTM_GETROUTE, 0);
  start_route_request(request, destination.address);
  request.extra_again<rtmsg>().rtm_flags |= RTM_F_FIB_MATCH;
  put_source(request, source.address, destination.address);
  if (mark != 0) request.put_u32(RTA_MARK, mark);
  request.put_u32(RTA_OIF, source.interface_index);
  const auto answer = socket_.request(*request.header, "find a route by an interface");
  // Other errors say nothing about the way.
  if (!answer) return answer.error().code != ENETUNREACH && answer.error().code != EHOSTUNREACH;
  if (extra_of<rtmsg>(**answer) != nullptr) {
    const unsigned length = extra_of<rtmsg>(**answer)->rtm_dst_len;
    way_ = Way{source, mark, Cidr(destination.address, std::min(length, 32u))};
  }
  return true;
}

// The answer to the first question holds what the way has been found to carry, and the interface where
// a route has several; only the answer to the second says which entry of the table decided.
Result<RouteState> KernelQuery::find_route(const IpAddress& destination, std::uint32_t mark) {
  const std::string attempted = "find the route to " + destination.to_string();
  RouteState route;
  for (const unsigned flags : {0u, unsigned{RTM_F_FIB_MATCH}}) {
    NetlinkRequest request(RTM_GETROUTE, 0);
    start_route_request(request, destination);
    request.extra_again<rtmsg>().rtm_flags |= flags;
    if (mark != 0) request.put_u32(RTA_MARK, mark);
    auto answer = socket_.request(*request.header, attempted);
    if (!answer) return std::unexpected(std::move(answer.error()));
    if (extra_of<rtmsg>(**answer) == nullptr)
      return std::unexpected(system_error(EBADMSG, attempted));
    if (flags != 0) {
      route.prefix_length = extra_of<rtmsg>(**answer)->rtm_dst_len;
      continue;
    }
    const auto interface = u32_of(**answer, sizeof(rtmsg), RTA_OIF);
    if (!interface) return std::unexpected(system_error(ENETUNREACH, attempted));
    route.interface_index = *interface;
    route.mtu_bytes = route_mtu_of(**answer);
  }
  return route;
}

// As above: the first answer is what becomes of the packet, the second what says so.
Result<RouteDetails> KernelQuery::route_details(const RouteQuestion& question) {
  const std::string attempted = "find the route to " + question.destination.to_string();
  RouteDetails details;
  for (const unsigned flags : {0u, unsigned{RTM_F_FIB_MATCH | RTM_F_LOOKUP_TABLE}}) {
    NetlinkRequest request(RTM_GETROUTE, 0);
    start_route_request(request, question.destination);
    request.extra_again<rtmsg>().rtm_flags |= flags;
    put_source(request, question.source, question.destination);
    if (question.mark != 0) request.put_u32(RTA_MARK, question.mark);
    if (question.outgoing_interface != 0) request.put_u32(RTA_OIF, question.outgoing_interface);
    if (question.incoming_interface != 0) request.put_u32(RTA_IIF, question.incoming_interface);
    auto answer = socket_.request(*request.header, attempted);
    if (!answer) return std::unexpected(std::move(answer.error()));
    if (extra_of<rtmsg>(**answer) == nullptr)
      return std::unexpected(system_error(EBADMSG, attempted));
    const auto* route = extra_of<rtmsg>(**answer);
    if (flags != 0) {
      details.table = u32_of(**answer, sizeof(rtmsg), RTA_TABLE).value_or(route->rtm_table);
      details.prefix = Cidr(question.destination,
                            std::min<unsigned>(route->rtm_dst_len, question.destination.bits()));
      details.is_local = route->rtm_type == RTN_LOCAL;
      continue;
    }
    details.interface_index = u32_of(**answer, sizeof(rtmsg), RTA_OIF).value_or(0);
    details.source = address_of(**answer, RTA_PREFSRC);
    details.gateway = address_of(**answer, RTA_GATEWAY);
  }
  return details;
}

// RTM_F_FIB_MATCH: else the interface of every local address is loopback.
std::optional<std::uint32_t> KernelQuery::owner(const Source& source) {
  if (source.is_none()) return std::nullopt;
  NetlinkRequest request(RTM_GETROUTE, 0);
  start_route_request(request, source.address);
  request.extra_again<rtmsg>().rtm_flags |= RTM_F_FIB_MATCH;
  if (source.address.is_link_local()) request.put_u32(RTA_OIF, source.interface_index);
  auto answer = socket_.request(*request.header, "find an own address");
  if (!answer || extra_of<rtmsg>(**answer) == nullptr) return std::nullopt;
  if (extra_of<rtmsg>(**answer)->rtm_type != RTN_LOCAL) {
    return std::nullopt;
  }
  return u32_of(**answer, sizeof(rtmsg), RTA_OIF).value_or(0);
}

}  // namespace ferrule::io
