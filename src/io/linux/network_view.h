// The network as the kernel tells of it by netlink.
#pragma once

#include <optional>
#include <vector>

#include "io/linux/interface_monitor.h"
#include "io/linux/kernel_query.h"
#include "io/linux/route_cache.h"
#include "io/linux/tun.h"
#include "io/linux/udp.h"
#include "io/network_view.h"

namespace ferrule::io {

class LinuxNetworkView final : public NetworkView {
 public:
  /// Of the network namespace that the caller is in. Keeps the reference.
  [[nodiscard]] static Result<LinuxNetworkView> open(const TunInterface& tun);

  [[nodiscard]] Result<LinkState> link() override { return tun_->state(); }
  [[nodiscard]] bool link_exists() override { return tun_->exists(); }
  [[nodiscard]] std::optional<std::uint32_t> owner(const Source& source) override {
    return routes_.owner(kernel_, source);
  }
  [[nodiscard]] bool can_bind(const IpAddress& address, std::uint32_t interface_index) override {
    return can_bind_to(address, interface_index);
  }
  [[nodiscard]] WayOut way_out(const Endpoint& destination, const Source& source,
                               std::uint32_t mark) override {
    return routes_.way_out(kernel_, destination, source, mark);
  }
  void forget_ways() noexcept override {
    kernel_.forget_way();
    routes_.forget();
  }
  [[nodiscard]] std::vector<Waitable> waitables() const override;
  [[nodiscard]] News take_news() override;
  void listen_anew() override;

 private:
  LinuxNetworkView(const TunInterface& tun, InterfaceMonitor news, KernelQuery kernel) noexcept
      : tun_(&tun), news_(std::move(news)), kernel_(std::move(kernel)) {}

  const TunInterface* tun_;
  InterfaceMonitor news_;
  std::optional<InterfaceMonitor> far_news_;  // of other network namespaces
  KernelQuery kernel_;
  RouteCache routes_;
};

}  // namespace ferrule::io
