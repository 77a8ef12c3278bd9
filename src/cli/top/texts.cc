#include "cli/top/texts.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "cli/terminal/columns.h"
#include "client/scopes.h"

namespace ferrule::cli {

using protocol::PeerStatus;

std::string age_text(const PeerStatus& peer, const WallTime& now) {
  if (peer.last_handshake.seconds == 0) return "never";
  const std::int64_t s = std::max<std::int64_t>(now.seconds - peer.last_handshake.seconds, 0);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min", s / 60);
  if (s < 86400) return fmt::format("{} h", s / 3600);
  return fmt::format("{} d", s / 86400);
}

std::string endpoint_text(const PeerStatus& peer) {
  return peer.endpoint.is_none() ? "-" : client::text_of(peer.endpoint);
}

std::string loss_text(const std::optional<double>& loss) {
  if (!loss) return "-";
  if (*loss <= 0) return "0 %";
  const double percent = *loss * 100;
  if (percent >= 9.95) return fmt::format("{:.0f} %", percent);
  return fmt::format("{:.1f} %", std::max(percent, 0.1));  // the least is not none
}

std::string lost_text(const PeerStatus& peer, const monitor::Traffic& traffic) {
  if (!peer.messages) return "not known";
  const std::string all =
      fmt::format("{} of {} messages", peer.messages->lost(), peer.messages->expected);
  const auto loss = traffic.loss();
  return loss ? fmt::format("{}, {} of late", all, loss_text(loss)) : all;
}

std::string name_text(const TopView& view, const monitor::DeviceSnapshot& device,
                      const PeerStatus& peer) {
  const std::string_view name = device.name_of(peer.public_key);
  return view.screen.has_unicode ? std::string(name) : in_ascii(name);
}

std::string time_of_day(const WallTime& at) {
  const auto seconds = static_cast<std::time_t>(at.seconds);
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:%H:%M:%S}", local);
}

}  // namespace ferrule::cli
