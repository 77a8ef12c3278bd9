// The bounds of everything in proxy/ that waits, repeats or holds.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace ferrule::proxy {

// Streams.
constexpr std::size_t kBufferBytes = 64 * 1024;  // read at once, and held, of a connection each way
constexpr std::size_t kAllBuffersBytes = 64u << 20;  // held of all of them
constexpr int kUnsentBytes = 64 * 1024;              // in the system, beyond what the window takes
constexpr Duration kStarvedRest = 20ms;              // until one that found no room looks again
constexpr Duration kKeepaliveAfter = 120s;           // of silence, to find out who has vanished

// What clients say before their streams begin.
constexpr std::size_t kMaxSocksBytes = 4 * 1024;
constexpr std::size_t kMaxHeadBytes = 32 * 1024;
constexpr Duration kHandshakePatience = 30s;
constexpr Duration kDialPatience = 30s;  // told to the client as "host unreachable"
constexpr Duration kBindPatience = 120s;
constexpr Duration kAcceptRest = 100ms;  // when descriptors have run out
constexpr std::size_t kAcceptsPerTurn = 64;
constexpr Duration kPasswordRest = 250ms;  // from one check of an unknown password to the next
constexpr std::size_t kMaxPasswordsWaiting = 256;

// Names.
constexpr std::size_t kMaxCachedNames = 4096;
constexpr std::size_t kMaxLookups = 4096;     // at once
constexpr std::size_t kMaxAddresses = 16;     // of one name
constexpr Duration kFirstQueryPatience = 1s;  // doubles with each try
constexpr unsigned kQueryTries = 4;
constexpr Duration kOtherFamilyPatience = 50ms;  // RFC 8305, section 3
constexpr Duration kNextAddressAfter = 250ms;    // RFC 8305, section 5
constexpr Duration kLongestTtl = 86400s;
constexpr Duration kLongestNegativeTtl = 60s;
constexpr Duration kUsualNegativeTtl = 5s;

// Datagrams.
constexpr unsigned kDatagramsPerTurn = 64;
constexpr Duration kMappingLife = 120s;     // after the last datagram either way
constexpr std::size_t kMaxMappings = 4096;  // of one forward
constexpr std::size_t kMaxAssociations = 1024;
constexpr std::size_t kMaxWaitingDatagrams = 64;  // for a name, of one association

static_assert(kBufferBytes * 16 <= kAllBuffersBytes);

}  // namespace ferrule::proxy
