// Where configurations of interfaces lie, and how they are written.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/wiped_text.h"
#include "files/output.h"
#include "io/linux/fd.h"

namespace ferrule::files {

constexpr std::string_view kConfSuffix = ".conf";

/// Whether an interface may be called so: 1 to 15 letters, digits, or _=+.-
[[nodiscard]] bool is_interface_name(std::string_view name) noexcept;
/// /etc/wireguard/NAME.conf
[[nodiscard]] std::string conf_path_of(std::string_view interface);

/// The interfaces with a file in /etc/wireguard, by name.
[[nodiscard]] std::vector<std::string> interfaces_with_files();

/// A file of an interface: /etc/wireguard/NAME.conf for a name, and the path itself, which then names
/// the interface too, for anything with a slash.
struct ConfPath {
  std::string path;
  std::string interface;
};
/// An Error when the name is none that an interface can have.
[[nodiscard]] Result<ConfPath> find_conf(std::string_view name_or_path);

/// What stands in a file, and what that means. Move-only, since it holds keys.
struct ConfText {
  control::ConfDocument document;
  control::Configuration configuration;
};
/// Why there is none: the file can't be read, or these are wrong in it.
struct ConfRefusal {
  std::string unreadable;  // "": it could be read
  control::ConfErrors errors;
};
/// Reads a file with wg-quick's keys.
[[nodiscard]] std::expected<ConfText, ConfRefusal> read_conf_text(const std::string& path);
/// Something about a value of a document: about the last one of `key` that holds `value`, or else the last
/// one of `key`, or else the first section.
[[nodiscard]] control::ConfError error_about(const control::ConfDocument& document,
                                             std::string_view key, std::string_view value,
                                             std::string what);

/// A new content of a file, written beside it and not yet in its place: readable by its owner alone,
/// and complete on the disk. Gone, and the file as it was, unless committed. Where nothing can be written
/// beside it (a folder that is read-only) it waits in memory. Move-only.
class StagedFile {
 public:
  /// A symbolic link stays one: what it leads to is replaced.
  [[nodiscard]] static Result<StagedFile> write(const std::string& path,
                                                const std::function<void(Output&)>& print);
  [[nodiscard]] static Result<StagedFile> write(const std::string& path,
                                                const control::WipedText& text);
  StagedFile(StagedFile&& other) noexcept;
  StagedFile& operator=(StagedFile&&) = delete;
  ~StagedFile();

  /// Puts it in its place: in one step, or, where the file is one that can't be replaced (mounted into a
  /// container by itself), by writing into it. After an Error the file is as it was.
  [[nodiscard]] Result<void> commit();
  /// The same of a person's file: what it was can be brought back by `undo` (versions.h), if it can be
  /// kept beside it.
  [[nodiscard]] Result<void> commit_edit();

 private:
  explicit StagedFile(std::string path) noexcept : path_(std::move(path)) {}
  std::string path_;
  std::string staged_;  // beside it; empty: it is in memory, or committed
  io::UniqueFd content_;
};

/// Writes a file that must not be there yet, readable by its owner alone.
[[nodiscard]] Result<void> write_new_file(const std::string& path, std::string_view text);

/// Keeps other changes of the files in the folder of `path` waiting, for the life of what it returns.
/// Of a symbolic link, that is the folder of what it leads to.
[[nodiscard]] Result<io::UniqueFd> lock_folder_of(const std::string& path);

}  // namespace ferrule::files
