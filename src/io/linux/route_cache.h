// What the kernel has said of own addresses and of ways out, remembered while nothing changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/net.h"
#include "io/linux/kernel_query.h"

namespace ferrule::io {

/// The destinations that a machine's routes and rules tell apart: to two addresses that lie within the same
/// of these prefixes the same way leads, whatever else is asked. Value type.
class RoutePrefixes {
 public:
  static constexpr std::size_t kMost = 1024;

  /// None where routes choose by more (several next hops), where there are more than kMost, or where the
  /// kernel does not say.
  [[nodiscard]] static std::optional<RoutePrefixes> read();
  /// The longest one that holds the address.
  [[nodiscard]] Cidr of(const IpAddress& address) const noexcept;

 private:
  std::vector<Cidr> prefixes_;  // the longest first
};

/// Asks in place of KernelQuery, about each own address and each prefix of destinations once: a gateway of
/// very many peers has few of either. Forgets when it is told to: call that whenever addresses, routes or
/// links have changed. Used by one thread at a time. Value type. std::bad_alloc leaves it sound.
class RouteCache {
 public:
  [[nodiscard]] WayOut way_out(KernelQuery& kernel, const Endpoint& destination,
                               const Source& source, std::uint32_t mark);
  [[nodiscard]] std::optional<std::uint32_t> owner(KernelQuery& kernel, const Source& source);
  void forget() noexcept;

 private:
  // Of either kind. When there are more, they start over.
  static constexpr std::size_t kMostRemembered = 256;

  struct Way {
    Cidr to;
    Source source;
    std::uint32_t mark;
    WayOut way;
  };
  struct Owner {
    Source source;
    std::optional<std::uint32_t> interface_index;
  };
  [[nodiscard]] std::optional<Cidr> prefix_of(const Endpoint& destination);

  bool has_read_ = false;
  std::optional<RoutePrefixes> prefixes_;
  std::vector<Way> ways_;
  std::vector<Owner> owners_;
};

}  // namespace ferrule::io
