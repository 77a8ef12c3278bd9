#include "control/peer_edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "control/foreign_words.h"

namespace ferrule::control {

namespace {

constexpr std::size_t kMostWithOneName = 10'000;
constexpr std::size_t kLongestNote = 80;

bool has_name(const ConfDocument& document, const ConfSection& section) {
  for (std::size_t i = section.header_line; i < section.end_line; ++i) {
    const auto note = note_in(document.line(i));
    if (note && is_named(note->key, "Name")) return true;
  }
  return false;
}

// The comment right above the section, or within it; what stands last may belong to the next one.
std::optional<ForeignName> foreign_name_of(const ConfDocument& document,
                                           const ConfSection& section) {
  const std::size_t begin = section.header_line - (section.header_line > 0 ? 1 : 0);
  for (std::size_t i = begin; i < section.end_line; ++i) {
    const std::string_view name = foreign_name(document.line(i));
    const bool is_last =
        i > section.header_line && i + 1 == section.end_line && i + 1 < document.line_count();
    if (name.empty() || is_last) continue;
    return ForeignName{section.header_line, i, shown_name(name)};
  }
  return std::nullopt;
}

// What is_peer_name takes: without what would end a line or quote it.
std::string usable_name(std::string name) {
  for (char& c : name) {
    if (c == '#' || c == '"' || c == '\'') c = '-';
  }
  return name;
}

// All at once: each edit of a document reads it anew.
void insert_names(ConfDocument& document, const std::vector<ForeignName>& names,
                  const std::vector<std::string>& given) {
  const WipedText before = document.text();
  WipedText after;
  after.reserve(before.size() + names.size() * kLongestNote);
  std::string_view rest = before.view();
  std::size_t next = 0;
  for (std::size_t line = 0; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    after.append(rest.substr(0, end));
    rest.remove_prefix(end);
    if (next == names.size() || names[next].header_line != line) continue;
    after.append(
        fmt::format("{}# Name = {}\n", after.view().ends_with('\n') ? "" : "\n", given[next]));
    ++next;
  }
  document = ConfDocument(document.file(), after.view());
}

}  // namespace

void replace_keys(ConfDocument& document, const NamedPeer& peer, std::string_view lines) {
  const auto section =
      std::ranges::find(document.sections(), peer.first_line, &ConfSection::header_line);
  if (section == document.sections().end()) return;
  std::vector<std::size_t> old;
  std::size_t place = section->header_line + 1;
  for (const ConfEntry& entry : section->entries) {
    const bool is_public = is_named(entry.key, "PublicKey");
    if (is_public) place = entry.line;
    if (is_public || is_named(entry.key, "PresharedKey")) old.push_back(entry.line);
  }
  // From the last on, so that the others stay where they are.
  for (auto line = old.rbegin(); line != old.rend(); ++line) {
    document.erase_lines(*line, 1);
    if (*line < place) --place;
  }
  document.insert_lines(place, lines);
}

std::vector<ForeignName> foreign_names(const ConfDocument& document) {
  std::vector<ForeignName> names;
  for (const ConfSection& section : document.sections()) {
    if (section.kind != ConfSectionKind::peer || has_name(document, section)) continue;
    if (auto name = foreign_name_of(document, section)) names.push_back(std::move(*name));
  }
  return names;
}

std::vector<std::string> adopt_names(ConfDocument& document,
                                     const std::vector<ForeignName>& names) {
  std::set<std::string> taken;
  for (const NamedPeer& peer : list_peers(document).peers) taken.insert(peer.name);
  std::vector<std::string> given;
  for (const ForeignName& foreign : names) {
    const std::string wanted = usable_name(foreign.name);
    std::string name = wanted;
    for (std::size_t i = 2; taken.contains(name) && i < kMostWithOneName; ++i) {
      name = shown_name(fmt::format("{}-{}", wanted.substr(0, 56), i));
    }
    taken.insert(name);
    given.push_back(name);
  }
  insert_names(document, names, given);
  return given;
}

}  // namespace ferrule::control
