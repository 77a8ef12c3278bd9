// The state of an interface, written back to its file.
#pragma once

#include "client/device_client.h"
#include "control/named_peers.h"
#include "files/listener.h"
#include "io/linux/network.h"
#include "quick/failure.h"
#include "quick/quick_file.h"

namespace ferrule::quick {

/// Writes what the interface is now in the place of its file, whole or not at all, with mode 0600:
/// addresses, keys, peers and MTU as they are; DNS, Table, hooks, comments and disabled peers as the
/// file has them, which is read for it, while other changes of it wait.
[[nodiscard]] Attempt<void> save_configuration(const QuickPlace& place, io::Network& network,
                                               client::DeviceClient& devices, control::Date now,
                                               files::Listener& listener);

}  // namespace ferrule::quick
