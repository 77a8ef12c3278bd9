// A device as `show` prints it: for people, and in lines of fields for programs.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/terminal/output.h"
#include "cli/terminal/style.h"
#include "control/uapi_client.h"
#include "control/wiped_text.h"

namespace ferrule::cli {

/// What is printed of a device: its name, and what it said.
struct NamedDevice {
  std::string name;
  control::DeviceStatus status;
};

/// For people; peers by their latest handshake.
void print_pretty(Output& out, const NamedDevice& device, const Style& style, std::int64_t now_s);

/// One field, like `endpoints`, or `dump` for all; with_name begins each line with the device's name.
/// False when there is no such field.
[[nodiscard]] bool print_field(Output& out, const NamedDevice& device, std::string_view field,
                               bool with_name);

/// The device's name: its whole description, in the words of wg-json.
void print_json(Output& out, const NamedDevice& device);

/// A .conf file that configures the device as it is.
void print_conf(Output& out, const control::DeviceStatus& status);
/// The two parts of it: what is in [Interface], below that line, and the peers.
void print_device_conf(Output& out, const control::DeviceStatus& status);
/// `heads` are the lines to stand in the place of "[Peer]" for the peers that have any.
using PeerHeads = std::map<PublicKey, control::WipedText>;
void print_peers_conf(Output& out, const control::DeviceStatus& status,
                      const PeerHeads& heads = {});

}  // namespace ferrule::cli
