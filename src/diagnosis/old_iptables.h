// Rules of the old iptables interface, which nftables know nothing of, read from the kernel as it holds them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/net.h"
#include "diagnosis/packet_filter.h"

namespace ferrule::diagnosis {

/// A table as the kernel gives it out.
struct OldTable {
  static constexpr std::size_t kHooks = 5;  // prerouting, input, forward, output, postrouting

  std::string name;                              // "filter"
  std::uint32_t hooks = 0;                       // a bit for each that it has a chain for
  std::array<std::uint32_t, kHooks> starts{};    // of those chains
  std::array<std::uint32_t, kHooks> policies{};  // their last entries
  std::vector<std::uint8_t> entries;
};

struct OldTables {
  std::vector<OldTable> tables;
  std::vector<std::string> unread;  // names of those that the kernel did not give out
};
/// The tables that there are; asking for another would make the kernel load it.
[[nodiscard]] OldTables read_old_tables(Family family);

/// The chains of a table, their rules as nft's JSON would have them. What can't be said so (a match that is
/// not known here) is an expression "xt", which may hold. Rules are numbered from 1 in each chain, as
/// `iptables -L --line-numbers` does. Rules of wg-quick's are left out.
[[nodiscard]] std::vector<FilterChain> chains_of(Family family, const OldTable& table);

/// What such chains' tables are called: "iptables-legacy filter"; as the program that changes them.
[[nodiscard]] std::string_view old_program_of(Family family) noexcept;

}  // namespace ferrule::diagnosis
