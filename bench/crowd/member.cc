#include "member.h"

#include <array>

#include "base/check.h"
#include "base/key_text.h"
#include "crypto/aead.h"
#include "crypto/blake2s.h"
#include "crypto/x25519.h"

namespace ferrule::bench {

namespace {

using protocol::ResponseLayout;

IpAddress address(std::uint8_t first, std::uint8_t second, std::uint32_t number) noexcept {
  const std::array<std::uint8_t, 4> bytes = {first, second, static_cast<std::uint8_t>(number >> 8),
                                             static_cast<std::uint8_t>(number)};
  return IpAddress::v4(bytes);
}

}  // namespace

IpAddress outer_address(std::uint32_t number) noexcept { return address(198, 18, number); }
IpAddress inner_address(std::uint32_t number) noexcept { return address(10, 20, number); }

std::uint32_t number_of(const IpAddress& outer) noexcept {
  return std::uint32_t{outer.bytes()[2]} << 8 | outer.bytes()[3];
}

protocol::Identity identity_of(std::uint32_t number) noexcept {
  std::array<std::uint8_t, 12> seed = {'c', 'r', 'o', 'w', 'd', ' ', 'k', 'e'};
  store_le32(seed.data() + 8, number);
  protocol::Identity identity;
  copy(crypto::hash({seed}), identity.private_key.mut_bytes());
  crypto::clamp(identity.private_key);
  identity.public_key = crypto::public_key_of(identity.private_key);
  return identity;
}

std::string uapi_lines(std::uint32_t number) {
  const Endpoint endpoint{outer_address(number), kCrowdPort, 0};
  return "public_key=" + to_hex(identity_of(number).public_key) +
         "\nendpoint=" + endpoint.to_string() +
         "\nallowed_ip=" + inner_address(number).to_string() + "/32\n";
}

Member::Member(std::uint32_t number, const PublicKey& daemon) noexcept
    : number_(number), daemon_(daemon), identity_(identity_of(number)), cookie_(daemon) {
  FERRULE_CHECK(crypto::x25519(identity_.private_key, daemon, static_static_));
}

std::optional<InitiationBytes> Member::initiate(const Now& now, Rng& rng) noexcept {
  InitiationBytes message{};
  sent_ = protocol::write_initiation(identity_, daemon_, static_static_,
                                     protocol::make_timestamp(now.wall), LocalIndex{number_}, rng,
                                     message);
  if (!sent_) return std::nullopt;
  cookie_.add_macs(now.boot, message);
  return message;
}

std::optional<KeepaliveBytes> Member::finish(Bytes response) noexcept {
  if (!sent_ || has_session_) return std::nullopt;
  std::optional<protocol::TransportKeys> keys =
      protocol::open_response(identity_, *sent_, PresharedKey(), response);
  if (!keys) return std::nullopt;
  has_session_ = true;
  sent_.reset();
  KeepaliveBytes keepalive{};
  const RemoteIndex daemon{load_le32(response.data() + ResponseLayout::kSender)};
  protocol::write_transport_header(keepalive.data(), daemon, 0);
  const crypto::AeadPacket nothing{keepalive.data() + protocol::TransportLayout::kHeaderSize, 0,
                                   &keys->sending, 0};
  crypto::best_aead_backend().seal({&nothing, 1});
  return keepalive;
}

bool Member::take_cookie(const Now& now, Bytes reply) noexcept {
  return cookie_.consume_reply(now.boot, reply);
}

}  // namespace ferrule::bench
