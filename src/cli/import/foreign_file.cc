#include "cli/import/foreign_file.h"

#include "control/conf_document.h"
#include "control/foreign_text.h"

namespace ferrule::cli {

namespace {

bool has_line(std::string_view text, std::string_view wanted) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (control::trimmed(text.substr(0, end)) == wanted) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

// Whose tool wrote the comments.
std::string program_of_conf(std::string_view text) {
  if (text.find("# Client: ") != text.npos) return "wg-easy";
  if (text.find("### begin ") != text.npos) return "pivpn";
  return "wg-quick";
}

}  // namespace

std::expected<Imported, std::string> read_foreign(std::string_view text, std::string_view wanted) {
  if (auto why = control::why_no_text(text, "this file")) return std::unexpected(*why);
  const std::string_view content = control::trimmed(text);
  if (content.empty()) return std::unexpected("there is nothing in this file");
  if (content.front() == '{') return read_wg_easy(text);
  if (content.front() == '<') return read_opnsense(content, wanted);
  if (has_line(text, "[connection]")) return read_network_manager(text);
  if (has_line(text, "[NetDev]")) return read_networkd(text);
  return Imported{program_of_conf(text), "", control::WipedText(text)};
}

}  // namespace ferrule::cli
