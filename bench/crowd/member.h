// One of many peers of a daemon: keys and addresses of its own, the initiator's half of a handshake, and
// keepalives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/net.h"
#include "base/rng.h"
#include "base/time.h"
#include "protocol/cookie.h"
#include "protocol/messages.h"
#include "protocol/noise.h"

namespace ferrule::bench {

// Addresses of a crowd: 172.16.0.0/12 outside the tunnel, 10.32.0.0/12 and fd20::/96 within it.
constexpr std::size_t kMaxMembers = std::size_t{1} << 20;
constexpr std::uint16_t kCrowdPort = 51999;
// Whose Diffie-Hellman is computed side by side.
constexpr std::size_t kMembersTogether = protocol::kHandshakesTogether;

[[nodiscard]] IpAddress outer_address(std::uint32_t number) noexcept;
[[nodiscard]] IpAddress inner_address(std::uint32_t number) noexcept;
/// The member that an outer address belongs to.
[[nodiscard]] std::uint32_t number_of(const IpAddress& outer) noexcept;

/// Of strangers nobody has the private keys: they never answer, and cost no DH.
enum class Kind : std::uint8_t { members, strangers };
/// What a daemon must be told, of all or to remove all of them.
enum class Request : std::uint8_t { add, remove };
/// Prints that as UAPI has it: a preshared key, an endpoint and two prefixes each. Keys are always the
/// same, so that several runs of the program agree on them.
void print_request(std::uint32_t first, std::uint32_t count, Kind kind, Request request);

using InitiationBytes = std::array<std::uint8_t, protocol::InitiationLayout::kSize>;
using ResponseBytes = std::array<std::uint8_t, protocol::ResponseLayout::kSize>;
using KeepaliveBytes = std::array<std::uint8_t, protocol::TransportLayout::kOverhead>;

/// Move-only, since it holds keys.
class Member {
 public:
  /// `static_static` is the DH of its key and the daemon's.
  Member(std::uint32_t number, const PublicKey& daemon, protocol::Identity identity,
         Secret<32> static_static) noexcept;

  /// Makes the next initiation; what was under way is forgotten. `es` is DH(ephemeral, daemon).
  [[nodiscard]] std::optional<InitiationBytes> initiate(const Now& now,
                                                        protocol::Ephemeral ephemeral,
                                                        const protocol::Dh& es) noexcept;
  /// Takes the response to the last initiation: the keepalive that confirms the session, or none when
  /// the response does not hold. `ee` and `se` are DH(sent ephemeral and own key, its ephemeral).
  [[nodiscard]] std::optional<KeepaliveBytes> finish(const protocol::Dh& ee, const protocol::Dh& se,
                                                     Bytes response) noexcept;
  /// The next one of the session, if there is one.
  [[nodiscard]] std::optional<KeepaliveBytes> keepalive() noexcept;
  /// Takes the answer of a daemon under load. The next initiation has the cookie.
  [[nodiscard]] bool take_cookie(const Now& now, Bytes reply) noexcept;

  [[nodiscard]] bool awaits_response() const noexcept { return sent_.has_value(); }
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
  [[nodiscard]] const PrivateKey& private_key() const noexcept { return identity_.private_key; }
  /// Of the initiation that awaits a response.
  [[nodiscard]] const PrivateKey& sent_ephemeral() const noexcept { return sent_->ephemeral; }

 private:
  std::uint32_t number_;
  PublicKey daemon_;
  protocol::Identity identity_;
  Secret<32> static_static_;
  protocol::CookieHolder cookie_;
  std::optional<protocol::SentInitiation> sent_;
  struct Session {
    crypto::AeadKey sending;
    RemoteIndex daemon;
    std::uint64_t counter = 0;
  };
  std::optional<Session> session_;
};

/// Members `first` and following.
[[nodiscard]] std::vector<Member> make_members(std::uint32_t first, std::uint32_t count,
                                               const PublicKey& daemon);

/// The next initiations of up to kMembersTogether members, in their order.
[[nodiscard]] std::vector<InitiationBytes> initiate_together(const Now& now,
                                                             std::span<Member* const> members,
                                                             const PublicKey& daemon, Rng& rng);

/// A response, and whose it may be.
struct Response {
  Member* member = nullptr;
  ResponseBytes bytes{};
};
/// The keepalives that follow from up to kMembersTogether responses, each a member's; none where one
/// does not hold.
[[nodiscard]] std::vector<std::optional<KeepaliveBytes>> finish_together(
    std::span<const Response> responses);

}  // namespace ferrule::bench
