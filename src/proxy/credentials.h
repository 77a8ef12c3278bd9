// Who may use the proxy.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "proxy/services.h"

namespace ferrule::proxy {

/// Users and their passwords: hashes of argon2id ("$argon2id$..."), or, as files of wireproxy have them,
/// the passwords themselves. Without any, everybody may.
class Credentials {
 public:
  explicit Credentials(Services& services) : services_(services) {}

  void add(std::string user, std::string_view password_or_hash);
  [[nodiscard]] bool are_wanted() const noexcept { return !users_.empty(); }

  /// Judges, at once or later: a hash takes long on purpose, so that those of passwords that were not good
  /// before are checked one at a time, with rests between. What was good once is known by a keyed digest.
  void check(std::string_view user, std::string_view password, std::function<void(bool)> judged);

 private:
  struct User {
    bool is_hash = false;
    std::string secret;
  };
  struct Waiting {
    std::string user;
    std::string password;
    std::function<void(bool)> judged;
  };
  using Digest = std::vector<std::uint8_t>;

  void check_next();
  [[nodiscard]] bool judge(const Waiting& waiting);
  [[nodiscard]] Digest digest(std::string_view user, std::string_view password);

  Services& services_;
  std::map<std::string, User, std::less<>> users_;
  std::deque<Waiting> waiting_;
  Timer rest_;
  bool is_resting_ = false;
  Secret<32> key_;
  bool has_key_ = false;
  std::map<std::string, Digest, std::less<>> known_;
};

}  // namespace ferrule::proxy
