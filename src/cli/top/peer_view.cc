#include "cli/top/peer_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/key_text.h"
#include "cli/terminal/columns.h"
#include "cli/terminal/style.h"
#include "cli/top/plot.h"
#include "cli/top/texts.h"
#include "control/prefix_list.h"

namespace ferrule::cli {

namespace {

using protocol::PeerStatus;

constexpr std::size_t kNameWidth = 22;
constexpr std::size_t kHighestPlot = 8;

Line row(std::string_view name, std::string value) {
  return {{padded(name, kNameWidth), Look::dim}, {std::move(value)}};
}

std::string session_text(const PeerStatus& peer, const WallTime& now) {
  return monitor::has_session(peer, now) ? "yes" : "no";
}

std::string keepalive_text(const PeerStatus& peer) {
  return peer.persistent_keepalive_s == 0 ? "off"
                                          : fmt::format("every {} s", peer.persistent_keepalive_s);
}

std::vector<Line> words_about(const TopView& view, const monitor::DeviceSnapshot& device,
                              const PeerStatus& peer) {
  const Style style(false);
  std::vector<Line> lines{{}, {{"peer " + to_base64(peer.public_key), Look::bold}}};
  if (std::string name = name_text(view, device, peer); !name.empty()) {
    lines.push_back(row("name", std::move(name)));
  }
  lines.push_back(row("endpoint", endpoint_text(peer)));
  lines.push_back(row(
      "allowed ips", peer.allowed_ips.empty() ? "(none)" : control::prefix_list(peer.allowed_ips)));
  lines.push_back(row("latest handshake", age_text(peer, view.snapshot.now.wall)));
  lines.push_back(row("session", session_text(peer, view.snapshot.now.wall)));
  lines.push_back(row("persistent keepalive", keepalive_text(peer)));
  lines.push_back(row("received", style.size(peer.rx_bytes)));
  lines.push_back(row("sent", style.size(peer.tx_bytes)));
  lines.push_back(row("lost on the way here",
                      lost_text(peer, view.history.peer(device.name, peer.public_key))));
  lines.emplace_back();
  return lines;
}

}  // namespace

std::vector<Line> draw_peer(const TopView& view, const monitor::DeviceSnapshot& device,
                            const PeerStatus& peer, std::size_t rows) {
  std::vector<Line> lines = words_about(view, device, peer);
  const monitor::Traffic& traffic = view.history.peer(device.name, peer.public_key);
  const std::size_t width = std::min(view.screen.columns, monitor::Series::kLength);
  const double scale =
      plot_scale(std::max(traffic.rx.highest_of(width), traffic.tx.highest_of(width)));
  const std::size_t left = rows > lines.size() ? rows - lines.size() : 0;
  // Each has a line of words.
  const std::size_t height = std::clamp<std::size_t>(left / 2, 2, kHighestPlot + 1) - 1;
  const auto add = [&](std::string_view name, const monitor::Series& series) {
    lines.push_back({{fmt::format("{:<3} {:>7}bit/s", name, rate_text(series.last())), Look::bold},
                     {"   " + scale_text(scale, view.screen.has_unicode), Look::dim}});
    for (std::string& line : plot(series.values(), width, height, scale, view.screen.has_unicode)) {
      lines.push_back({{std::move(line), Look::good}});
    }
  };
  add("in", traffic.rx);
  add("out", traffic.tx);
  return lines;
}

}  // namespace ferrule::cli
