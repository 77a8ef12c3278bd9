// Numbers that must not be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace ferrule {

/// An integer with a type of its own. Value type.
template <class Tag, class Rep>
struct Id {
  Rep value{};
  constexpr auto operator<=>(const Id&) const noexcept = default;
};

/// Our name for a handshake or keypair on the wire: the other side writes it into `receiver` (P12).
using LocalIndex = Id<struct LocalIndexTag, std::uint32_t>;
/// The other side's name for it.
using RemoteIndex = Id<struct RemoteIndexTag, std::uint32_t>;

/// A peer of this device. A slot in the device's table and the generation of its use: the id of a
/// removed peer never names another one.
struct PeerId {
  std::uint32_t slot = UINT32_MAX;
  std::uint32_t generation = 0;
  [[nodiscard]] constexpr bool is_none() const noexcept { return slot == UINT32_MAX; }
  constexpr auto operator<=>(const PeerId&) const noexcept = default;
};

}  // namespace ferrule

template <class Tag, class Rep>
struct std::hash<ferrule::Id<Tag, Rep>> {
  std::size_t operator()(ferrule::Id<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value);
  }
};
