#include "member.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/check.h"
#include "base/key_text.h"
#include "crypto/aead.h"
#include "crypto/blake2s.h"
#include "crypto/x25519.h"

namespace ferrule::bench {

namespace {

using protocol::ResponseLayout;

constexpr std::uint32_t kOuter = 0xAC10'0000;  // 172.16.0.0
constexpr std::uint32_t kInner = 0x0A20'0000;  // 10.32.0.0

IpAddress v4(std::uint32_t bits) noexcept {
  std::array<std::uint8_t, 4> bytes;
  store_be32(bytes.data(), bits);
  return IpAddress::v4(bytes);
}

IpAddress inner_v6(std::uint32_t number) noexcept {
  std::array<std::uint8_t, 16> bytes{0xfd, 0x20};
  store_be32(bytes.data() + 12, number);
  return IpAddress::v6(bytes);
}

// 32 bytes that belong to a member, by what they are for.
crypto::Hash derived(std::uint32_t number, char use) noexcept {
  std::array<std::uint8_t, 12> seed = {'c', 'r', 'o', 'w', 'd', ' '};
  seed[7] = static_cast<std::uint8_t>(use);
  store_le32(seed.data() + 8, number);
  return crypto::hash({seed});
}

PresharedKey preshared_key_of(std::uint32_t number) noexcept {
  PresharedKey key;
  copy(derived(number, 'p'), key.mut_bytes());
  return key;
}

// Of up to kMembersTogether members.
std::vector<protocol::Identity> identities_of(std::uint32_t first, std::uint32_t count) {
  std::vector<protocol::Identity> identities(count);
  protocol::DhBatch batch;
  for (std::uint32_t i = 0; i < count; ++i) {
    protocol::Identity& identity = identities[i];
    copy(derived(first + i, 'k'), identity.private_key.mut_bytes());
    crypto::clamp(identity.private_key);
    batch.public_key(identity.private_key, identity.public_key);
  }
  batch.run();
  return identities;
}

// Calls `each(first, count)` for some that go together after the other.
template <class Each>
void together(std::uint32_t first, std::uint32_t count, Each each) {
  for (std::uint32_t done = 0; done < count; done += kMembersTogether) {
    each(first + done, std::min<std::uint32_t>(count - done, kMembersTogether));
  }
}

void print_one(std::uint32_t number, const PublicKey& key, Request request) {
  fmt::print("public_key={}\n", to_hex(key));
  if (request == Request::remove) {
    fmt::print("remove=true\n");
    return;
  }
  fmt::print("preshared_key={}\nendpoint={}\nallowed_ip={}/32\nallowed_ip={}/128\n",
             to_hex(PublicKey{derived(number, 'p')}),
             Endpoint{outer_address(number), kCrowdPort, 0}.to_string(),
             inner_address(number).to_string(), inner_v6(number).to_string());
}

}  // namespace

IpAddress outer_address(std::uint32_t number) noexcept { return v4(kOuter + number); }
IpAddress inner_address(std::uint32_t number) noexcept { return v4(kInner + number); }

std::uint32_t number_of(const IpAddress& outer) noexcept {
  return load_be32(outer.bytes().data()) - kOuter;
}

void print_request(std::uint32_t first, std::uint32_t count, Kind kind, Request request) {
  if (kind == Kind::strangers) {
    for (std::uint32_t number = first; number < first + count; ++number) {
      print_one(number, PublicKey{derived(number, 's')}, request);
    }
    return;
  }
  together(first, count, [&](std::uint32_t from, std::uint32_t some) {
    const std::vector<protocol::Identity> identities = identities_of(from, some);
    for (std::uint32_t i = 0; i < some; ++i) print_one(from + i, identities[i].public_key, request);
  });
}

Member::Member(std::uint32_t number, const PublicKey& daemon, protocol::Identity identity,
               Secret<32> static_static) noexcept
    : number_(number),
      daemon_(daemon),
      identity_(std::move(identity)),
      static_static_(std::move(static_static)),
      cookie_(daemon) {}

std::optional<InitiationBytes> Member::initiate(const Now& now, protocol::Ephemeral ephemeral,
                                                const protocol::Dh& es) noexcept {
  InitiationBytes message{};
  sent_ = protocol::write_initiation(identity_.public_key, daemon_, std::move(ephemeral), es,
                                     static_static_, protocol::make_timestamp(now.wall),
                                     LocalIndex{number_}, message);
  if (!sent_) return std::nullopt;
  cookie_.add_macs(now.boot, message);
  return message;
}

std::optional<KeepaliveBytes> Member::finish(const protocol::Dh& ee, const protocol::Dh& se,
                                             Bytes response) noexcept {
  if (!sent_) return std::nullopt;
  std::optional<protocol::TransportKeys> keys =
      protocol::open_response(*sent_, ee, se, preshared_key_of(number_), response);
  if (!keys) return std::nullopt;
  sent_.reset();
  session_.emplace(Session{std::move(keys->sending),
                           RemoteIndex{load_le32(response.data() + ResponseLayout::kSender)}});
  return keepalive();
}

std::optional<KeepaliveBytes> Member::keepalive() noexcept {
  if (!session_) return std::nullopt;
  KeepaliveBytes message{};
  protocol::write_transport_header(message.data(), session_->daemon, session_->counter);
  const crypto::AeadPacket nothing{message.data() + protocol::TransportLayout::kHeaderSize, 0,
                                   &session_->sending, session_->counter++};
  crypto::best_aead_backend().seal({&nothing, 1});
  return message;
}

bool Member::take_cookie(const Now& now, Bytes reply) noexcept {
  return cookie_.consume_reply(now.boot, reply);
}

std::vector<Member> make_members(std::uint32_t first, std::uint32_t count,
                                 const PublicKey& daemon) {
  std::vector<Member> members;
  members.reserve(count);
  together(first, count, [&](std::uint32_t from, std::uint32_t some) {
    std::vector<protocol::Identity> identities = identities_of(from, some);
    std::array<protocol::Dh, kMembersTogether> shared;
    protocol::DhBatch batch;
    for (std::uint32_t i = 0; i < some; ++i) {
      batch.dh(identities[i].private_key, daemon, shared[i]);
    }
    batch.run();
    for (std::uint32_t i = 0; i < some; ++i) {
      FERRULE_CHECK(shared[i].accepted);
      members.emplace_back(from + i, daemon, std::move(identities[i]), std::move(shared[i].shared));
    }
  });
  return members;
}

std::vector<InitiationBytes> initiate_together(const Now& now, std::span<Member* const> members,
                                               const PublicKey& daemon, Rng& rng) {
  FERRULE_CHECK(members.size() <= kMembersTogether);
  std::array<protocol::Ephemeral, kMembersTogether> ephemerals;
  std::array<protocol::Dh, kMembersTogether> es;
  protocol::DhBatch batch;
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::optional<PrivateKey> key = crypto::generate_private_key(rng);
    FERRULE_CHECK(key.has_value());
    ephemerals[i].private_key = std::move(*key);
    batch.public_key(ephemerals[i].private_key, ephemerals[i].public_key);
    batch.dh(ephemerals[i].private_key, daemon, es[i]);
  }
  batch.run();
  std::vector<InitiationBytes> messages;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto message = members[i]->initiate(now, std::move(ephemerals[i]), es[i]);
    FERRULE_CHECK(message.has_value());
    messages.push_back(*message);
  }
  return messages;
}

std::vector<std::optional<KeepaliveBytes>> finish_together(std::span<const Response> responses) {
  FERRULE_CHECK(responses.size() <= kMembersTogether);
  std::array<protocol::Dh, kMembersTogether> ee;
  std::array<protocol::Dh, kMembersTogether> se;
  std::array<PublicKey, kMembersTogether> theirs;
  protocol::DhBatch batch;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    const Member& member = *responses[i].member;
    theirs[i] = protocol::received_ephemeral(responses[i].bytes);
    batch.dh(member.sent_ephemeral(), theirs[i], ee[i]);
    batch.dh(member.private_key(), theirs[i], se[i]);
  }
  batch.run();
  std::vector<std::optional<KeepaliveBytes>> keepalives;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    keepalives.push_back(responses[i].member->finish(ee[i], se[i], responses[i].bytes));
  }
  return keepalives;
}

}  // namespace ferrule::bench
