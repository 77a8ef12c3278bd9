// One of many peers of a daemon: a key, an address of its own, and the initiator's half of a handshake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/net.h"
#include "base/rng.h"
#include "base/time.h"
#include "protocol/cookie.h"
#include "protocol/messages.h"
#include "protocol/noise.h"

namespace ferrule::bench {

// Addresses of a crowd: 198.18.0.0/16 outside the tunnel, 10.20.0.0/16 within it.
constexpr std::size_t kMaxMembers = 65536;
constexpr std::uint16_t kCrowdPort = 51999;

[[nodiscard]] IpAddress outer_address(std::uint32_t number) noexcept;
[[nodiscard]] IpAddress inner_address(std::uint32_t number) noexcept;
/// The member that an outer address belongs to.
[[nodiscard]] std::uint32_t number_of(const IpAddress& outer) noexcept;

/// The key of member `number`: always the same, so that several runs of the program agree on it.
[[nodiscard]] protocol::Identity identity_of(std::uint32_t number) noexcept;
/// What a daemon must be told of it, as UAPI has it.
[[nodiscard]] std::string uapi_lines(std::uint32_t number);

using InitiationBytes = std::array<std::uint8_t, protocol::InitiationLayout::kSize>;
using KeepaliveBytes = std::array<std::uint8_t, protocol::TransportLayout::kOverhead>;

/// Move-only, since it holds keys.
class Member {
 public:
  /// Costs a DH: make members before the clock runs.
  Member(std::uint32_t number, const PublicKey& daemon) noexcept;

  /// Makes the next initiation; what was under way is forgotten. None when there is no randomness.
  [[nodiscard]] std::optional<InitiationBytes> initiate(const Now& now, Rng& rng) noexcept;
  /// Takes the response to the last initiation: the keepalive that confirms the session, or none when
  /// the response does not hold.
  [[nodiscard]] std::optional<KeepaliveBytes> finish(Bytes response) noexcept;
  /// Takes the answer of a daemon under load. The next initiation has the cookie.
  [[nodiscard]] bool take_cookie(const Now& now, Bytes reply) noexcept;

  [[nodiscard]] bool has_session() const noexcept { return has_session_; }
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }

 private:
  std::uint32_t number_;
  PublicKey daemon_;
  protocol::Identity identity_;
  Secret<32> static_static_;
  protocol::CookieHolder cookie_;
  std::optional<protocol::SentInitiation> sent_;
  bool has_session_ = false;
};

}  // namespace ferrule::bench
