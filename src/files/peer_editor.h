// A configuration file and the device that runs by it, changed together.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "client/device_client.h"
#include "control/conf_document.h"
#include "files/conf_file.h"
#include "files/failure.h"
#include "files/peer_file.h"
#include "io/linux/fd.h"
#include "protocol/configuration.h"

namespace ferrule::files {

/// Why a file and its device were not changed.
struct EditFailure {
  std::string what;          // in a line
  bool is_as_before = true;  // or else the device has changed, and the file has not
};

/// The document is edited, then applied. Whoever else changes files in its folder waits while this lives.
/// Move-only; the devices outlive it.
class PeerEditor {
 public:
  [[nodiscard]] static Attempt<PeerEditor> open(client::DeviceClient& devices,
                                                const ConfPath& path);

  /// What was read. In it each peer's lines are its alone; when peers are edited, those behind them move.
  [[nodiscard]] const PeerFile& file() const noexcept { return file_; }
  /// To be edited.
  [[nodiscard]] control::ConfDocument& document() noexcept { return file_.document; }

  /// Writes the document, and changes the device, if it runs: both, or neither.
  [[nodiscard]] std::expected<void, EditFailure> apply(const protocol::DeviceChange& change);

 private:
  PeerEditor(client::DeviceClient& devices, io::UniqueFd lock, PeerFile file) noexcept
      : devices_(&devices), lock_(std::move(lock)), file_(std::move(file)) {}
  [[nodiscard]] protocol::DeviceChange undo_of(const protocol::DeviceChange& change) const;

  client::DeviceClient* devices_;
  io::UniqueFd lock_;
  PeerFile file_;
};

}  // namespace ferrule::files
