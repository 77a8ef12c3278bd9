#include "cli/top/view.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>

#include "base/key_text.h"
#include "cli/terminal/columns.h"
#include "cli/terminal/style.h"
#include "client/scopes.h"
#include "control/prefix_list.h"

namespace ferrule::cli {

namespace {

using protocol::PeerStatus;

constexpr std::size_t kListPlot = 8;
constexpr std::size_t kDevicePlot = 16;
constexpr std::size_t kRowsForAll = 12;  // below that the list is all that there is
constexpr std::string_view kDrop = "drop_";

void clip(Line& line, std::size_t columns) {
  for (auto span = line.begin(); span != line.end(); ++span) {
    span->text = cut(span->text, columns);
    columns -= columns_of(span->text);
  }
}

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

std::string allowed_ips_text(const PeerStatus& peer) {
  return peer.allowed_ips.empty() ? "(none)" : control::prefix_list(peer.allowed_ips);
}

// "12 of 3456 messages, 0.3 % of late".
std::string lost_text(const PeerStatus& peer, const monitor::Traffic& traffic) {
  if (!peer.messages) return "not known";
  const std::string all =
      fmt::format("{} of {} messages", peer.messages->lost(), peer.messages->expected);
  const auto loss = traffic.loss();
  return loss ? fmt::format("{}, {} of late", all, loss_text(loss)) : all;
}

// Widths in the list of peers. A space stands before every column but the first.
struct ListColumns {
  explicit ListColumns(std::size_t columns);

  static constexpr std::size_t kGap = 1;
  static constexpr std::size_t kPeer = 16;
  static constexpr std::size_t kAge = 9;
  static constexpr std::size_t kLoss = 5;
  static constexpr std::size_t kRate = 7;
  static constexpr std::size_t kTotal = 11;
  static constexpr std::size_t kLongestEndpoint = 47;  // of IPv6

  std::size_t endpoint = 21;  // of IPv4
  std::size_t plot = 0;       // with the space before it; 0: there is none
  bool has_totals = false;
};

class Drawing {
 public:
  Drawing(const TopState& state, const monitor::Snapshot& snapshot, const monitor::History& history,
          const TopScreen& screen)
      : state_(state), snapshot_(snapshot), history_(history), screen_(screen) {}

  std::vector<Line> draw();

 private:
  void add(Line line) { lines_.push_back(std::move(line)); }
  void add_heading();
  void add_device(const monitor::DeviceSnapshot& device);
  void add_drops(const monitor::DeviceSnapshot& device);
  void add_peers(const monitor::DeviceSnapshot& device);
  void add_peer_line(const monitor::DeviceSnapshot& device, const PeerStatus& peer,
                     bool is_selected, const ListColumns& columns);
  void add_peer_page(const monitor::DeviceSnapshot& device, const PeerStatus& peer);
  void add_help();
  [[nodiscard]] Line keys() const;
  [[nodiscard]] std::string name_of(const monitor::DeviceSnapshot& device,
                                    const PeerStatus& peer) const {
    const std::string_view name = device.name_of(peer.public_key);
    return screen_.has_unicode ? std::string(name) : in_ascii(name);
  }
  [[nodiscard]] std::string filter() const {
    return screen_.has_unicode ? state_.filter : in_ascii(state_.filter);
  }
  [[nodiscard]] std::string plot_of(const monitor::Series& series, std::size_t width) const {
    return plot(series.values(), width, screen_.has_unicode);
  }

