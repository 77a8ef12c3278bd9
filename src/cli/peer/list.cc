#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "cli/peer/peer_commands.h"
#include "cli/peer/peer_json.h"
#include "cli/peer/peer_state.h"
#include "cli/terminal/columns.h"
#include "cli/terminal/style.h"
#include "client/scopes.h"

namespace ferrule::cli {

namespace {

using control::NamedPeer;
using protocol::PeerStatus;

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastName = 12;
constexpr std::size_t kIPv4Endpoint = 21;

enum Column : std::size_t { name, state, handshake, received, sent, endpoint, expires, address };
constexpr std::size_t kAlways = 6;  // so many columns are there in any case
constexpr std::array<std::string_view, 8> kTitles{"NAME", "STATE",    "HANDSHAKE", "RECEIVED",
                                                  "SENT", "ENDPOINT", "EXPIRES",   "ALLOWED IPS"};

struct Row {
  std::array<std::string, kTitles.size()> cells;
  PeerState state = PeerState::idle;
};

Row row_of(const Console& console, const PeerFile& file, const NamedPeer& peer,
           const PeerStatus* status) {
  Row row;
  row.state = state_of(file, peer, status, console.now_s);
  row.cells[Column::name] = name_or_key(peer);
  row.cells[Column::state] = name_of(row.state);
  row.cells[Column::handshake] =
      status != nullptr ? age_text(status->last_handshake.seconds, console.now_s) : "-";
  row.cells[Column::received] = status != nullptr ? short_size(status->rx_bytes) : "-";
  row.cells[Column::sent] = status != nullptr ? short_size(status->tx_bytes) : "-";
  row.cells[Column::endpoint] =
      status != nullptr && !status->endpoint.is_none() ? client::text_of(status->endpoint) : "-";
  row.cells[Column::expires] = peer.expires ? control::date_text(*peer.expires) : "";
  row.cells[Column::address] = prefixes_text(peer);
  return row;
}

// Of each column; 0: it is not shown.
using Widths = std::array<std::size_t, kTitles.size()>;

std::size_t total(const Widths& widths) {
  std::size_t sum = 0;
  for (const std::size_t width : widths) sum += width == 0 ? 0 : width + kGap;
  return sum - kGap;
}

// Those that are there in any case as wide as they want, and the others where they find room. Where not
// even the former do, endpoints and names are cut.
Widths widths_of(const std::vector<Row>& rows, std::size_t room) {
  Widths wanted{};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    for (const Row& row : rows) wanted[i] = std::max(wanted[i], columns_of(row.cells[i]));
    if (i < kAlways || wanted[i] > 0) wanted[i] = std::max(wanted[i], kTitles[i].size());
  }
  Widths widths = wanted;
  std::fill(widths.begin() + kAlways, widths.end(), 0);
  const auto narrow = [&](Column column, std::size_t least) {
    const std::size_t all = total(widths);
    if (all <= room || widths[column] <= least) return;
    widths[column] -= std::min(all - room, widths[column] - least);
  };
  narrow(Column::endpoint, kIPv4Endpoint);
  narrow(Column::name, kLeastName);
  narrow(Column::endpoint, kTitles[Column::endpoint].size());
  for (std::size_t i = kAlways; i < wanted.size(); ++i) {
    if (wanted[i] > 0 && total(widths) + kGap + wanted[i] <= room) widths[i] = wanted[i];
  }
  return widths;
}

bool is_number(std::size_t column) {
  return column == Column::handshake || column == Column::received || column == Column::sent;
}

std::string cell_text(std::string_view cell, std::size_t column, std::size_t width) {
  const std::string text = shortened(cell, width);
  if (!is_number(column)) return padded(text, width);
  return std::string(width - columns_of(text), ' ') + text;
}

std::string line_of(const Row& row, const Widths& widths, const Style& style) {
  std::string line;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] == 0) continue;
    if (!line.empty()) line.append(kGap, ' ');
    const std::string text = cell_text(row.cells[i], i, widths[i]);
    line += i == Column::state ? colored(row.state, text, style) : text;
  }
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

void print_table(Output& out, const std::vector<Row>& rows) {
  const Style style(wants_color(out.fd()));
  const Widths widths = widths_of(rows, terminal_columns(out.fd()));
  Row titles;
  std::ranges::copy(kTitles, titles.cells.begin());
  std::string heading = line_of(titles, widths, Style(false));
  heading.pop_back();
  out.print("{}\n", style.bold(heading));
  for (const Row& row : rows) out.write(line_of(row, widths, style));
}

}  // namespace

int list_peers(Console& console, const PeerFile& file, const PeerOptions& options) {
  const StatusByKey statuses(file);
  if (options.is_json) {
    JsonList list(console.out);
    for (const NamedPeer& peer : file.list.peers) {
      list.add(json_of(console, file, peer, statuses.of(peer)));
    }
    list.end();
    return 0;
  }
  if (file.list.peers.empty()) {
    console.out.print("{} has no peers: `ferrule peer add {} NAME' makes one\n", file.interface,
                      options.interface);
    return 0;
  }
  std::vector<Row> rows;
  for (const NamedPeer& peer : file.list.peers) {
    rows.push_back(row_of(console, file, peer, statuses.of(peer)));
  }
  print_table(console.out, rows);
  return 0;
}

}  // namespace ferrule::cli
