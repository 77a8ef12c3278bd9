// A .conf file that configures a device as it is.
#pragma once

#include <map>

#include "base/keys.h"
#include "control/uapi_client.h"
#include "control/wiped_text.h"
#include "files/output.h"

namespace ferrule::files {

void write_conf(Output& out, const control::DeviceStatus& status);
/// The two parts of it: what is in [Interface], below that line, and the peers.
void write_device_conf(Output& out, const control::DeviceStatus& status);
/// `heads` are the lines to stand in the place of "[Peer]" for the peers that have any.
using PeerHeads = std::map<PublicKey, control::WipedText>;
void write_peers_conf(Output& out, const control::DeviceStatus& status,
                      const PeerHeads& heads = {});

}  // namespace ferrule::files
