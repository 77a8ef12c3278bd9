#include "cli/top/list_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/key_text.h"
#include "cli/terminal/columns.h"
#include "cli/terminal/style.h"
#include "cli/top/list_columns.h"
#include "cli/top/plot.h"
#include "cli/top/texts.h"

namespace ferrule::cli {

namespace {

using protocol::PeerStatus;
using Peers = std::vector<const PeerStatus*>;

constexpr std::size_t kRowsForAll = 10;  // below that the list is all that there is
constexpr std::size_t kShortestPlot = 8;
constexpr std::string_view kDrop = "drop_";
constexpr std::string_view kMarker = "> ";

// Where peers are sorted by what is greatest, unless reversed.
bool has_greatest_first(TopSort sort) {
  return sort == TopSort::rate || sort == TopSort::total || sort == TopSort::loss;
}

ListColumns columns_for(const TopView& view, const monitor::DeviceSnapshot& device,
                        const Peers& peers) {
  WidestTexts widest;
  for (const PeerStatus* peer : peers) {
    const std::size_t name = columns_of(device.name_of(peer->public_key));
    std::size_t& who = name > 0 ? widest.name : widest.key;
    who = std::max(who, kMarker.size() + (name > 0 ? name : kKeyBase64Size));
    widest.endpoint = std::max(widest.endpoint, columns_of(endpoint_text(*peer)));
  }
  return {view.screen.columns, widest};
}

class ListDrawing {
 public:
  ListDrawing(const TopView& view, const monitor::DeviceSnapshot& device, std::size_t rows)
      : view_(view),
        device_(device),
        rows_(rows),
        peers_(peers_shown(view.state, view.snapshot, view.history)),
        columns_(columns_for(view, device, peers_)),
        device_plot_(device_plot()),
        scale_(highest_rate()) {}

  std::vector<Line> draw();

 private:
  void add(Line line) { lines_.push_back(std::move(line)); }
  void add_device();
  void add_lanes();
  void add_drops();
  void add_heading();
  void add_peer(const PeerStatus& peer, bool is_selected);

  [[nodiscard]] std::size_t device_plot() const;
  [[nodiscard]] double highest_rate() const;
  [[nodiscard]] std::string fitting(std::string_view text, std::size_t columns) const {
    return padded(shortened(text, columns, view_.screen.has_unicode ? "…" : "~"), columns);
  }
  [[nodiscard]] std::string plot_of(const monitor::Series& series, std::size_t width) const {
    return plot(series.values(), width, 1, scale_, view_.screen.has_unicode).front();
  }
  [[nodiscard]] Span plot_in_list(const monitor::Series& series) const {
    return {columns_.plot == 0 ? "" : " " + plot_of(series, columns_.plot), Look::good};
  }

