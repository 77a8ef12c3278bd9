// A .conf file of wg or wg-quick as lines, sections and entries: what each line is, not what it means.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/conf_error.h"
#include "control/wiped_text.h"

namespace ferrule::control {

/// "Key = value" in a section. Both are parts of the document's lines.
struct ConfEntry {
  std::string_view key;    // as written; white space within does not count
  std::string_view value;  // without comment and surrounding white space; may be empty
  std::size_t line = 0;    // index of its line, from 0
};

enum class ConfSectionKind { interface, peer };

struct ConfSection {
  ConfSectionKind kind = ConfSectionKind::interface;
  std::size_t header_line = 0;  // index of the line with its name
  std::size_t end_line = 0;     // index after its last line: comments and blank lines belong to it
  std::vector<ConfEntry> entries;
};

/// The lines of a file, kept as they are with comments and line breaks, and the sections and entries
/// in them, as wg reads them: names in any case, '#' begins a comment anywhere, white space counts
/// nowhere. Every text is a document; lines that are nothing of this are in `errors()`. What is no text
/// at all (UTF-16, zero bytes) is one error, without sections.
///
/// Lines can be edited; views and sections from before are then invalid. Keys may stand in the text:
/// it is wiped. Move-only.
class ConfDocument {
 public:
  /// `file` is the name for messages.
  ConfDocument(std::string file, std::string_view text);

  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  [[nodiscard]] const std::vector<ConfSection>& sections() const noexcept { return sections_; }
  [[nodiscard]] const ConfErrors& errors() const noexcept { return errors_; }

  [[nodiscard]] std::size_t line_count() const noexcept { return lines_.size(); }
  /// Without its line break.
  [[nodiscard]] std::string_view line(std::size_t index) const noexcept;
  /// The whole text; without edits, byte for byte that from which the document was made.
  [[nodiscard]] WipedText text() const;

  /// `text` becomes one or more lines before the line `index`, or the last ones.
  void insert_lines(std::size_t index, std::string_view text);
  void erase_lines(std::size_t first, std::size_t count);

  /// An error about `part`, which is a part of the line `index`.
  [[nodiscard]] ConfError error_at(std::size_t index, std::string_view part,
                                   std::string message) const;

 private:
  void find_sections();
  void read_line(std::size_t index);
  void begin_section(std::size_t index, std::string_view name);
  // True when there are characters that look like spaces, which is said.
  bool find_odd_spaces(std::size_t index, std::string_view content);
  void read_oddly_spaced(std::string_view content, std::size_t index);

  std::string file_;
  std::vector<WipedText> lines_;        // with their line breaks
  std::optional<std::string> no_text_;  // why the file is no text
  std::vector<ConfSection> sections_;
  ConfErrors errors_;
  bool skips_section_ = false;  // within a section whose name means nothing
};

/// White space as wg sees it.
[[nodiscard]] bool is_conf_space(char c) noexcept;
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;
/// Equal but for the case of letters and white space within `written`.
[[nodiscard]] bool is_named(std::string_view written, std::string_view name) noexcept;

/// Whether the value of this key is a command: PostUp and its like.
[[nodiscard]] bool is_command(std::string_view written) noexcept;

}  // namespace ferrule::control
