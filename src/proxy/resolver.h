// Names of inside, asked of the name servers of inside and of nobody else.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/net.h"
#include "crypto/random.h"
#include "proxy/dns_message.h"
#include "proxy/services.h"

namespace ferrule::proxy {

/// Value type.
struct ResolverSettings {
  std::vector<IpAddress> servers;
  std::vector<std::string> search;
  bool has_v4 = true;  // the tunnel has addresses of these families
  bool has_v6 = true;
};

/// A server may also be told with a port, by tests.
class Resolver {
 public:
  /// Addresses, the preferred family's first; an Error of ENOENT: there is no such name, of ETIMEDOUT:
  /// nobody answered.
  using Done = std::function<void(Result<std::vector<IpAddress>>)>;

  Resolver(Services& services, ResolverSettings settings, std::uint16_t port = 53);
  ~Resolver();

  /// Calls back once, perhaps at once: with what is remembered, or once A and AAAA have been answered,
  /// or one of them and the other a moment later still has not (RFC 8305).
  void resolve(const std::string& name, Done done);

  [[nodiscard]] const ResolverSettings& settings() const noexcept { return settings_; }

 private:
  class Lookup;
  class Query;
  struct Remembered {
    DnsAnswer answer;
    Instant until;
    std::list<std::string>::iterator place;
  };
  [[nodiscard]] const DnsAnswer* remembered(const std::string& key);
  void remember(const std::string& key, const DnsAnswer& answer);
  [[nodiscard]] std::vector<std::string> candidates(const std::string& name) const;
  [[nodiscard]] std::optional<std::uint16_t> random_id();

  Services& services_;
  ResolverSettings settings_;
  std::uint16_t port_;
  crypto::SystemRng rng_;
  std::unordered_map<std::string, Remembered> cache_;
  std::list<std::string> order_;  // the most recently used last
  std::size_t lookups_ = 0;
};

}  // namespace ferrule::proxy
