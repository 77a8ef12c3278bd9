// What a peer is up to, in a word.
#pragma once

#include <cstdint>
#include <string_view>

#include "cli/peer/peer_report.h"
#include "cli/terminal/style.h"
#include "control/named_peers.h"

namespace ferrule::cli {

enum class PeerState : std::uint8_t {
  connected,   // has a session
  idle,        // had one
  never_seen,  // since the interface is up
  disabled,
  expired,
  down,  // its interface is
};

[[nodiscard]] std::string_view name_of(PeerState state) noexcept;
[[nodiscard]] std::string colored(PeerState state, std::string_view text, const Style& style);

/// `status` is null where the device does not have the peer.
[[nodiscard]] PeerState state_of(const PeerFile& file, const control::NamedPeer& peer,
                                 const protocol::PeerStatus* status, std::int64_t now_s);

/// "12 s", "5 min", "3 h", "2 d"; "-" for none.
[[nodiscard]] std::string age_text(std::int64_t then_s, std::int64_t now_s);
/// "1.5 MiB", in eight columns at most.
[[nodiscard]] std::string short_size(std::uint64_t bytes);

}  // namespace ferrule::cli
