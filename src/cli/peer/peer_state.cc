#include "cli/peer/peer_state.h"

#include <fmt/format.h>

#include <array>

#include "monitor/snapshot.h"

namespace ferrule::cli {

std::string_view name_of(PeerState state) noexcept {
  switch (state) {
    case PeerState::connected:
      return "connected";
    case PeerState::idle:
      return "idle";
    case PeerState::never_seen:
      return "never seen";
    case PeerState::disabled:
      return "disabled";
    case PeerState::expired:
      return "expired";
    case PeerState::down:
      return "down";
  }
  return "";
}

std::string colored(PeerState state, std::string_view text, const Style& style) {
  switch (state) {
    case PeerState::connected:
      return style.colored(Color::green, text);
    case PeerState::disabled:
      return style.colored(Color::yellow, text);
    case PeerState::expired:
      return style.colored(Color::red, text);
    case PeerState::idle:
    case PeerState::never_seen:
    case PeerState::down:
      break;
  }
  return std::string(text);
}

PeerState state_of(const PeerFile& file, const control::NamedPeer& peer,
                   const protocol::PeerStatus* status, std::int64_t now_s) {
  const control::Date now{std::chrono::seconds(now_s)};
  if (peer.expires && *peer.expires <= now) return PeerState::expired;
  if (!peer.is_enabled) return PeerState::disabled;
  if (!file.device) return PeerState::down;
  if (status == nullptr || status->last_handshake.seconds == 0) return PeerState::never_seen;
  return monitor::has_session(*status, {now_s, 0}) ? PeerState::connected : PeerState::idle;
}

std::string age_text(std::int64_t then_s, std::int64_t now_s) {
  if (then_s == 0) return "-";
  const std::int64_t s = std::max<std::int64_t>(now_s - then_s, 0);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min", s / 60);
  if (s < 86400) return fmt::format("{} h", s / 3600);
  return fmt::format("{} d", s / 86400);
}

std::string short_size(std::uint64_t bytes) {
  if (bytes == 0) return "-";
  if (bytes < 1024) return fmt::format("{} B", bytes);
  static constexpr std::array<std::string_view, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (amount >= 999.5 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  return amount < 99.95 ? fmt::format("{:.1f} {}", amount, kUnits[unit])
                        : fmt::format("{:.0f} {}", amount, kUnits[unit]);
}

}  // namespace ferrule::cli
