// What rules of the old iptables interface ask of a packet, as nft's JSON would say it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>

struct ipt_entry;
struct ip6t_entry;

namespace ferrule::diagnosis {

/// Adds what an entry's own fields ask: addresses, interfaces, protocol. True when its jump does not come back.
[[nodiscard]] bool add_head_matches(const ipt_entry& entry, nlohmann::json& expressions);
[[nodiscard]] bool add_head_matches(const ip6t_entry& entry, nlohmann::json& expressions);

/// Adds what the matches of an entry ask; those that are not known here become "xt". True when a comment says
/// that the rule is wg-quick's.
[[nodiscard]] bool add_matches(std::span<const std::uint8_t> matches, nlohmann::json& expressions);

}  // namespace ferrule::diagnosis
