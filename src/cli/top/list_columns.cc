#include "cli/top/list_columns.h"

#include <algorithm>

#include "monitor/history.h"

namespace ferrule::cli {

namespace {

constexpr std::size_t kGap = 1;
constexpr std::size_t kLeastPeer = 7;  // the marker, and a heading that is marked
constexpr std::size_t kShortPeer = 16;
constexpr std::size_t kUsualPeer = 32;
constexpr std::size_t kLeastEndpoint = 9;
constexpr std::size_t kIpv4Endpoint = 21;
constexpr std::size_t kLeastPlot = 3;
constexpr std::size_t kUsualPlot = 8;

// Makes a column as wide as is wanted, or as there is room.
void widen(std::size_t& column, std::size_t wanted, std::size_t& room) {
  if (wanted <= column) return;
  const std::size_t more = std::min(wanted - column, room);
  column += more;
  room -= more;
}

}  // namespace

ListColumns::ListColumns(std::size_t screen, const WidestTexts& widest)
    : peer(std::clamp(std::max(widest.name, widest.key), kLeastPeer, kShortPeer)),
      endpoint(std::clamp(widest.endpoint, kLeastEndpoint, kIpv4Endpoint)) {
  const std::size_t fixed = peer + endpoint + kAge + kLoss + 2 * kRate + 5 * kGap;
  std::size_t room = screen > fixed ? screen - fixed : 0;
  const auto widen_plots = [&](std::size_t wanted) {
    const std::size_t gap = plot == 0 ? kGap : 0;
    const std::size_t more = std::min(wanted - plot + gap, room / 2);
    if (more < kLeastPlot + gap && plot == 0) return;
    plot += more - gap;
    room -= 2 * more;
  };
  widen(peer, std::min(widest.name, kUsualPeer), room);
  widen_plots(kUsualPlot);
  widen(peer, widest.name, room);
  widen(endpoint, widest.endpoint, room);
  constexpr std::size_t kTotals = 2 * (kTotal + kGap);
  has_totals = room >= kTotals;
  if (has_totals) room -= kTotals;
  widen(peer, widest.key, room);
  widen_plots(monitor::Series::kLength);
}

}  // namespace ferrule::cli
