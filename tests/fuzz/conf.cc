// Files of wg and wg-quick: any text is a document that gives back its bytes, edits touch the lines
// that they are about, and errors stand where they say and tell no key.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "tests/fuzz/choices.h"

namespace ferrule::control {
namespace {

bool lies_within(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_errors(const ConfDocument& document, const ConfErrors& errors) {
  for (const ConfError& error : errors) {
    FERRULE_CHECK(error.line >= 1 && error.line <= document.line_count());
    const std::size_t line_size = document.line(error.line - 1).size();
    FERRULE_CHECK(error.column >= 1 && error.column - 1 + error.length <= line_size);
    FERRULE_CHECK(error.shown.empty() || error.shown.size() == line_size);
    FERRULE_CHECK(!error.to_string().empty());
  }
}

void check_sections(const ConfDocument& document) {
  std::size_t end = 0;
  for (const ConfSection& section : document.sections()) {
    FERRULE_CHECK(section.header_line >= end && section.end_line > section.header_line);
    end = section.end_line;
    for (const ConfEntry& entry : section.entries) {
      FERRULE_CHECK(entry.line > section.header_line && entry.line < section.end_line);
      FERRULE_CHECK(!entry.key.empty() && lies_within(entry.key, document.line(entry.line)));
      FERRULE_CHECK(entry.value.empty() || lies_within(entry.value, document.line(entry.line)));
    }
  }
  FERRULE_CHECK(end == (document.sections().empty() ? 0 : document.line_count()));
}

void check_configuration(const ConfDocument& document) {
  const auto wg = read_configuration(document, ConfDialect::wg);
  const auto quick = read_configuration(document, ConfDialect::wg_quick);
  check_errors(document, wg ? wg->warnings : wg.error());
  check_errors(document, quick ? quick->warnings : quick.error());
  FERRULE_CHECK(!quick || document.errors().empty());
  if (!wg) return;
  // What wg takes, wg-quick takes alike.
  FERRULE_CHECK(quick && quick->peers.size() == wg->peers.size());
  FERRULE_CHECK(wg->interface.listen_port == quick->interface.listen_port);
  for (std::size_t i = 0; i < wg->peers.size(); ++i) {
    FERRULE_CHECK(wg->peers[i].public_key == quick->peers[i].public_key);
    FERRULE_CHECK(wg->peers[i].endpoint == quick->peers[i].endpoint);
    FERRULE_CHECK(wg->peers[i].section < document.sections().size());
  }
}

std::string text_of(const ConfDocument& document) { return std::string(document.text().view()); }

// Lines with their breaks, the naive way.
std::vector<std::string> naive_lines(std::string_view text) {
  std::vector<std::string> lines(1);
  for (char c : text) {
    lines.back() += c;
    if (c == '\n') lines.emplace_back();
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

void check_edits(ConfDocument& document, fuzz::Choices& choices) {
  const std::vector<std::string> before = naive_lines(text_of(document));
  const std::size_t at = choices.number(0, before.size());
  const std::string added(choices.text(choices.number(0, 80)));
  const std::vector<std::string> more = naive_lines(added);

  document.insert_lines(at, added);
  std::vector<std::string> expected = before;
  if (at > 0 && !expected[at - 1].ends_with('\n')) expected[at - 1] += '\n';
  expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(at), more.begin(), more.end());
  if (!more.empty() && at < before.size() && !more.back().ends_with('\n')) {
    expected[at + more.size() - 1] += '\n';
  }
  FERRULE_CHECK(naive_lines(text_of(document)) == expected);
  FERRULE_CHECK(document.line_count() == expected.size());
  check_sections(document);

  document.erase_lines(at, more.size());
  expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(at),
                 expected.begin() + static_cast<std::ptrdiff_t>(at + more.size()));
  FERRULE_CHECK(naive_lines(text_of(document)) == expected);
  check_sections(document);
}

}  // namespace
}  // namespace ferrule::control

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ferrule;
  using namespace ferrule::control;
  fuzz::Choices choices(data, size);
  // Edits are chosen behind a zero byte, which is no text.
  const std::uint8_t* zero = std::find(data, data + size, 0);
  const std::string_view text = choices.text(static_cast<std::size_t>(zero - data));
  (void)choices.byte();

  ConfDocument document("wg0.conf", text);
  FERRULE_CHECK(document.text().view() == text);
  check_errors(document, document.errors());
  check_sections(document);
  check_configuration(document);
  if (!choices.empty()) check_edits(document, choices);
  return 0;
}
