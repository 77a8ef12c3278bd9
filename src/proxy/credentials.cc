#include "proxy/credentials.h"

#include <array>
#include <utility>

#include "crypto/blake2s.h"
#include "crypto/password.h"
#include "crypto/random.h"

namespace ferrule::proxy {

namespace {

Bytes bytes_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void wipe_text(std::string& text) noexcept {
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

void Credentials::add(std::string user, std::string_view password_or_hash) {
  users_[std::move(user)] = {crypto::is_password_hash(password_or_hash),
                             std::string(password_or_hash)};
}

void Credentials::check(std::string_view user, std::string_view password,
                        std::function<void(bool)> judged) {
  const auto known = known_.find(user);
  if (known != known_.end() && constant_time_equal(known->second, digest(user, password))) {
    return judged(true);
  }
  if (waiting_.size() >= kMaxPasswordsWaiting) return judged(false);
  waiting_.push_back({std::string(user), std::string(password), std::move(judged)});
  if (!is_resting_) check_next();
}

void Credentials::check_next() {
  is_resting_ = false;
  if (waiting_.empty()) return;
  Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  const bool is_good = judge(next);
  if (is_good) {
    if (Digest made = digest(next.user, next.password); !made.empty()) {
      known_[next.user] = std::move(made);
    }
  }
  is_resting_ = true;
  rest_ = Timer(services_.loop, services_.loop.now() + kPasswordRest, [this] { check_next(); });
  wipe_text(next.password);
  next.judged(is_good);
}

bool Credentials::judge(const Waiting& waiting) {
  const auto user = users_.find(waiting.user);
  if (user == users_.end()) return false;
  if (user->second.is_hash) {
    return crypto::is_password_of(user->second.secret, waiting.password);
  }
  return constant_time_equal(bytes_of(user->second.secret), bytes_of(waiting.password));
}

Credentials::Digest Credentials::digest(std::string_view user, std::string_view password) {
  if (!has_key_) {
    crypto::SystemRng rng;
    if (!rng.fill(key_.mut_bytes())) return {};
    has_key_ = true;
  }
  std::array<std::uint8_t, 32> out{};
  crypto::Blake2s hash(out.size(), key_.bytes());
  const std::array<std::uint8_t, 1> size{static_cast<std::uint8_t>(user.size())};
  hash.update(size);
  hash.update(bytes_of(user));
  hash.update(bytes_of(password));
  hash.finish(out);
  return {out.begin(), out.end()};
}

}  // namespace ferrule::proxy
