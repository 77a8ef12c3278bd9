// A device as `show` prints it: for people, and in lines of fields for programs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/terminal/output.h"
#include "cli/terminal/style.h"
#include "control/uapi_client.h"
#include "monitor/peer_names.h"

namespace ferrule::cli {

/// What is printed of a device: its name, and what it said.
struct NamedDevice {
  std::string name;
  control::DeviceStatus status;
  std::shared_ptr<const monitor::PeerNames> names = {};  // null: peers go by their keys
  control::DeviceSettings settings = {};                 // of a daemon that tells

  /// What people call a peer; "" where they call it nothing.
  [[nodiscard]] std::string_view name_of(const PublicKey& peer) const noexcept {
    if (names == nullptr) return {};
    const auto found = names->find(peer);
    return found == names->end() ? std::string_view() : found->second;
  }
};

/// For people; peers by their latest handshake.
void print_pretty(Output& out, const NamedDevice& device, const Style& style, std::int64_t now_s);

/// One field, like `endpoints`, or `dump` for all; with_name begins each line with the device's name.
/// False when there is no such field.
[[nodiscard]] bool print_field(Output& out, const NamedDevice& device, std::string_view field,
                               bool with_name);

/// The device's name: its whole description, in the words of wg-json (docs/schemas/show.json).
void print_json(Output& out, const NamedDevice& device);

}  // namespace ferrule::cli
