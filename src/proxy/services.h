// What all parts of the proxy have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "io/linux/loop.h"
#include "netstack/reach.h"
#include "proxy/limits.h"

namespace ferrule::proxy {

using io::Loop;
using io::Timer;
using io::Watched;

/// What was done so far, for /metrics.
struct Counters {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  // by password, malformed words, or a silent client
  std::uint64_t dials = 0;
  std::uint64_t failed_dials = 0;
  std::uint64_t open_streams = 0;
  std::uint64_t to_inside_bytes = 0;
  std::uint64_t from_inside_bytes = 0;
  std::uint64_t datagrams_in = 0;
  std::uint64_t datagrams_out = 0;
  std::uint64_t lost_datagrams = 0;  // malformed, or beyond a bound
  std::uint64_t lookups = 0;
  std::uint64_t failed_lookups = 0;
  std::uint64_t cached_lookups = 0;
};

class Resolver;

/// Outlives everything that uses it.
struct Services {
  Loop& loop;
  netstack::Reach& inside;
  netstack::Reach& outside;
  Log& log;
  Resolver* resolver = nullptr;
  std::vector<IpAddress> inner{};  // our own addresses inside; none: others share them
  Counters counters{};
  std::size_t buffered_bytes = 0;  // of all streams
  std::size_t associations = 0;
};

/// A line for people, where they want it.
inline void say(Services& services, std::string_view line) {
  services.log.write(LogLevel::error, line);
}

}  // namespace ferrule::proxy
