// Descriptors that go from process to process with a message (SCM_RIGHTS).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/linux/fd.h"

namespace ferrule::netstack {

constexpr std::size_t kMostPassed = 16;            // descriptors with one message
constexpr std::size_t kMostPassedBytes = 1 << 14;  // of its text

struct PassedMessage {
  std::string text;  // empty: the other side has closed
  std::vector<io::UniqueFd> descriptors;
};

/// Two ends of a connection that keeps messages apart; waiting for them is allowed.
struct Pair {
  io::UniqueFd ours;
  io::UniqueFd theirs;
};
[[nodiscard]] Result<Pair> make_pair();

/// Sends a message, whole. The descriptors stay the caller's. `text` is not empty.
[[nodiscard]] Result<void> send_message(int socket, std::string_view text,
                                        std::span<const int> descriptors = {});
/// Waits for the next message.
[[nodiscard]] Result<PassedMessage> receive_message(int socket);

}  // namespace ferrule::netstack
