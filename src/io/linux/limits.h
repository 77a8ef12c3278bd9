// The bounds of everything in io/linux that waits, repeats or holds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "io/udp.h"

namespace ferrule::io {

// Sockets.
constexpr int kSocketBufferBytes = 7 << 20;    // asked for; the kernel doubles it
constexpr unsigned kMaxPortRetries = 100;      // where IPv6 can't follow IPv4's choice (P75a)
constexpr std::size_t kMessagesPerCall = 64;   // in one recvmmsg or sendmmsg
constexpr std::size_t kPartsPerCall = 1024;    // gathered by one sendmmsg
constexpr unsigned kReceiveErrorsPerCall = 8;  // swallowed before `receive` returns
constexpr unsigned kReceiveErrorsInRow = 64;   // with nothing received between: the socket is dead
constexpr Duration kSendWait = 5ms;            // for room in a full send buffer, each time
constexpr unsigned kSendWaits = 2;             // in one `send`
constexpr unsigned kSendAttempts = 4;          // of one entry for passing reasons
constexpr Duration kSendPatience = kSendWait * kSendWaits;

// Tunnel interface.
constexpr std::uint32_t kDefaultMtu = 1420;
constexpr int kTunQueuePackets = 2000;  // that wait for a reader who has lost its core for a while
constexpr std::size_t kMaxTunParts = 1023;  // of one packet: UIO_MAXIOV less the vnet header
constexpr unsigned kReadErrorsInRow = 64;   // of an interface that is still there
constexpr unsigned kRefusalsInRow = 8;      // of super-packets, before a kind is given up
constexpr std::size_t kMaxTunQueues = 256;  // the kernel's MAX_TAP_QUEUES

// Netlink.
constexpr std::size_t kNetlinkRoom = 32 * 1024;  // for one receive
constexpr int kMonitorBufferBytes = 1 << 20;
constexpr unsigned kNetlinkReceivesPerDrain = 64;
constexpr std::size_t kMaxLinkChanges = 256;  // of one drain; more become "everything"
constexpr int kLookupTimeoutMs = 100;

static_assert(kMaxSendParts <= kPartsPerCall, "any entry fits into one call");
static_assert(kMaxSegments <= kMessagesPerCall, "a train cut into datagrams is one call");
static_assert(kReceiveErrorsPerCall < kReceiveErrorsInRow);

}  // namespace ferrule::io