  const TopView& view_;
  const monitor::DeviceSnapshot& device_;
  std::size_t rows_;
  Peers peers_;
  ListColumns columns_;
  std::size_t device_plot_;  // columns
  double scale_;             // of every plot, in bytes a second
  std::vector<Line> lines_;
};

std::vector<Line> ListDrawing::draw() {
  if (rows_ >= kRowsForAll) {
    add_device();
    add_lanes();
    add_drops();
    add({});
  }
  add_heading();
  // The selected peer stays in sight.
  const std::size_t room = rows_ > lines_.size() ? rows_ - lines_.size() : 1;
  const std::size_t selected = view_.state.selected;
  const std::size_t first = selected >= room ? selected - room + 1 : 0;
  for (std::size_t i = first; i < std::min(peers_.size(), first + room); ++i) {
    add_peer(*peers_[i], i == selected);
  }
  if (peers_.empty()) {
    add({{view_.state.filter.empty() ? "no peers" : "no peer matches", Look::dim}});
  }
  return std::move(lines_);
}

// Both plots, their words and the scale fill a line.
std::size_t ListDrawing::device_plot() const {
  constexpr std::size_t kWords = 56;
  const std::size_t room =
      view_.screen.columns > kWords ? (view_.screen.columns - kWords) / 2 : kShortestPlot;
  return std::clamp(room, kShortestPlot, monitor::Series::kLength);
}

// All together are at least as fast as any peer.
double ListDrawing::highest_rate() const {
  const monitor::Traffic& all = view_.history.device(device_.name);
  const std::size_t looks = std::max(device_plot_, columns_.plot);
  return plot_scale(std::max(all.rx.highest_of(looks), all.tx.highest_of(looks)));
}

void ListDrawing::add_device() {
  const auto sessions = std::ranges::count_if(device_.status.peers, [&](const PeerStatus& peer) {
    return monitor::has_session(peer, view_.snapshot.now.wall);
  });
  const monitor::Traffic& traffic = view_.history.device(device_.name);
  add({{fmt::format("port {}   peers {}, {} with a session", device_.status.listen_port,
                    device_.status.peers.size(), sessions)}});
  add({{fmt::format("in {:>7}bit/s ", rate_text(traffic.rx.last()))},
       {plot_of(traffic.rx, device_plot_), Look::good},
       {fmt::format("   out {:>7}bit/s ", rate_text(traffic.tx.last()))},
       {plot_of(traffic.tx, device_plot_), Look::good},
       {"   " + scale_text(scale_, view_.screen.has_unicode), Look::dim}});
}

void ListDrawing::add_lanes() {
  std::set<std::string> lanes;
  double cpu = 0;
  for (const auto& [name, value] : device_.stats) {
    if (!name.ends_with("cpu_ns")) continue;
    cpu += view_.history.rate(device_.name, name) / 1e7;
    if (name.starts_with("lane_")) lanes.insert(name);
  }
  if (!lanes.empty()) add({{fmt::format("lanes {}   CPU {:.0f} %", lanes.size(), cpu)}});
}

void ListDrawing::add_drops() {
  Line line;
  for (const auto& [name, value] : device_.stats) {
    if (!name.starts_with(kDrop) || value == 0) continue;
    const double rate = view_.history.rate(device_.name, name);
    line.push_back({fmt::format("{} {}", std::string_view(name).substr(kDrop.size()), value),
                    rate > 0 ? Look::warning : Look::plain});
    if (rate > 0) line.push_back({fmt::format(" (+{:.0f}/s)", rate), Look::warning});
    line.push_back({"  "});
  }
  if (line.empty()) return;
  line.insert(line.begin(), {"dropped: ", Look::dim});
  add(std::move(line));
}

void ListDrawing::add_heading() {
  const TopState& state = view_.state;
  const bool is_falling = has_greatest_first(state.sort) != state.is_reversed;
  const std::string_view arrow =
      view_.screen.has_unicode ? (is_falling ? "▼" : "▲") : (is_falling ? "v" : "^");
  Line line;
  const auto add_column = [&](std::string title, std::size_t width, bool is_at_left,
                              std::initializer_list<TopSort> sorts) {
    const bool is_sorted = std::ranges::find(sorts, state.sort) != sorts.end();
    if (is_sorted) title += arrow;
    const std::size_t space = width - std::min(width, columns_of(title));
    title = is_at_left ? title + std::string(space, ' ') : std::string(space, ' ') + title;
    if (!line.empty()) line.push_back({" ", Look::bar});
    line.push_back({std::move(title), is_sorted ? Look::marked : Look::bar});
  };
  const auto add_plot = [&] {
    if (columns_.plot > 0) add_column("", columns_.plot, true, {});
  };
  add_column("PEER", columns_.peer, true, {TopSort::name, TopSort::key});
  add_column("ENDPOINT", columns_.endpoint, true, {TopSort::endpoint});
  add_column("HANDSHAKE", ListColumns::kAge, false, {TopSort::handshake});
  add_column("LOSS", ListColumns::kLoss, false, {TopSort::loss});
  add_column("IN", ListColumns::kRate, false, {TopSort::rate});
  add_plot();
  add_column("OUT", ListColumns::kRate, false, {TopSort::rate});
  add_plot();
  if (columns_.has_totals) {
    add_column("RECEIVED", ListColumns::kTotal, false, {TopSort::total});
    add_column("SENT", ListColumns::kTotal, false, {TopSort::total});
  }
  std::size_t used = 0;
  for (const Span& span : line) used += columns_of(span.text);
  if (used < view_.screen.columns) {
    line.push_back({std::string(view_.screen.columns - used, ' '), Look::bar});
  }
  add(std::move(line));
}

void ListDrawing::add_peer(const PeerStatus& peer, bool is_selected) {
  const monitor::Traffic& traffic = view_.history.peer(device_.name, peer.public_key);
  const WallTime& now = view_.snapshot.now.wall;
  const Look look = is_selected                       ? Look::bold
                    : monitor::has_session(peer, now) ? Look::plain
                                                      : Look::dim;
  const std::string name = name_text(view_, device_, peer);
  const std::string who = (is_selected ? std::string(kMarker) : std::string(kMarker.size(), ' ')) +
                          (name.empty() ? to_base64(peer.public_key) : name);
  const std::optional<double> loss = traffic.loss();
  const auto rate = [&](const monitor::Series& series) -> Span {
    return {fmt::format(" {:>{}}", rate_text(series.last()), ListColumns::kRate), look};
  };
  Line line{{fitting(who, columns_.peer), look},
            {" " + fitting(endpoint_text(peer), columns_.endpoint), look},
            {fmt::format(" {:>{}} ", age_text(peer, now), ListColumns::kAge), look},
            {fmt::format("{:>{}}", loss_text(loss), ListColumns::kLoss),
             loss.value_or(0) > 0 ? Look::warning : look},
            rate(traffic.rx),
            plot_in_list(traffic.rx),
            rate(traffic.tx),
            plot_in_list(traffic.tx)};
  if (columns_.has_totals) {
    const Style style(false);
    line.push_back({fmt::format(" {:>{}} {:>{}}", style.size(peer.rx_bytes), ListColumns::kTotal,
                                style.size(peer.tx_bytes), ListColumns::kTotal),
                    look});
  }
  add(std::move(line));
}

}  // namespace

std::vector<Line> draw_list(const TopView& view, const monitor::DeviceSnapshot& device,
                            std::size_t rows) {
  return ListDrawing(view, device, rows).draw();
}

}  // namespace ferrule::cli
