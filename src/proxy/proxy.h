// All that a proxy offers, in one object.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "proxy/credentials.h"
#include "proxy/dialer.h"
#include "proxy/dns_forward.h"
#include "proxy/forward.h"
#include "proxy/health.h"
#include "proxy/listener.h"
#include "proxy/resolver.h"
#include "proxy/services.h"
#include "proxy/settings.h"

namespace ferrule::proxy {

class Proxy {
 public:
  /// `inner`: the tunnel's own addresses. Keeps the references.
  Proxy(Services& services, const ProxySettings& settings, ResolverSettings resolver,
        std::vector<IpAddress> inner, std::function<TunnelHealth()> look);

  /// Listens everywhere, or says where it can't.
  [[nodiscard]] Result<void> open();
  /// What is offered where, a line each.
  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }
  /// Carries a socket's bytes to a target inside; `ended` is called at its end, or with why there is none.
  void carry(io::UniqueFd client, const Target& target, std::function<void(Result<void>)> ended);

 private:
  using Serve = std::function<void(Credentials&, io::UniqueFd)>;
  [[nodiscard]] Result<void> offer(const Offer& offer, const std::string& name, Serve serve);
  [[nodiscard]] Result<void> forward(const Forward& forward, bool is_remote);
  [[nodiscard]] Result<void> offer_dns(const ListenAt& at);
  void note(const std::string& what, const Endpoint& at, const std::string& to = {});

  Services& services_;
  const ProxySettings& settings_;
  Resolver resolver_;
  std::vector<IpAddress> inner_;
  std::function<TunnelHealth()> look_;
  std::list<Credentials> credentials_;
  std::vector<Listener> listeners_;
  std::vector<UdpForward> udp_forwards_;
  std::vector<DnsForward> dns_forwards_;
  std::vector<std::string> lines_;
  Dialling stdio_;
};

}  // namespace ferrule::proxy
