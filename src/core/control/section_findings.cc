#include "control/section_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "control/foreign_words.h"
#include "control/hidden_keys.h"
#include "control/named_peers.h"
#include "control/peer_edits.h"

namespace ferrule::control {

namespace {

struct SingleKey {
  std::string_view name;
  Severity severity;  // of a second one
};
// Of a peer without its name or place, and an interface without its key, nothing works as meant.
constexpr std::array<SingleKey, 10> kSingleKeys{{
    {"PrivateKey", Severity::error},
    {"PublicKey", Severity::error},
    {"PresharedKey", Severity::error},
    {"Endpoint", Severity::error},
    {"ListenPort", Severity::warning},
    {"FwMark", Severity::warning},
    {"MTU", Severity::warning},
    {"Table", Severity::warning},
    {"SaveConfig", Severity::warning},
    {"PersistentKeepalive", Severity::warning},
}};

class Sections {
 public:
  explicit Sections(const ConfDocument& document) : document_(document) {}

  std::vector<ConfFinding> find() {
    const ConfSection* interface = nullptr;
    std::map<std::string_view, std::size_t> interface_lines;
    for (const ConfSection& section : document_.sections()) {
      if (section.kind == ConfSectionKind::peer) {
        std::map<std::string_view, std::size_t> lines;
        find_repeated(section, lines);
        continue;
      }
      if (interface != nullptr) {
        tell(Severity::warning, "repeated-section", section.header_line, header_of(section),
             fmt::format("a second [Interface]: it and that of line {} are one",
                         interface->header_line + 1));
      }
      interface = &section;
      find_repeated(section, interface_lines);
    }
    if (interface == nullptr) tell_no_interface();
    find_foreign_names();
    return std::move(findings_);
  }

 private:
  void find_repeated(const ConfSection& section, std::map<std::string_view, std::size_t>& lines) {
    for (const ConfEntry& entry : section.entries) {
      const auto key = std::ranges::find_if(kSingleKeys, [&](const SingleKey& candidate) {
        return is_named(entry.key, candidate.name);
      });
      if (key == kSingleKeys.end()) continue;
      const auto [first, is_new] = lines.emplace(key->name, entry.line);
      if (is_new) continue;
      const std::string_view hint =
          key->name == "PublicKey" ? "; is a line [Peer] missing between them?" : "";
      tell(key->severity, "repeated-key", entry.line, entry.key,
           fmt::format("{} stands in line {} already: only the last one counts{}", key->name,
                       std::exchange(first->second, entry.line) + 1, hint));
    }
  }

  // Said of the first, with how many there are.
  void find_foreign_names() {
    const std::vector<ForeignName> names = foreign_names(document_);
    if (names.empty()) return;
    const std::size_t line = names.front().line;
    tell(Severity::note, "foreign-name", line, foreign_name(document_.line(line)),
         fmt::format(
             "here is a peer's name in another tool's words, as of {} in this file: `ferrule "
             "peer adopt {}' takes {} over",
             names.size() == 1 ? "one peer" : fmt::format("{} peers", names.size()),
             document_.file(), names.size() == 1 ? "it" : "them"));
  }

  void tell_no_interface() {
    const std::string message =
        document_.sections().empty()
            ? "there is nothing in this file: an [Interface] with a PrivateKey is wanted, and a "
              "[Peer]. `ferrule init' writes one"
            : "there is no [Interface] in this file: without a PrivateKey no peer will answer";
    if (document_.sections().empty()) {
      findings_.push_back(
          {Severity::error, "no-interface", {document_.file(), 1, 1, 0, message, ""}});
    } else {
      const ConfSection& first = document_.sections().front();
      tell(Severity::error, "no-interface", first.header_line, header_of(first), message);
    }
  }

  [[nodiscard]] std::string_view header_of(const ConfSection& section) const {
    const std::string_view line = document_.line(section.header_line);
    return trimmed(line.substr(0, line.find('#')));
  }
  void tell(Severity severity, std::string_view rule, std::size_t line, std::string_view part,
            std::string message) {
    findings_.push_back({severity, rule, document_.error_at(line, part, std::move(message))});
  }

  const ConfDocument& document_;
  std::vector<ConfFinding> findings_;
};

}  // namespace

std::vector<ConfFinding> find_section_mistakes(const ConfDocument& document) {
  return Sections(document).find();
}

}  // namespace ferrule::control