  const TopState& state_;
  const monitor::Snapshot& snapshot_;
  const monitor::History& history_;
  TopScreen screen_;
  std::vector<Line> lines_;
};

std::vector<Line> Drawing::draw() {
  add_heading();
  if (state_.page == TopState::Page::help) {
    add_help();
  } else if (snapshot_.devices.empty()) {
    add({{"No WireGuard interface answers."}});
  } else {
    const monitor::DeviceSnapshot& device = snapshot_.devices[state_.device];
    const auto peers = peers_shown(state_, snapshot_, history_);
    // A small window has room for what matters most.
    const bool is_list = state_.page != TopState::Page::peer || peers.empty();
    if (!is_list || screen_.rows >= kRowsForAll) add_device(device);
    if (state_.page == TopState::Page::peer && !peers.empty()) {
      add_peer_page(device, *peers[state_.selected]);
    } else {
      add_peers(device);
    }
  }
  const std::size_t room = screen_.rows > 0 ? screen_.rows - 1 : 0;
  lines_.resize(std::min(lines_.size(), room));
  while (lines_.size() < room) add({});
  if (screen_.rows > 0) add(keys());
  for (Line& line : lines_) clip(line, screen_.columns);
  return std::move(lines_);
}

void Drawing::add_heading() {
  Line line{{"ferrule top  ", Look::bold}};
  for (std::size_t i = 0; i < snapshot_.devices.size(); ++i) {
    line.push_back({fmt::format(" {} ", snapshot_.devices[i].name),
                    i == state_.device ? Look::bar : Look::plain});
  }
  for (const monitor::AbsentDevice& device : snapshot_.absent) {
    const std::string_view why = device.code == ENODEV ? "gone" : std::strerror(device.code);
    line.push_back({fmt::format(" {} ({}) ", device.name, why), Look::warning});
  }
  line.push_back({fmt::format("  {:%H:%M:%S} UTC",
                              fmt::gmtime(static_cast<std::time_t>(snapshot_.now.wall.seconds))),
                  Look::dim});
  add(std::move(line));
}

void Drawing::add_device(const monitor::DeviceSnapshot& device) {
  std::size_t sessions = 0;
  for (const PeerStatus& peer : device.status.peers) {
    sessions += monitor::has_session(peer, snapshot_.now.wall) ? 1u : 0u;
  }
  const monitor::Traffic& traffic = history_.device(device.name);
  add({{fmt::format("port {}   peers {}, {} with a session", device.status.listen_port,
                    device.status.peers.size(), sessions)}});
  add({{fmt::format("in  {:>7}bit/s ", rate_text(traffic.rx.last()))},
       {plot_of(traffic.rx, kDevicePlot), Look::good},
       {fmt::format("   out {:>7}bit/s ", rate_text(traffic.tx.last()))},
       {plot_of(traffic.tx, kDevicePlot), Look::good}});
  std::set<std::string> lanes;
  double cpu = 0;
  for (const auto& [name, value] : device.stats) {
    if (!name.ends_with("cpu_ns")) continue;
    cpu += history_.rate(device.name, name) / 1e7;
    if (name.starts_with("lane_")) lanes.insert(name);
  }
  if (!lanes.empty()) add({{fmt::format("lanes {}   CPU {:.0f} %", lanes.size(), cpu)}});
  add_drops(device);
}

void Drawing::add_drops(const monitor::DeviceSnapshot& device) {
  Line line;
  for (const auto& [name, value] : device.stats) {
    if (!name.starts_with(kDrop) || value == 0) continue;
    const double rate = history_.rate(device.name, name);
    line.push_back({fmt::format("{} {}", std::string_view(name).substr(kDrop.size()), value),
                    rate > 0 ? Look::warning : Look::plain});
    if (rate > 0) line.push_back({fmt::format(" (+{:.0f}/s)", rate), Look::warning});
    line.push_back({"  "});
  }
  if (line.empty()) return;
  line.insert(line.begin(), {"dropped: ", Look::dim});
  add(std::move(line));
}

// The columns of the list, by the room that there is: plots and totals only where all else fits.
ListColumns::ListColumns(std::size_t columns) {
  const std::size_t fixed = kPeer + endpoint + kAge + kLoss + 2 * kRate + 5 * kGap;
  std::size_t rest = columns > fixed ? columns - fixed : 0;
  plot = std::min(rest / 2, kGap + kListPlot);
  rest -= 2 * plot;
  constexpr std::size_t kTotals = 2 * (kTotal + kGap);
  has_totals = rest >= kTotals;
  if (has_totals) rest -= kTotals;
  endpoint = std::min(endpoint + rest, kLongestEndpoint);
}

void Drawing::add_peers(const monitor::DeviceSnapshot& device) {
  const auto peers = peers_shown(state_, snapshot_, history_);
  const ListColumns columns(screen_.columns);
  const std::string plot_gap(columns.plot, ' ');
  std::string heading = fmt::format(
      "{:<{}} {:<{}} {:>{}} {:>{}} {:>{}}{} {:>{}}{}", "PEER", ListColumns::kPeer, "ENDPOINT",
      columns.endpoint, "HANDSHAKE", ListColumns::kAge, "LOSS", ListColumns::kLoss, "IN",
      ListColumns::kRate, plot_gap, "OUT", ListColumns::kRate, plot_gap);
  if (columns.has_totals) {
    heading +=
        fmt::format(" {:>{}} {:>{}}", "RECEIVED", ListColumns::kTotal, "SENT", ListColumns::kTotal);
  }
  if (screen_.rows >= kRowsForAll) add({});
  add({{padded(heading, screen_.columns), Look::bar}});
  // The selected peer stays in sight.
  const std::size_t used = lines_.size() + 1;
  const std::size_t room = screen_.rows > used ? screen_.rows - used : 1;
  const std::size_t first = state_.selected >= room ? state_.selected - room + 1 : 0;
  for (std::size_t i = first; i < std::min(peers.size(), first + room); ++i) {
    add_peer_line(device, *peers[i], i == state_.selected, columns);
  }
  if (peers.empty()) add({{state_.filter.empty() ? "no peers" : "no peer matches", Look::dim}});
}

void Drawing::add_peer_line(const monitor::DeviceSnapshot& device, const PeerStatus& peer,
                            bool is_selected, const ListColumns& columns) {
  const monitor::Traffic& traffic = history_.peer(device.name, peer.public_key);
  const Look look = is_selected                                      ? Look::bold
                    : monitor::has_session(peer, snapshot_.now.wall) ? Look::plain
                                                                     : Look::dim;
  const std::string marker = is_selected ? "> " : "  ";
  const std::string name = name_of(device, peer);
  const std::string who = name.empty() ? to_base64(peer.public_key) : name;
  const std::optional<double> loss = traffic.loss();
  const auto plot_in = [&](const monitor::Series& series) -> Span {
    if (columns.plot == 0) return {""};
    return {" " + padded(plot_of(series, columns.plot - 1), columns.plot - 1), Look::good};
  };
  Line line{{padded(marker + who, ListColumns::kPeer), look},
            {fmt::format(" {} {:>{}} ", padded(endpoint_text(peer), columns.endpoint),
                         age_text(peer, snapshot_.now.wall), ListColumns::kAge),
             look},
            {fmt::format("{:>{}}", loss_text(loss), ListColumns::kLoss),
             loss.value_or(0) > 0 ? Look::warning : look},
            {fmt::format(" {:>{}}", rate_text(traffic.rx.last()), ListColumns::kRate), look},
            plot_in(traffic.rx),
            {fmt::format(" {:>{}}", rate_text(traffic.tx.last()), ListColumns::kRate), look},
            plot_in(traffic.tx)};
  if (columns.has_totals) {
    const Style style(false);
    line.push_back({fmt::format(" {:>{}} {:>{}}", style.size(peer.rx_bytes), ListColumns::kTotal,
                                style.size(peer.tx_bytes), ListColumns::kTotal),
                    look});
  }
  add(std::move(line));
}

void Drawing::add_peer_page(const monitor::DeviceSnapshot& device, const PeerStatus& peer) {
  const monitor::Traffic& traffic = history_.peer(device.name, peer.public_key);
  const Style style(false);
  const auto row = [&](std::string_view name, std::string value) {
    add({{padded(name, 22), Look::dim}, {std::move(value)}});
  };
  add({});
  add({{"peer " + to_base64(peer.public_key), Look::bold}});
  if (const std::string name = name_of(device, peer); !name.empty()) row("name", name);
  row("endpoint", endpoint_text(peer));
  row("allowed ips", allowed_ips_text(peer));
  row("latest handshake", age_text(peer, snapshot_.now.wall));
  row("session", monitor::has_session(peer, snapshot_.now.wall) ? "yes" : "no");
  row("persistent keepalive", peer.persistent_keepalive_s == 0
                                  ? "off"
                                  : fmt::format("every {} s", peer.persistent_keepalive_s));
  row("received", style.size(peer.rx_bytes));
  row("sent", style.size(peer.tx_bytes));
  row("lost on the way here", lost_text(peer, traffic));
  add({});
  add({{fmt::format("in  {:>7}bit/s ", rate_text(traffic.rx.last()))},
       {plot_of(traffic.rx, monitor::Series::kLength), Look::good}});
  add({{fmt::format("out {:>7}bit/s ", rate_text(traffic.tx.last()))},
       {plot_of(traffic.tx, monitor::Series::kLength), Look::good}});
}

void Drawing::add_help() {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kHelp{{
      {"up, down, page, home, end", "choose a peer"},
      {"enter", "one peer, larger"},
      {"s", "sort by rate, handshake, total, endpoint, key, name, loss"},
      {"r", "the other way round"},
      {"/", "only peers with a text in name, key, endpoint or allowed IPs"},
      {"esc", "all peers again"},
      {"tab", "the next interface"},
      {"h", "this page"},
      {"q", "quit"},
  }};
  add({});
  for (const auto& [key, what] : kHelp) add({{padded(key, 28), Look::bold}, {std::string(what)}});
  add({});
  add(
      {{"Rates are bits a second. A peer without a session (dim) has had no handshake for 3 "
        "min."}});
  add({{"Loss is what the peer sent and did not arrive here, of the last 10 looks."}});
}

Line Drawing::keys() const {
  if (state_.is_typing_filter) return {{"filter: " + filter() + "_", Look::bold}};
  Line line{{fmt::format("sorted by {}{}", cli::name_of(state_.sort),
                         state_.is_reversed ? ", reversed" : ""),
             Look::dim}};
  if (!state_.filter.empty()) line.push_back({"   filter: " + filter(), Look::warning});
  line.push_back(
      {"   enter: one peer  s: sort  /: filter  tab: interface  h: help  q: quit", Look::dim});
  return line;
}

}  // namespace

std::string plot(const std::vector<double>& values, std::size_t width, bool has_unicode) {
  static constexpr std::array<std::string_view, 9> kBlocks{" ", "▁", "▂", "▃", "▄",
                                                           "▅", "▆", "▇", "█"};
  static constexpr std::array<std::string_view, 9> kAscii{" ", ".", ":", "-", "=",
                                                          "+", "*", "#", "@"};
  const auto& marks = has_unicode ? kBlocks : kAscii;
  const std::size_t count = std::min(values.size(), width);
  const auto shown = std::span(values).last(count);
  const double highest = count == 0 ? 0 : *std::ranges::max_element(shown);
  std::string text;
  for (const double value : shown) {
    // Anything at all is seen.
    const double part = highest <= 0 ? 0 : value / highest * 8;
    text += marks[value <= 0 ? 0 : std::clamp<std::size_t>(static_cast<std::size_t>(part), 1, 8)];
  }
  return text;
}

std::string rate_text(double bytes_per_second) {
  constexpr std::array<std::string_view, 5> kUnits{"", "k", "M", "G", "T"};
  double bits = bytes_per_second * 8;
  std::size_t unit = 0;
  while (bits >= 1000 && unit + 1 < kUnits.size()) {
    bits /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} ", bits) : fmt::format("{:.1f} {}", bits, kUnits[unit]);
}

std::string loss_text(const std::optional<double>& loss) {
  if (!loss) return "-";
  if (*loss <= 0) return "0 %";
  const double percent = *loss * 100;
  if (percent >= 9.95) return fmt::format("{:.0f} %", percent);
  return fmt::format("{:.1f} %", std::max(percent, 0.1));  // the least is not none
}

std::vector<Line> draw_top(const TopState& state, const monitor::Snapshot& snapshot,
                           const monitor::History& history, const TopScreen& screen) {
  return Drawing(state, snapshot, history, screen).draw();
}

}  // namespace ferrule::cli
