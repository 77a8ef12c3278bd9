#include "control/named_peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/key_text.h"
#include "base/utf8.h"
#include "control/peer_section.h"
#include "control/values.h"
#include "control/wiped_text.h"

namespace ferrule::control {

namespace {

constexpr std::string_view kDisabled = "#~";
constexpr std::array<std::string_view, 7> kInterfaceNotes{
    "Endpoint", "ClientDNS", "Implementation", "Forward", "KillSwitch", "Bind", "BindInterface"};
constexpr std::size_t kLongestName = 64;
constexpr unsigned kLongestLifeYears = 1000;  // any more is a mistake, and would overflow

bool is_note(std::string_view line, std::string_view key) {
  const auto note = note_in(line);
  return note && is_named(note->key, key);
}

bool is_comment(std::string_view line) { return trimmed(line).starts_with('#'); }

// "#~ line", or "#~" for an empty one. What else begins so is somebody's own comment.
bool is_disabled(std::string_view line) {
  if (!line.starts_with(kDisabled)) return false;
  line.remove_prefix(kDisabled.size());
  return line.empty() || is_conf_space(line.front());
}

// A disabled line as it was.
std::string_view enabled(std::string_view line) {
  line.remove_prefix(kDisabled.size());
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

bool is_disabled_header(std::string_view line) {
  if (!is_disabled(line)) return false;
  const std::string_view content = enabled(line);
  return is_named(content.substr(0, content.find('#')), "[Peer]");
}

bool continues_disabled(std::string_view line) {
  return is_disabled(line) && !trimmed(enabled(line)).starts_with('[');
}

// The name of a section, be it in a comment.
bool names_section(std::string_view line) {
  const std::size_t begin = line.find_first_not_of("#~ \t");
  return begin != line.npos && line[begin] == '[';
}

NamedPeer disabled_extent_at(const ConfDocument& document, std::size_t first) {
  NamedPeer peer;
  peer.is_enabled = false;
  peer.first_line = first;
  peer.end_line = first + 1;
  while (peer.end_line < document.line_count() &&
         continues_disabled(document.line(peer.end_line))) {
    ++peer.end_line;
  }
  return peer;
}

std::vector<NamedPeer> find_peers(const ConfDocument& document) {
  std::vector<NamedPeer> peers;
  for (std::size_t i = 0; i < document.sections().size(); ++i) {
    const ConfSection& section = document.sections()[i];
    if (section.kind != ConfSectionKind::peer) continue;
    NamedPeer& peer = peers.emplace_back();
    peer.conf.section = i;
    peer.first_line = section.header_line;
    peer.end_line = own_end(document, section);
  }
  for (std::size_t i = 0; i < document.line_count(); ++i) {
    if (is_disabled_header(document.line(i))) peers.push_back(disabled_extent_at(document, i));
  }
  std::ranges::sort(peers, {}, &NamedPeer::first_line);
  return peers;
}

// Moves an error about the text of a disabled peer to where that stands in the file.
void set_in_file(const ConfDocument& document, const NamedPeer& peer, ConfError& error) {
  error.line += peer.first_line;
  const std::string_view line = document.line(error.line - 1);
  const std::string_view start = line.substr(0, line.size() - enabled(line).size());
  error.column += start.size();
  error.shown.insert(0, start);
}

// What comments among a peer's lines say of it. In `lines` it begins at `first` and ends before `end`.
void read_notes(const ConfDocument& lines, std::size_t first, std::size_t end, NamedPeer& peer,
                ConfErrors& errors) {
  for (std::size_t i = first + 1; i < end; ++i) {
    const auto note = note_in(lines.line(i));
    if (!note) continue;
    if (is_named(note->key, "Name")) peer.name = shown_name(note->value);
    if (!is_named(note->key, "Expires")) continue;
    peer.expires = parse_date(note->value);
    if (peer.expires) continue;
    errors.push_back(lines.error_at(i, note->value, "Expires: expected a date, like 2027-01-31"));
  }
}

ConfErrors take(std::expected<PeerConf, ConfErrors> read, NamedPeer& peer) {
  if (!read) return std::move(read.error());
  peer.conf = std::move(*read);
  return {};
}

// Each reads a peer whose lines are known, and returns what is wrong with them.

ConfErrors read_enabled(const ConfDocument& document, NamedPeer& peer) {
  ConfErrors errors = take(read_peer_section(document, peer.conf.section, peer.end_line), peer);
  read_notes(document, peer.first_line, peer.end_line, peer, errors);
  return errors;
}

// What is in comments is a section in a document of its own.
ConfErrors read_disabled(const ConfDocument& document, NamedPeer& peer) {
  const ConfDocument section(document.file(), section_text(document, peer).view());
  const bool is_text = !section.sections().empty();
  ConfErrors errors =
      is_text ? take(read_peer_section(section, 0, section.line_count()), peer) : section.errors();
  read_notes(section, 0, section.line_count(), peer, errors);
  for (ConfError& error : errors) set_in_file(document, peer, error);
  return errors;
}

// Dates in none of the lines of these peers, nor in those of a peer that somebody has made a comment.
ConfErrors find_dates_of_nobody(const ConfDocument& document, const std::vector<NamedPeer>& peers) {
  std::vector<bool> is_owned(document.line_count());
  for (const NamedPeer& peer : peers) {
    std::fill(is_owned.begin() + static_cast<std::ptrdiff_t>(peer.first_line),
              is_owned.begin() + static_cast<std::ptrdiff_t>(peer.end_line), true);
  }
  ConfErrors errors;
  bool is_in_old_peer = false;
  for (std::size_t i = 0; i < document.line_count(); ++i) {
    const std::string_view line = document.line(i);
    is_in_old_peer = !is_owned[i] && is_comment(line) && (is_in_old_peer || names_section(line));
    if (is_owned[i] || is_in_old_peer) continue;
    if (!is_note(is_disabled(line) ? enabled(line) : line, "Expires")) continue;
    errors.push_back(document.error_at(i, trimmed(line),
                                       "Expires: this is no peer's date: it belongs among a peer's "
                                       "lines, or right behind them"));
  }
  return errors;
}

void replace_lines(ConfDocument& document, std::size_t first, std::size_t end,
                   std::string_view text) {
  document.erase_lines(first, end - first);
  document.insert_lines(first, text);
}

bool is_blank(const ConfDocument& document, std::size_t line) {
  return trimmed(document.line(line)).empty();
}

// Comments that have become the neighbours of a peer, at `line`, do not become part of it.
void keep_apart(ConfDocument& document, std::size_t line) {
  const bool is_within = std::ranges::any_of(find_peers(document), [&](const NamedPeer& peer) {
    return peer.first_line < line && line < peer.end_line;
  });
  if (is_within) document.insert_lines(line, "\n");
}

// " 18:00", or "T18:00", or nothing, behind a day.
std::optional<std::chrono::minutes> parse_hour(std::string_view text) noexcept {
  if (text.empty()) return std::chrono::minutes(0);
  if (text.size() != 6 || (text[0] != ' ' && text[0] != 'T') || text[3] != ':') return std::nullopt;
  const auto hour = parse_decimal<unsigned>(text.substr(1, 2));
  const auto minute = parse_decimal<unsigned>(text.substr(4, 2));
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return std::chrono::minutes(*hour * 60 + *minute);
}

// The first disabled peer that has values of another section behind it, and that section.
struct Enclosed {
  NamedPeer peer;
  std::size_t header_line = 0;
};
std::optional<Enclosed> find_enclosed(const ConfDocument& document) {
  for (const ConfSection& section : document.sections()) {
    if (section.entries.empty()) continue;
    for (std::size_t i = section.header_line + 1; i < section.entries.back().line; ++i) {
      if (!is_disabled_header(document.line(i))) continue;
      return Enclosed{disabled_extent_at(document, i), section.header_line};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Date> parse_date(std::string_view text) noexcept {
  constexpr std::size_t kDay = 10;
  if (text.size() < kDay || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = parse_decimal<unsigned>(text.substr(0, 4));
  const auto month = parse_decimal<unsigned>(text.substr(5, 2));
  const auto day = parse_decimal<unsigned>(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  const auto time = parse_hour(text.substr(kDay));
  if (!date.ok() || !time) return std::nullopt;
  return std::chrono::sys_days(date) + *time;
}

std::optional<Date> parse_expiry(std::string_view text, Date now) noexcept {
  if (const auto date = parse_date(text)) return date;
  if (text.empty()) return std::nullopt;
  const auto count = parse_decimal<unsigned>(text.substr(0, text.size() - 1));
  if (!count || *count > kLongestLifeYears * 365) return std::nullopt;
  if (text.back() == 'h') return now + std::chrono::hours(*count);
  const unsigned days = text.back() == 'd'   ? 1
                        : text.back() == 'w' ? 7
                        : text.back() == 'y' ? 365
                                             : 0;
  if (days == 0 || *count > kLongestLifeYears * 365 / days) return std::nullopt;
  return std::chrono::floor<std::chrono::days>(now) + std::chrono::days(*count * days);
}

std::string date_text(Date date) {
  const auto day_begins = std::chrono::floor<std::chrono::days>(date);
  const std::chrono::year_month_day day(day_begins);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                  static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  const auto minutes = std::chrono::floor<std::chrono::minutes>(date - day_begins).count();
  if (minutes != 0) text += fmt::format(" {:02}:{:02}", minutes / 60, minutes % 60);
  return text;
}

bool is_peer_name(std::string_view name) noexcept {
  const auto is_bad = [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '#' || c == '"' || c == '\'';
  };
  return !name.empty() && name == trimmed(name) && std::ranges::none_of(name, is_bad) &&
         name == shown_name(name);
}

std::string shown_name(std::string_view written) {
  std::string name;
  while (!written.empty()) {
    const auto next = first_character(written);
    const std::string_view shown =
        next && is_printable(next->code) ? written.substr(0, next->size) : "?";
    if (name.size() + shown.size() > kLongestName) break;
    name += shown;
    written.remove_prefix(next ? next->size : 1);
  }
  return name;
}

std::optional<Note> note_in(std::string_view line) {
  line = trimmed(line);
  const std::size_t equals = line.find('=');
  if (!line.starts_with('#') || equals == line.npos) return std::nullopt;
  return Note{trimmed(line.substr(1, equals - 1)), trimmed(line.substr(equals + 1))};
}

bool is_interface_note(std::string_view line) noexcept {
  return std::ranges::any_of(kInterfaceNotes,
                             [line](std::string_view key) { return is_note(line, key); });
}

std::size_t own_end(const ConfDocument& document, const ConfSection& section) {
  const auto is_own_note = [&](std::string_view line) {
    if (section.kind == ConfSectionKind::interface) return is_interface_note(line);
    return is_note(line, "Name") || is_note(line, "Expires");
  };
  std::size_t end =
      section.entries.empty() ? section.header_line + 1 : section.entries.back().line + 1;
  while (end < section.end_line && is_own_note(document.line(end))) ++end;
  std::size_t tail = end;
  while (tail < section.end_line && is_comment(document.line(tail)) &&
         !is_disabled(document.line(tail)) && !names_section(document.line(tail))) {
    ++tail;
  }
  const bool leads_next = tail < document.line_count() && names_section(document.line(tail));
  return leads_next ? end : tail;
}

WipedText section_text(const ConfDocument& document, const NamedPeer& peer) {
  WipedText text;
  for (std::size_t i = peer.first_line; i < peer.end_line; ++i) {
    text.append(peer.is_enabled ? document.line(i) : enabled(document.line(i)));
    text.append("\n");
  }
  return text;
}

PeerList list_peers(const ConfDocument& document) {
  PeerList list;
  std::vector<NamedPeer> peers = find_peers(document);
  list.dates_of_nobody = find_dates_of_nobody(document, peers);
  for (NamedPeer& peer : peers) {
    ConfErrors errors =
        peer.is_enabled ? read_enabled(document, peer) : read_disabled(document, peer);
    if (errors.empty()) {
      list.peers.push_back(std::move(peer));
    } else {
      std::ranges::move(
          errors, std::back_inserter(peer.is_enabled ? list.errors : list.errors_of_disabled));
    }
  }
  return list;
}

std::expected<std::vector<NamedPeer>, ConfErrors> read_peers(const ConfDocument& document) {
  PeerList list = list_peers(document);
  std::ranges::move(list.errors_of_disabled, std::back_inserter(list.errors));
  if (!list.errors.empty()) return std::unexpected(std::move(list.errors));
  return std::move(list.peers);
}

const NamedPeer* find_peer(const std::vector<NamedPeer>& peers, std::string_view name_or_key) {
  const auto key = public_key_from_base64(name_or_key);
  const std::string name = shown_name(name_or_key);  // whoever copies it from the file means it too
  const auto found = std::ranges::find_if(peers, [&](const NamedPeer& peer) {
    return peer.name == name || (key && peer.conf.public_key == *key);
  });
  return found == peers.end() || name_or_key.empty() ? nullptr : &*found;
}

void append_peer(ConfDocument& document, std::string_view section) {
  const std::size_t end = document.line_count();
  const bool is_apart = end == 0 || trimmed(document.line(end - 1)).empty();
  WipedText text(is_apart ? "" : "\n");
  text.append(section);
  document.insert_lines(end, text.view());
}

void remove_peer(ConfDocument& document, const NamedPeer& peer) {
  std::size_t end = peer.end_line;
  const bool is_below_gap = peer.first_line == 0 || is_blank(document, peer.first_line - 1);
  if (is_below_gap && end < document.line_count() && is_blank(document, end)) ++end;
  document.erase_lines(peer.first_line, end - peer.first_line);
  keep_apart(document, peer.first_line);
}

// The last name counts.
void rename_peer(ConfDocument& document, const NamedPeer& peer, std::string_view name) {
  const std::string_view start = peer.is_enabled ? "" : "#~ ";
  const std::string note = fmt::format("{}# Name = {}\n", start, name);
  for (std::size_t i = peer.end_line; --i > peer.first_line;) {
    const std::string_view line = document.line(i);
    if (!is_note(peer.is_enabled ? line : enabled(line), "Name")) continue;
    return replace_lines(document, i, i + 1, note);
  }
  document.insert_lines(peer.first_line + 1, note);
}

void disable_peer(ConfDocument& document, const NamedPeer& peer) {
  WipedText text;
  for (std::size_t i = peer.first_line; i < peer.end_line; ++i) {
    const std::string_view line = document.line(i);
    text.append(kDisabled);
    if (!line.empty()) text.append(" ");
    text.append(line);
    text.append("\n");
  }
  replace_lines(document, peer.first_line, peer.end_line, text.view());
  keep_apart(document, peer.end_line);
}

void enable_peer(ConfDocument& document, const NamedPeer& peer) {
  const WipedText text = section_text(document, peer);
  replace_lines(document, peer.first_line, peer.end_line, text.view());
  keep_apart(document, peer.end_line);
}

bool set_disabled_apart(ConfDocument& document) {
  bool has_moved = false;
  while (const auto enclosed = find_enclosed(document)) {
    has_moved = true;
    const auto& [peer, header_line] = *enclosed;
    WipedText text("\n");
    for (std::size_t i = peer.first_line; i < peer.end_line; ++i) {
      text.append(document.line(i));
      text.append("\n");
    }
    document.erase_lines(peer.first_line, peer.end_line - peer.first_line);
    const auto section =
        std::ranges::find(document.sections(), header_line, &ConfSection::header_line);
    const std::size_t end = own_end(document, *section);
    if (end < document.line_count() && !is_blank(document, end)) text.append("\n");
    document.insert_lines(end, text.view());
  }
  return has_moved;
}

std::optional<std::string> interface_note(const ConfDocument& document, std::string_view key) {
  std::optional<std::string> found;
  for (const ConfSection& section : document.sections()) {
    if (section.kind != ConfSectionKind::interface) continue;
    for (std::size_t i = section.header_line + 1; i < section.end_line; ++i) {
      const bool is_behind_values = section.entries.empty() || i > section.entries.back().line;
      if (is_behind_values && is_disabled_header(document.line(i))) break;
      const auto note = note_in(document.line(i));
      if (note && is_named(note->key, key) && !note->value.empty()) {
        found = std::string(note->value);
      }
    }
  }
  return found;
}

}  // namespace ferrule::control
