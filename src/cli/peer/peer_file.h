// A configuration file and the device that runs by it, changed together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/keys.h"
#include "cli/terminal/command.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/named_peers.h"
#include "control/uapi_client.h"
#include "files/conf_file.h"
#include "protocol/configuration.h"

namespace ferrule::cli {

/// The file of an interface with its peers, and the device, if it runs. Whoever else changes files in
/// this folder waits while this lives. Move-only.
class PeerFile {
 public:
  enum class Mistakes { refused, passed_over };
  /// When it can't be read, says why and returns nothing. Peers with mistakes in their comments, or
  /// that are disabled and have any, are spoken of; then the file is refused, or is without them.
  [[nodiscard]] static std::optional<PeerFile> open(Console& console, std::string_view name_or_path,
                                                    Mistakes mistakes = Mistakes::refused);

  [[nodiscard]] const std::string& path() const noexcept { return path_.path; }
  [[nodiscard]] const std::string& interface() const noexcept { return path_.interface; }
  /// To be edited, then applied.
  [[nodiscard]] control::ConfDocument& document() noexcept { return document_; }
  [[nodiscard]] const control::Configuration& configuration() const noexcept {
    return configuration_;
  }
  [[nodiscard]] const std::vector<control::NamedPeer>& peers() const noexcept { return peers_; }
  /// Whether there were no mistakes.
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
  /// As the device was when the file was opened; none when it does not run.
  [[nodiscard]] const std::optional<control::DeviceStatus>& device() const noexcept {
    return device_;
  }
  /// " (which is not up)" behind the interface's name, or nothing.
  [[nodiscard]] std::string_view if_not_up() const noexcept {
    return device_ ? "" : " (which is not up)";
  }
  /// Whether the device runs and has this peer.
  [[nodiscard]] bool is_running(const control::NamedPeer& peer) const;
  /// A peer by its name or key. When there is none, or another of the same name, says so and returns
  /// null.
  [[nodiscard]] const control::NamedPeer* find(Console& console,
                                               std::string_view name_or_key) const;

  /// Writes the document, and changes the device, if it runs: both, or neither. When it fails, says
  /// why and returns false.
  [[nodiscard]] bool apply(Console& console, const protocol::DeviceChange& change);

 private:
  PeerFile(files::ConfPath path, io::UniqueFd lock, files::ConfText text) noexcept
      : path_(std::move(path)),
        lock_(std::move(lock)),
        document_(std::move(text.document)),
        configuration_(std::move(text.configuration)) {}
  [[nodiscard]] protocol::DeviceChange undo_of(const protocol::DeviceChange& change) const;

  files::ConfPath path_;
  io::UniqueFd lock_;
  control::ConfDocument document_;
  control::Configuration configuration_;
  std::vector<control::NamedPeer> peers_;
  bool is_whole_ = true;
  std::optional<control::DeviceStatus> device_;
};

}  // namespace ferrule::cli
