// A network in memory, for tests.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "io/memory/memory_poller.h"
#include "io/network_view.h"

namespace ferrule::io {

/// What it says is what it was told. Thread-safe in all its functions.
class MemoryNetworkView final : public NetworkView {
 public:
  /// The interface is there, and down.
  explicit MemoryNetworkView(MemoryEvents& events) : signal_(events) {}

  // --- what happens on the machine ---
  /// `told`: with news of it, or in silence.
  void set_link(bool up, std::uint32_t mtu, bool told = true);
  void remove_link(bool told = true);
  /// Changes of it are not announced from now on: it is to be asked again and again.
  void hide_link();
  /// `source` is an address of that interface from now on; none: of no interface of the machine any more.
  void set_owner(const IpAddress& source, std::optional<std::uint32_t> interface_index);
  /// What leaves from `source` goes that way, wherever to; WayOut::chosen when nothing was said.
  void set_way(const IpAddress& source, WayOut way);

  // --- what a device asks ---
  [[nodiscard]] Result<LinkState> link() override;
  [[nodiscard]] bool link_exists() override;
  [[nodiscard]] std::optional<std::uint32_t> owner(const Source& source) override;
  [[nodiscard]] bool can_bind(const IpAddress& address, std::uint32_t interface_index) override;
  [[nodiscard]] WayOut way_out(const Endpoint& destination, const Source& source,
                               std::uint32_t mark) override;
  void forget_ways() noexcept override {}
  [[nodiscard]] std::vector<Waitable> waitables() const override { return {signal_.waitable()}; }
  [[nodiscard]] News take_news() override;
  void listen_anew() override {}

 private:
  std::mutex mutex_;  // guards everything but the signal
  LinkState link_{.name = "wg0", .index = 7, .mtu = 1420};
  bool exists_ = true;
  std::map<IpAddress, std::uint32_t> owners_;
  std::map<IpAddress, WayOut> ways_;
  News news_;
  MemorySignal signal_;
};

}  // namespace ferrule::io
