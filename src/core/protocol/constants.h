// Every number of the protocol and every bound of the core, in one place (§6.1 and the kernel's
// messages.h). A protocol constant anywhere else is a bug.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace ferrule::protocol {

// --- Timers and limits of the paper (§6.1) ---
constexpr std::uint64_t kRekeyAfterMessages = std::uint64_t{1} << 60;
constexpr std::uint64_t kRejectAfterMessages = UINT64_MAX - (std::uint64_t{1} << 13);
constexpr Duration kRekeyTimeout = 5s;
constexpr Duration kRekeyAttemptTime = 90s;
constexpr Duration kRekeyAfterTime = 120s;
constexpr Duration kRejectAfterTime = 180s;
constexpr Duration kKeepaliveTimeout = 10s;
constexpr Duration kMaxTimerJitter = 333ms;
constexpr Duration kZeroKeysAfter = 3 * kRejectAfterTime;
constexpr Duration kNewHandshakeAfter = kKeepaliveTimeout + kRekeyTimeout;
constexpr Duration kRekeyOnReceiveAfter = kRejectAfterTime - kKeepaliveTimeout - kRekeyTimeout;
constexpr unsigned kMaxHandshakeAttempts = kRekeyAttemptTime / kRekeyTimeout;
static_assert(kRekeyAfterTime < kRekeyOnReceiveAfter && kRekeyOnReceiveAfter < kRejectAfterTime);
static_assert(kRekeyAfterMessages < kRejectAfterMessages);
static_assert(kMaxHandshakeAttempts == 18);

// --- Denial of service (§5.3) ---
constexpr Duration kInitiationInterval = 20ms;  // between accepted initiations of one peer (P28)
constexpr Duration kCookieSecretLifetime = 120s;
constexpr Duration kCookieUsableFor = 115s;  // by its holder (P81)
constexpr std::size_t kHandshakeQueueBound = 4096;
constexpr std::size_t kUnderLoadAt = kHandshakeQueueBound / 8;
constexpr Duration kUnderLoadFor = 1s;
// The last part of the queue is for messages with a mac2: a flood from forged addresses, which sees no
// cookie, leaves it to those who got one (P86). One that writes something there, right or wrong, fills
// it.
constexpr std::size_t kHandshakeQueueReserve = kHandshakeQueueBound / 8;
static_assert(kUnderLoadAt < kHandshakeQueueBound - kHandshakeQueueReserve);
// One source may hold this much of the queue; past it, the source alone is treated as a flood (P85a). While
// fewer than kHandshakeQueueQuiet wait in all it may hold more: many peers may live behind one address.
constexpr std::size_t kHandshakeQueueShare = kUnderLoadAt / 8;
constexpr std::size_t kHandshakeQueueQuiet = kUnderLoadAt / 4 * 3;
static_assert(kHandshakeQueueShare > 0 && kUnderLoadAt < kHandshakeQueueBound);
static_assert(kHandshakeQueueShare < kHandshakeQueueQuiet && kHandshakeQueueQuiet < kUnderLoadAt);
// A message that was opened in vain counts, a genuine one takes off one, and from here on what comes is held
// to be a flood (P82): one in five is enough, and after as many genuine ones it is forgotten.
constexpr std::size_t kUselessWeight = 4;
constexpr std::size_t kFloodAt = 64;
constexpr std::size_t kMostUseless = 2 * kFloodAt;
static_assert(kUselessWeight < kFloodAt && kFloodAt < kMostUseless);
constexpr unsigned kRateLimitPerSecond = 20;
constexpr unsigned kRateLimitBurst = 5;
constexpr std::size_t kRateLimiterBound = 65536;  // sources remembered at once

// --- Replay (RFC 6479) ---
constexpr std::size_t kReplayBits = 8192;
constexpr std::size_t kReplayWindow = kReplayBits - 64;  // one word is redundant (P43)

// --- Bounds of the core ---
constexpr std::size_t kMaxPeers = std::size_t{1} << 20;  // as the kernel has it: 2^20
constexpr std::size_t kPaddingMultiple = 16;             // P70
// What waits for a session: so many packets of a peer (P73), and so many bytes of a device, in which the
// newest packet of each peer is not counted (P73a). So a device with n peers stages at most
// kMaxStagedBytes and n packets: at most kMaxPeers packets of the interface's MTU, 1.5 GiB at 1420.
constexpr std::size_t kMaxStagedPackets = 128;
constexpr std::size_t kMaxStagedBytes = std::size_t{64} << 20;
constexpr Duration kStagedFor = kRekeyAttemptTime;  // the time of all attempts
// Packets of others that one packet may push out. When that is not enough, its peer gives up its own.
constexpr unsigned kMaxPushedOut = 32;
// Handshakes whose Diffie-Hellman is done at once: enough to fill the lanes of vector code, and few
// enough that timers do not wait for long where they are done one after the other (4 ms).
constexpr std::size_t kHandshakesTogether = 32;

// --- The log: of peers to which nothing can be sent ---
constexpr Duration kTellInterval = 60s;
constexpr unsigned kTellsPerInterval = 30;
constexpr Duration kLoopRest = 1s;     // within which what goes in a circle has come back
constexpr unsigned kMaxLoopPeers = 8;  // through which a circle leads and is recognised
// Between initiations to peers that had a session when the device was last seen: a thousand a second.
constexpr Duration kRevivalPace = 1ms;

// --- Outer headers (P32) ---
constexpr std::uint8_t kHandshakeTrafficClass = 0x88;  // DSCP AF41, ECN clear

}  // namespace ferrule::protocol
