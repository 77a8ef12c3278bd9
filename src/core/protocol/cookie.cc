#include "protocol/cookie.h"

#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/secret.h"
#include "crypto/handshake_aead.h"
#include "protocol/constants.h"

namespace ferrule::protocol {

namespace {

constexpr std::size_t kMacsSize = kMac1Size + kMac2Size;
// Both messages that carry macs begin alike and end in them.
constexpr std::size_t kSender = InitiationLayout::kSender;
static_assert(InitiationLayout::kSender == ResponseLayout::kSender);
static_assert(InitiationLayout::kMac1 + kMacsSize == InitiationLayout::kSize);
static_assert(ResponseLayout::kMac1 + kMacsSize == ResponseLayout::kSize);
static_assert(kMac1Size == crypto::kMacSize && kMac2Size == crypto::kMacSize);
static_assert(CookieReplyLayout::kCookieSize == crypto::kMacSize);

// P6: labels have no terminating zero.
crypto::Hash labelled_key(std::string_view label, const PublicKey& key) noexcept {
  return crypto::hash(
      {Bytes(reinterpret_cast<const std::uint8_t*>(label.data()), label.size()), key.bytes});
}
crypto::Hash mac1_key(const PublicKey& of) noexcept { return labelled_key("mac1----", of); }
crypto::Hash cookie_key(const PublicKey& of) noexcept { return labelled_key("cookie--", of); }

Bytes mac1_of(Bytes message) noexcept {
  return message.subspan(message.size() - kMacsSize, kMac1Size);
}
Bytes mac2_of(Bytes message) noexcept { return message.last(kMac2Size); }
Bytes before_mac1(Bytes message) noexcept { return message.first(message.size() - kMacsSize); }
Bytes before_mac2(Bytes message) noexcept { return message.first(message.size() - kMac2Size); }

bool has_macs(Bytes message) noexcept {
  return message.size() == InitiationLayout::kSize || message.size() == ResponseLayout::kSize;
}

}  // namespace

Mac1Checker::Mac1Checker(const PublicKey& own, std::uint64_t number) noexcept
    : key_(mac1_key(own)), number_(number) {
  FERRULE_CHECK(number != 0);
}

bool Mac1Checker::check(Bytes message) const noexcept {
  if (!key_ || !has_macs(message)) return false;
  return constant_time_equal(key_->mac({before_mac1(message)}), mac1_of(message));
}

std::optional<Mac1Proof> Mac1Checker::prove(Bytes message) const noexcept {
  if (!check(message)) return std::nullopt;
  return Mac1Proof(number_);
}

void CookieChecker::set_identity(const PublicKey& own) noexcept {
  cookie_key_ = cookie_key(own);
  secret_.clear();
  secret_made_.reset();
  nonces_left_ = 0;
}

bool CookieChecker::has_secret(Instant now) const noexcept {
  return secret_made_ && now - *secret_made_ < kCookieSecretLifetime;
}

Secret<CookieReplyLayout::kCookieSize> CookieChecker::cookie_for(
    const Endpoint& from) const noexcept {
  std::array<std::uint8_t, 2> port;
  store_be16(port.data(), from.port);
  crypto::Mac mac = crypto::mac(secret_.bytes(), {from.address.bytes(), port});
  Secret<CookieReplyLayout::kCookieSize> cookie(mac);
  wipe(mac);
  return cookie;
}

bool CookieChecker::check_mac2(Instant now, Bytes message, const Endpoint& from) noexcept {
  if (!has_secret(now) || !has_macs(message)) return false;
  if (!has_mac2(message)) return false;  // a flood's messages: not worth two MACs
  const auto cookie = cookie_for(from);
  return constant_time_equal(crypto::mac(cookie.bytes(), {before_mac2(message)}), mac2_of(message));
}

bool CookieChecker::take_nonce(MutBytes out, Rng& rng) noexcept {
  if (nonces_left_ == 0) {
    if (!rng.fill(nonces_)) return false;
    nonces_left_ = kNoncesTogether;
  }
  --nonces_left_;
  copy(Bytes(nonces_).subspan(nonces_left_ * crypto::kXNonceSize, crypto::kXNonceSize), out);
  return true;
}

std::optional<CookieReply> CookieChecker::make_reply(Instant now, Bytes message,
                                                     const Endpoint& from, Rng& rng) noexcept {
  FERRULE_CHECK(has_macs(message));
  if (!has_secret(now)) {
    Secret<32> fresh;
    if (!rng.fill(fresh.mut_bytes())) return std::nullopt;
    secret_ = std::move(fresh);
    secret_made_ = now;
  }

  CookieReply reply;
  store_le32(reply.data() + kTypeOffset, static_cast<std::uint32_t>(MessageType::cookie_reply));
  store_le32(reply.data() + CookieReplyLayout::kReceiver, load_le32(message.data() + kSender));
  const auto nonce = std::span(reply).subspan<CookieReplyLayout::kNonce, crypto::kXNonceSize>();
  if (!take_nonce(nonce, rng)) return std::nullopt;
  const auto cookie = cookie_for(from);
  crypto::xaead_seal(cookie_key_, nonce, cookie.bytes(), mac1_of(message),
                     std::span(reply).subspan<CookieReplyLayout::kCookie>());
  return reply;
}

CookieHolder::CookieHolder(const PublicKey& peer) noexcept
    : mac1_key_(mac1_key(peer)), cookie_key_(cookie_key(peer)) {}

void CookieHolder::add_macs(Instant now, MutBytes message) noexcept {
  FERRULE_CHECK(has_macs(message));
  last_mac1_ = crypto::mac(mac1_key_, {before_mac1(message)});
  awaits_reply_ = true;
  copy(last_mac1_, message.last(kMacsSize));

  crypto::Mac mac2{};
  if (cookie_taken_ && now - *cookie_taken_ < kCookieUsableFor) {
    mac2 = crypto::mac(cookie_.bytes(), {before_mac2(message)});
  } else {
    cookie_.clear();
    cookie_taken_.reset();
  }
  copy(mac2, message.last(kMac2Size));
}

bool CookieHolder::consume_reply(Instant now, Bytes reply) noexcept {
  if (!awaits_reply_ || reply.size() != CookieReplyLayout::kSize) return false;
  Secret<CookieReplyLayout::kCookieSize> cookie;
  const auto nonce = reply.subspan<CookieReplyLayout::kNonce, crypto::kXNonceSize>();
  if (!crypto::xaead_open(cookie_key_, nonce, reply.subspan<CookieReplyLayout::kCookie>(),
                          last_mac1_, cookie.mut_bytes())) {
    return false;
  }
  cookie_ = std::move(cookie);
  cookie_taken_ = now;
  awaits_reply_ = false;
  return true;
}

}  // namespace ferrule::protocol
