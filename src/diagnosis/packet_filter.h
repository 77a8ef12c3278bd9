// What the packet filter of this machine does with a packet.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/net.h"

namespace ferrule::diagnosis {

enum class Hook : std::uint8_t { prerouting, input, forward, output, postrouting };
[[nodiscard]] std::string_view name_of(Hook hook) noexcept;

/// What is known of a packet; what is not, is left empty.
struct FilterPacket {
  Hook hook = Hook::input;
  Family family = Family::v4;
  std::string in;   // interface
  std::string out;  // interface
  IpAddress source;
  IpAddress destination;
  bool is_udp = true;  // else an echo request or its reply
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::optional<std::uint32_t> mark;
  std::string state;  // of connection tracking: "new", "established"
};

/// A rule that drops or rejects, or a chain's policy.
struct FirewallRule {
  std::string table;  // "inet filter"
  std::string chain;
  std::string text;
  std::uint64_t handle = 0;  // 0: it is the policy
  bool is_certain = true;    // else it may, depending on what is not known here
};

/// A rule as JSON has it.
struct FilterRule {
  nlohmann::json expressions;
  std::uint64_t handle = 0;
};
struct FilterChain {
  std::string family;
  std::string table;  // "inet filter"
  std::string name;
  std::string hook;  // "": only other chains lead here
  int priority = 0;
  bool drops_by_default = false;
  std::vector<FilterRule> rules;
};

/// A ruleset. Value type.
class PacketFilter {
 public:
  PacketFilter() = default;
  /// From what `nft -j list ruleset` prints; what is no such thing is an empty ruleset. Tables of
  /// wg-quick's, which keep what is not for a tunnel out of it, are left out.
  [[nodiscard]] static PacketFilter parse(std::string_view ruleset);

  /// Takes up a chain of another interface to the kernel's filter, from the same hooks.
  void add(FilterChain chain);

  /// The rule that stops a packet: surely, or perhaps; none where it passes. Rules that translate
  /// addresses are not looked at.
  [[nodiscard]] std::optional<FirewallRule> stopper_of(const FilterPacket& packet) const;
  /// Whether a rule hides the addresses of what leaves.
  [[nodiscard]] bool has_masquerade() const noexcept { return has_masquerade_; }
  /// By table and name: {"inet filter", "input"}.
  using Chains = std::map<std::pair<std::string, std::string>, FilterChain>;
  [[nodiscard]] const Chains& chains() const noexcept { return chains_; }

 private:
  void take(const nlohmann::json& object);
  Chains chains_;
  bool has_masquerade_ = false;
};

/// Whether an expression of a rule holds for a packet.
enum class Match : std::uint8_t { no, maybe, yes };
[[nodiscard]] Match match_of(const nlohmann::json& match, const FilterPacket& packet);
/// Whether `key`, as a verdict map names it, has this value.
[[nodiscard]] Match compare(const nlohmann::json& left, const nlohmann::json& right,
                            const FilterPacket& packet);

/// A rule as nft would write it, more or less: "udp dport 51820 drop".
[[nodiscard]] std::string rule_text(const nlohmann::json& expressions);

/// The rules of this machine: nftables', and those of the old iptables interface.
struct MachineFilter {
  PacketFilter rules;
  std::vector<std::string> unread;  // tables of the old interface that could not be read: "filter"
};
[[nodiscard]] MachineFilter read_packet_filter();

}  // namespace ferrule::diagnosis
