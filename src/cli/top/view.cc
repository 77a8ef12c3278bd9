#include "cli/top/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "cli/terminal/columns.h"
#include "cli/top/list_view.h"
#include "cli/top/peer_view.h"
#include "cli/top/texts.h"

namespace ferrule::cli {

namespace {

using Page = TopState::Page;

/// A key and what it does, in the last line.
struct Hint {
  std::string_view key;
  std::string_view what;
};

void clip(Line& line, std::size_t columns) {
  for (Span& span : line) {
    span.text = cut(span.text, columns);
    columns -= columns_of(span.text);
  }
}

std::size_t columns_of_line(const Line& line) {
  std::size_t columns = 0;
  for (const Span& span : line) columns += columns_of(span.text);
  return columns;
}

// The interfaces, and the time at the right where it fits.
Line heading(const TopView& view) {
  Line line{{"ferrule top  ", Look::bold}};
  for (std::size_t i = 0; i < view.snapshot.devices.size(); ++i) {
    line.push_back({fmt::format(" {} ", view.snapshot.devices[i].name),
                    i == view.state.device ? Look::bar : Look::plain});
  }
  for (const monitor::AbsentDevice& device : view.snapshot.absent) {
    const std::string_view why = device.code == ENODEV ? "gone" : std::strerror(device.code);
    line.push_back({fmt::format(" {} ({}) ", device.name, why), Look::warning});
  }
  const std::string time = time_of_day(view.snapshot.now.wall);
  const std::size_t used = columns_of_line(line) + time.size();
  if (used < view.screen.columns) {
    line.push_back({std::string(view.screen.columns - used, ' ') + time, Look::dim});
  }
  return line;
}

std::vector<Line> draw_help() {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kHelp{{
      {"up, down, page, home, end", "choose a peer"},
      {"enter", "one peer, larger"},
      {"s", "sort by something else: the next one in turn"},
      {"r", "the other way round"},
      {"/", "only peers with this in name, key, endpoint, prefix"},
      {"esc", "all peers again"},
      {"tab", "the next interface"},
      {"h", "this page"},
      {"q", "back, and from the list out"},
  }};
  constexpr std::array<std::string_view, 5> kWords{
      "Rates are bits a second. All plots on a page have one scale, a column a look.",
      "A peer without a session (dim) has had no handshake for 3 min.",
      "Loss is what the peer sent and did not arrive here, of the last 10 looks.",
      "What peers are sorted by has an arrow, down where the greatest comes first:",
      "rate, handshake, total, endpoint, key, name or loss. Time is this machine's.",
  };
  std::vector<Line> lines{{}};
  for (const auto& [key, what] : kHelp) {
    lines.push_back({{padded(key, 28), Look::bold}, {std::string(what)}});
  }
  lines.emplace_back();
  for (const std::string_view words : kWords) lines.push_back({{std::string(words)}});
  return lines;
}

std::vector<Hint> hints_of(const TopView& view) {
  const bool is_filtered = !view.state.filter.empty();
  if (view.state.is_typing_filter) return {{"enter", "keep"}, {"esc", "all peers"}};
  if (view.state.page == Page::help) return {{"any key", "back"}};
  if (view.state.page == Page::peer) {
    return {{"q", "back"}, {"up", "previous peer"}, {"down", "next peer"}};
  }
  std::vector<Hint> hints{{"q", "quit"}, {"h", "help"}};
  if (is_filtered) hints.push_back({"esc", "all peers"});
  hints.insert(hints.end(), {{"enter", "peer"}, {"s", "sort"}, {"/", "filter"}, {"r", "reverse"}});
  if (view.snapshot.devices.size() > 1) hints.push_back({"tab", "interface"});
  return hints;
}

// What has been chosen and isn't seen above, and what keys do. Whole hints, as many as there is room for.
Line footer(const TopView& view, bool is_order_marked) {
  const TopState& state = view.state;
  Line line;
  if (state.page == Page::peers && (state.is_typing_filter || !state.filter.empty())) {
    const std::string filter = view.screen.has_unicode ? state.filter : in_ascii(state.filter);
    line.push_back({fmt::format("filter: {}{}  ", filter, state.is_typing_filter ? "_" : ""),
                    state.is_typing_filter ? Look::bold : Look::warning});
  }
  if (state.page == Page::peers && !is_order_marked) {
    line.push_back({fmt::format("sorted by {}{}  ", name_of(state.sort),
                                state.is_reversed ? ", reversed" : ""),
                    Look::dim});
  }
  std::size_t used = columns_of_line(line);
  for (const Hint& hint : hints_of(view)) {
    used += hint.key.size() + 1 + hint.what.size();
    if (used > view.screen.columns) break;
    line.push_back({std::string(hint.key), Look::bold});
    line.push_back({fmt::format(" {}  ", hint.what), Look::dim});
    used += 2;
  }
  return line;
}

std::vector<Line> draw_page(const TopView& view, std::size_t rows) {
  if (view.state.page == Page::help) return draw_help();
  if (view.snapshot.devices.empty()) return {{{"No WireGuard interface answers."}}};
  const monitor::DeviceSnapshot& device = view.snapshot.devices[view.state.device];
  if (view.state.page == Page::peer) {
    const auto peers = peers_shown(view.state, view.snapshot, view.history);
    if (!peers.empty()) return draw_peer(view, device, *peers[view.state.selected], rows);
  }
  return draw_list(view, device, rows);
}

bool has_marks(const std::vector<Line>& lines) {
  return std::ranges::any_of(lines, [](const Line& line) {
    return std::ranges::find(line, Look::marked, &Span::look) != line.end();
  });
}

}  // namespace

std::vector<Line> draw_top(const TopView& view) {
  const auto [rows, columns, has_unicode] = view.screen;
  if (rows == 0) return {};
  const std::size_t room = rows > 2 ? rows - 2 : 0;
  std::vector<Line> lines{heading(view)};
  std::ranges::move(draw_page(view, room), std::back_inserter(lines));
  lines.resize(rows - 1);
  lines.push_back(footer(view, view.snapshot.devices.empty() || has_marks(lines)));
  for (Line& line : lines) clip(line, columns);
  return lines;
}

}  // namespace ferrule::cli
