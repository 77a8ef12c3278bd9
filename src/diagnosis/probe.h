// Tries a tunnel: packets to peers through it, and what comes back.
#pragma once

#include <vector>

#include "client/device_client.h"
#include "control/uapi_client.h"
#include "diagnosis/facts.h"

namespace ferrule::diagnosis {

/// Peers that are tried at once; with more, the first.
constexpr std::size_t kMaxProbedPeers = 64;

/// Fills in `probe` of each peer, and `counted`. Takes as long as it takes until all have answered:
/// at most about 6 s for peers without a session, in which at least one handshake is tried, 17 s for
/// those with one, which may be dead, and some more for the size of packets that get through.
void probe_peers(client::DeviceClient& devices, DoctorFacts& facts,
                 const control::DeviceStatus& before);

}  // namespace ferrule::diagnosis
