#include "control/address_pool.h"

#include <algorithm>
#include <array>
#include <vector>

namespace ferrule::control {

namespace {

IpAddress address_of(Family family, std::span<const std::uint8_t> bytes) {
  return family == Family::v4 ? IpAddress::v4(bytes.first<4>()) : IpAddress::v6(bytes.first<16>());
}

// The last address of a prefix.
IpAddress last_of(const Cidr& cidr) {
  std::array<std::uint8_t, 16> bytes{};
  const Bytes first = cidr.address().bytes();
  for (std::size_t i = 0; i < first.size(); ++i) {
    const unsigned fixed =
        std::clamp<int>(static_cast<int>(cidr.length()) - static_cast<int>(8 * i), 0, 8);
    bytes[i] = static_cast<std::uint8_t>(first[i] | (0xffu >> fixed));
  }
  return address_of(cidr.address().family(), std::span(bytes));
}

// None behind the last address that there is.
std::optional<IpAddress> next_of(const IpAddress& address) {
  std::array<std::uint8_t, 16> bytes{};
  const Bytes from = address.bytes();
  std::ranges::copy(from, bytes.begin());
  for (std::size_t i = from.size(); i-- > 0;) {
    if (++bytes[i] != 0) return address_of(address.family(), std::span(bytes));
  }
  return std::nullopt;
}

}  // namespace

std::optional<IpAddress> next_free_address(const InterfaceAddress& own,
                                           std::span<const Cidr> taken) {
  const Cidr network(own.address, own.prefix_length);
  std::vector<Cidr> inside{Cidr(own.address, own.address.bits())};
  for (const Cidr& cidr : taken) {
    if (cidr.length() > network.length() && network.contains(cidr.address()))
      inside.push_back(cidr);
  }
  if (own.address.family() == Family::v4 && own.prefix_length < 31) {
    inside.emplace_back(last_of(network), own.address.bits());
  }
  // Sorted, so that one pass over what is taken finds the first gap.
  std::ranges::sort(inside);
  std::optional<IpAddress> candidate = next_of(network.address());
  for (const Cidr& cidr : inside) {
    if (candidate && cidr.contains(*candidate)) candidate = next_of(last_of(cidr));
  }
  if (!candidate || !network.contains(*candidate)) return std::nullopt;
  return candidate;
}

}  // namespace ferrule::control
