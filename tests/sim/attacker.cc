#include "sim/attacker.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "crypto/blake2s.h"
#include "crypto/handshake_aead.h"
#include "crypto/x25519.h"
#include "protocol/cookie.h"
#include "protocol/messages.h"
#include "sim/host.h"
#include "sim/world.h"

namespace ferrule::sim {

namespace {

constexpr std::size_t kRecent = 64;
constexpr std::size_t kOldOfType = 64;
constexpr std::array<std::string_view, static_cast<std::size_t>(Forgery::count_)> kNames{
    "noise",    "shaped noise", "stranger",  "impostor", "zero ephemeral",
    "response", "cookie",       "transport", "flipped"};

}  // namespace

std::string_view name_of(Forgery forgery) noexcept {
  return kNames[static_cast<std::size_t>(forgery)];
}

Attacker::Attacker(std::uint64_t seed) : dice_(seed), rng_(~seed) {
  identity_.private_key = *crypto::generate_private_key(rng_);
  identity_.public_key = crypto::public_key_of(identity_.private_key);
}

void Attacker::hears(const Datagram& datagram) {
  if (recent_.size() == kRecent) {
    std::vector<Datagram>& alike = old_[recent_.front().type() - 1u];
    if (alike.size() < kOldOfType) {
      alike.push_back(std::move(recent_.front()));
    } else if (dice_.chance(5)) {
      dice_.pick(alike) = std::move(recent_.front());
    }
    recent_.pop_front();
  }
  recent_.push_back(datagram);
}

Datagram Attacker::recall() {
  if (recent_.empty()) return {};
  auto& alike = dice_.pick(old_);
  return !alike.empty() && dice_.chance(30) ? dice_.pick(alike) : dice_.pick(recent_);
}

std::vector<Datagram> Attacker::recall_to(const Endpoint& address) const {
  std::vector<Datagram> found;
  const auto look = [&](const auto& datagrams) {
    for (const Datagram& datagram : datagrams) {
      if (datagram.to == address) found.push_back(datagram);
    }
  };
  look(recent_);
  std::ranges::for_each(old_, look);
  return found;
}

const Datagram* Attacker::heard(std::uint8_t type, HostId author) {
  for (auto datagram = recent_.rbegin(); datagram != recent_.rend(); ++datagram) {
    if (datagram->type() == type && datagram->author == author) return &*datagram;
  }
  return nullptr;
}

Endpoint Attacker::own_endpoint() {
  std::array<std::uint8_t, 4> address{100};
  store_be32(address.data(), 100u << 24 | static_cast<std::uint32_t>(dice_.below(1 << 24)));
  return {IpAddress::v4(address), static_cast<std::uint16_t>(dice_.between(1, 65535)), 0};
}

Packet Attacker::random_bytes(std::size_t size) {
  Packet bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(dice_.roll());
  return bytes;
}

Packet Attacker::initiation(const PublicKey& victim, const PublicKey& claimed,
                            bool zero_ephemeral) {
  Packet bytes(protocol::InitiationLayout::kSize);
  protocol::Identity identity;
  identity.private_key = PrivateKey(identity_.private_key.clone());
  identity.public_key = claimed;
  Secret<32> shared;
  (void)crypto::x25519(identity_.private_key, victim, shared);
  protocol::Timestamp timestamp;
  timestamp.fill(0xFF);  // newer than all others
  (void)protocol::write_initiation(identity, victim, shared, timestamp,
                                   LocalIndex{static_cast<std::uint32_t>(dice_.roll())}, rng_,
                                   bytes);
  if (zero_ephemeral) {
    std::fill_n(bytes.begin() + protocol::InitiationLayout::kEphemeral, kKeySize, std::uint8_t{0});
  }
  protocol::CookieHolder(victim).add_macs(Instant{}, bytes);
  return bytes;
}

Packet Attacker::response(const PublicKey& victim, std::uint32_t receiver) {
  Packet bytes = random_bytes(protocol::ResponseLayout::kSize);
  store_le32(bytes.data(), 2);
  store_le32(bytes.data() + protocol::ResponseLayout::kReceiver, receiver);
  protocol::CookieHolder(victim).add_macs(Instant{}, bytes);
  return bytes;
}

// Its key is made of a public key, so that all it proves is that its maker saw the message.
Packet Attacker::cookie_reply(const PublicKey& of, Bytes answered) {
  using Layout = protocol::CookieReplyLayout;
  Packet bytes = random_bytes(Layout::kSize);
  store_le32(bytes.data(), 3);
  store_le32(bytes.data() + Layout::kReceiver, load_le32(answered.data() + 4));
  constexpr std::array<std::uint8_t, 8> kLabel{'c', 'o', 'o', 'k', 'i', 'e', '-', '-'};
  const crypto::Hash key = crypto::hash({kLabel, of.bytes});
  const Packet cookie = random_bytes(Layout::kCookieSize);
  const std::size_t mac1 = answered.size() - protocol::kMac1Size - protocol::kMac2Size;
  crypto::xaead_seal(key, std::span(bytes).subspan<Layout::kNonce, Layout::kNonceSize>(), cookie,
                     answered.subspan(mac1, protocol::kMac1Size),
                     std::span(bytes).subspan<Layout::kCookie>());
  return bytes;
}

Datagram Attacker::forge(Forgery what, Host& victim, World& world) {
  Datagram datagram;
  const Host& other = *world.hosts()[dice_.below(world.hosts().size())];
  const Datagram* initiation_of_victim = heard(1, victim.id);
  switch (what) {
    case Forgery::noise:
      datagram.bytes = random_bytes(dice_.below(200));
      break;
    case Forgery::shaped_noise: {
      constexpr std::array<std::size_t, 4> kSizes{148, 92, 64, 96};
      const std::uint64_t type = dice_.below(4);
      datagram.bytes = random_bytes(kSizes[type]);
      store_le32(datagram.bytes.data(), static_cast<std::uint32_t>(type + 1));
      break;
    }
    case Forgery::stranger:
      datagram.bytes = initiation(victim.public_key(), identity_.public_key, false);
      break;
    case Forgery::impostor:
      datagram.bytes = initiation(victim.public_key(), other.public_key(), false);
      break;
    case Forgery::zero_ephemeral:
      datagram.bytes = initiation(victim.public_key(), other.public_key(), true);
      break;
    case Forgery::response:
      datagram.bytes =
          response(victim.public_key(),
                   initiation_of_victim == nullptr ? 0 : initiation_of_victim->first_index());
      break;
    case Forgery::cookie:
      if (initiation_of_victim != nullptr) {
        datagram.bytes = cookie_reply(other.public_key(), initiation_of_victim->bytes);
      }
      break;
    case Forgery::transport: {
      const Datagram* data = heard(4, other.id);
      datagram.bytes = random_bytes(32 + 16 * dice_.below(4));
      const std::uint64_t counter = dice_.chance(50) ? dice_.below(10000) : ~dice_.below(10000);
      protocol::write_transport_header(
          datagram.bytes.data(), RemoteIndex{data == nullptr ? 0 : data->first_index()}, counter);
      break;
    }
    case Forgery::flipped:
    case Forgery::count_:
      datagram = recall();
      flip_a_bit(datagram, dice_);
      break;
  }
  return datagram;
}

std::vector<Datagram> Attacker::flood(const Host& victim, std::size_t count, bool one_source) {
  Datagram datagram;
  datagram.bytes = initiation(victim.public_key(), identity_.public_key, false);
  datagram.from = own_endpoint();
  std::vector<Datagram> flood;
  for (std::size_t i = 0; i < count; ++i) {
    if (!one_source) datagram.from = own_endpoint();
    flood.push_back(datagram);
  }
  return flood;
}

}  // namespace ferrule::sim
