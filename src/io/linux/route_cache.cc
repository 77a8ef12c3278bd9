#include "io/linux/route_cache.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "io/linux/route_attributes.h"

namespace ferrule::io {
namespace {

IpAddress any_address(std::uint8_t family) {
  static constexpr std::array<std::uint8_t, 16> kZeros{};
  if (family == AF_INET) return IpAddress::v4(std::span(kZeros).first<4>());
  return IpAddress::v6(kZeros);
}

// What a route or a rule is for, or none where it chooses by more than that. Their headers begin alike.
static_assert(offsetof(rtmsg, rtm_dst_len) == offsetof(fib_rule_hdr, dst_len));
static_assert(sizeof(rtmsg) == sizeof(fib_rule_hdr) && RTA_DST == unsigned{FRA_DST});
std::optional<Cidr> destination_of(const nlmsghdr& message) {
  const auto* header = extra_of<rtmsg>(message);
  if (header == nullptr) return std::nullopt;
  IpAddress address = any_address(header->rtm_family);
  bool has_several_ways = false;
  const bool is_route = message.nlmsg_type == RTM_NEWROUTE;
  for_each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
    const auto type = type_of(attribute);
    if (type == RTA_DST) address = address_of(attribute);
    if (is_route && (type == RTA_MULTIPATH || type == RTA_NH_ID)) has_several_ways = true;
  });
  if (has_several_ways || header->rtm_dst_len > address.bits()) return std::nullopt;
  return Cidr(address, header->rtm_dst_len);
}

}  // namespace

std::optional<RoutePrefixes> RoutePrefixes::read() {
  auto socket = NetlinkSocket::open();
  if (!socket) return std::nullopt;
  RoutePrefixes read;
  bool known = true;
  for (const std::uint8_t family : kFamilies) {
    for (const std::uint16_t type : {RTM_GETROUTE, RTM_GETRULE}) {
      NetlinkRequest request(type, 0);
      request.extra<rtmsg>().rtm_family = family;
      const auto visit = [&](const nlmsghdr& message) {
        const std::optional<Cidr> destination = destination_of(message);
        known = known && destination.has_value();
        if (known) read.prefixes_.push_back(*destination);
      };
      if (!socket->list(*request.header, "list routes", visit, kMost)) return std::nullopt;
      if (!known || read.prefixes_.size() > kMost) return std::nullopt;
    }
  }
  std::ranges::sort(read.prefixes_, std::ranges::greater(), &Cidr::length);
  return read;
}

Cidr RoutePrefixes::of(const IpAddress& address) const noexcept {
  const auto found =
      std::ranges::find_if(prefixes_, [&](const Cidr& prefix) { return prefix.contains(address); });
  if (found != prefixes_.end()) return *found;
  return Cidr(any_address(family_of(address)), 0);
}

void RouteCache::forget() noexcept {
  has_read_ = false;
  prefixes_.reset();
  ways_.clear();
  owners_.clear();
}

// A destination with a scope is a neighbour on that link: whoever has such, has few.
std::optional<Cidr> RouteCache::prefix_of(const Endpoint& destination) {
  if (destination.is_none() || destination.scope_id != 0) return std::nullopt;
  if (!has_read_) prefixes_ = RoutePrefixes::read();
  has_read_ = true;
  if (!prefixes_) return std::nullopt;
  return prefixes_->of(destination.address);
}

WayOut RouteCache::way_out(KernelQuery& kernel, const Endpoint& destination, const Source& source,
                           std::uint32_t mark) {
  const std::optional<Cidr> to = prefix_of(destination);
  if (!to) return kernel.way_out(destination, source, mark);
  const auto known = std::ranges::find_if(ways_, [&](const Way& way) {
    return way.to == *to && way.source == source && way.mark == mark;
  });
  if (known != ways_.end()) return known->way;
  const WayOut way = kernel.way_out(destination, source, mark);
  if (ways_.size() == kMostRemembered) ways_.clear();
  ways_.push_back({*to, source, mark, way});
  return way;
}

std::optional<std::uint32_t> RouteCache::owner(KernelQuery& kernel, const Source& source) {
  // Only of a link-local address does it matter at which interface it is.
  const Source asked = source.address.is_link_local() ? source : Source{source.address, 0};
  const auto known = std::ranges::find(owners_, asked, &Owner::source);
  if (known != owners_.end()) return known->interface_index;
  const std::optional<std::uint32_t> interface_index = kernel.owner(source);
  if (owners_.size() == kMostRemembered) owners_.clear();
  owners_.push_back({asked, interface_index});
  return interface_index;
}

}  // namespace ferrule::io
