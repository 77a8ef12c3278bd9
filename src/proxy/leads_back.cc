#include "proxy/leads_back.h"

#include <algorithm>

namespace ferrule::proxy {

namespace {

// 0.0.0.0 and :: are loopback, too, for whoever connects to them.
bool is_loopback(const IpAddress& address) noexcept {
  static const Cidr kLoopback(*IpAddress::parse("127.0.0.0"), 8);
  static const IpAddress kOthers[] = {*IpAddress::parse("0.0.0.0"), *IpAddress::parse("::"),
                                      *IpAddress::parse("::1")};
  return kLoopback.contains(address) || std::ranges::find(kOthers, address) != std::end(kOthers);
}

}  // namespace

bool leads_back(const Services& services, const netstack::Reach& way,
                const IpAddress& to) noexcept {
  if (&way != &services.inside || services.inner.empty()) return false;
  const IpAddress address = to.unmapped();
  return is_loopback(address) || std::ranges::find(services.inner, address) != services.inner.end();
}

}  // namespace ferrule::proxy
