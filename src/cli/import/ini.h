// Files of [sections] with key=value, as NetworkManager and systemd have them.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace ferrule::cli {

/// All are parts of the text.
struct IniSection {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string_view>> entries;

  /// The last value of a key; "" when there is none.
  [[nodiscard]] std::string_view value(std::string_view key) const noexcept;
  /// All of them.
  [[nodiscard]] std::vector<std::string_view> values(std::string_view key) const;
};

/// Lines that are nothing of the kind are passed over, as both programs do. Keys and names are matched
/// without regard to case.
[[nodiscard]] std::vector<IniSection> read_ini(std::string_view text);

[[nodiscard]] bool is_same_word(std::string_view a, std::string_view b) noexcept;

}  // namespace ferrule::cli
