#include "control/odd_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "control/foreign_text.h"
#include "control/named_peers.h"
#include "control/value_mistakes.h"
#include "control/values.h"

namespace ferrule::control {

namespace {

constexpr std::uint16_t kAnyPort = 51820;  // a note may leave it to ListenPort

// Parts between what separates: commas, and white space too.
template <class Take>
void for_each_word(std::string_view list, bool spaces_separate, Take take) {
  const auto separates = [&](char c) { return c == ',' || (spaces_separate && is_conf_space(c)); };
  while (true) {
    const auto end = static_cast<std::size_t>(std::ranges::find_if(list, separates) - list.begin());
    if (const std::string_view word = trimmed(list.substr(0, end)); !word.empty()) take(word);
    if (end == list.size()) return;
    list.remove_prefix(end + 1);
  }
}

class OddValues {
 public:
  explicit OddValues(const ConfDocument& document) : document_(document) {}

  std::vector<ConfFinding> find() {
    for (const ConfSection& section : document_.sections()) {
      for (const ConfEntry& entry : section.entries) look_at(entry);
      if (section.kind == ConfSectionKind::interface) look_at_notes(section);
    }
    return std::move(findings_);
  }

 private:
  void look_at(const ConfEntry& entry) {
    if (is_named(entry.key, "Address")) {
      for_each_word(entry.value, true, [&](std::string_view word) {
        const auto address = parse_interface_address(word);
        if (address) tell("odd-address", entry, "Address", word, address_doubt(*address));
      });
    } else if (is_named(entry.key, "DNS")) {
      for_each_word(entry.value, true, [&](std::string_view word) {
        const auto server = IpAddress::parse(word);
        if (server) tell("odd-dns", entry, "DNS", word, dns_doubt(*server));
      });
    } else if (is_named(entry.key, "AllowedIPs")) {
      for_each_word(entry.value, false, [&](std::string_view word) {
        tell("odd-allowed-ip", entry, "AllowedIPs", word, allowed_ip_doubt(word));
      });
    } else if (is_named(entry.key, "Endpoint")) {
      std::string text(entry.value);
      std::erase_if(text, is_conf_space);  // as wg does
      if (!endpoint_mistake(text)) {
        tell("odd-endpoint", entry, "Endpoint", entry.value, endpoint_doubt(text));
      }
    } else if (is_command(entry.key)) {
      const auto space = find_odd_space(entry.value);
      if (!space) return;
      tell("odd-space", entry, entry.key, entry.value.substr(space->at, space->size),
           Doubt{false, odd_space_message(*space)});
    }
  }

  void look_at_notes(const ConfSection& section) {
    for (std::size_t i = section.header_line + 1; i < section.end_line; ++i) {
      const auto note = note_in(document_.line(i));
      if (!note || note->value.empty()) continue;
      if (is_named(note->key, "Endpoint")) {
        const auto whole = complete_endpoint(note->value, kAnyPort);
        if (!whole) tell_note(i, note->value, "Endpoint", whole.error());
      } else if (is_named(note->key, "ClientDNS")) {
        for_each_word(note->value, true, [&](std::string_view word) {
          const auto mistake = dns_mistake(word);
          if (mistake) tell_note(i, word, "ClientDNS", *mistake);
        });
      }
    }
  }

  void tell(std::string_view rule, const ConfEntry& entry, std::string_view key,
            std::string_view part, const std::optional<Doubt>& doubt) {
    if (!doubt) return;
    findings_.push_back(
        {doubt->is_error ? Severity::error : Severity::warning, rule,
         document_.error_at(entry.line, part, fmt::format("{}: {}", key, doubt->what))});
  }
  void tell_note(std::size_t line, std::string_view part, std::string_view key,
                 const std::string& what) {
    findings_.push_back({Severity::warning, "odd-note",
                         document_.error_at(line, part, fmt::format("{}: {}", key, what))});
  }

  const ConfDocument& document_;
  std::vector<ConfFinding> findings_;
};

}  // namespace

std::vector<ConfFinding> find_odd_values(const ConfDocument& document) {
  return OddValues(document).find();
}

}  // namespace ferrule::control
