#include "proxy/proxy.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/http_session.h"
#include "proxy/relay.h"
#include "proxy/socks_session.h"

namespace ferrule::proxy {

Proxy::Proxy(Services& services, const ProxySettings& settings, ResolverSettings resolver,
             std::vector<IpAddress> inner, std::function<TunnelHealth()> look)
    : services_(services),
      settings_(settings),
      resolver_(services, std::move(resolver)),
      inner_(std::move(inner)),
      look_(std::move(look)) {
  services_.resolver = &resolver_;
  services_.inner = inner_;
}

void Proxy::note(const std::string& what, const Endpoint& at, const std::string& to) {
  lines_.push_back(to.empty() ? fmt::format("{} at {}", what, at.to_string())
                              : fmt::format("{} at {} to {}", what, at.to_string(), to));
}

Result<void> Proxy::offer(const Offer& offer, const std::string& name, Serve serve) {
  auto socket = services_.outside.listen(offer.at.at);
  if (!socket) return std::unexpected(socket.error());
  Credentials& credentials = credentials_.emplace_back(services_);
  for (const std::vector<ProxyUser>* users : {&settings_.users, &offer.users}) {
    for (const ProxyUser& user : *users) credentials.add(user.name, user.secret);
  }
  note(name, services_.outside.local_end(socket->get()));
  listeners_.push_back(
      Listener(services_, services_.outside, std::move(*socket), name,
               [&credentials, serve = std::move(serve)](io::UniqueFd client, const Endpoint&) {
                 serve(credentials, std::move(client));
               }));
  return {};
}

Result<void> Proxy::forward(const Forward& forward, bool is_remote) {
  netstack::Reach& from = is_remote ? services_.inside : services_.outside;
  netstack::Reach& to = is_remote ? services_.outside : services_.inside;
  auto socket = forward.is_udp ? from.open_udp(forward.from.at) : from.listen(forward.from.at);
  if (!socket) return std::unexpected(socket.error());
  const std::string name =
      fmt::format("{}{}", is_remote ? "inside, " : "", forward.is_udp ? "UDP" : "TCP");
  note(name, from.local_end(socket->get()), forward.to.to_string());
  if (forward.is_udp) {
    udp_forwards_.emplace_back(services_, from, std::move(*socket), to, forward.to);
  } else {
    listeners_.push_back(forward_tcp(services_, from, std::move(*socket), name, to, forward.to));
  }
  return {};
}

// The file's name servers are asked as the client asks: whatever types there are.
Result<void> Proxy::offer_dns(const ListenAt& at) {
  if (resolver_.settings().servers.empty()) {
    return std::unexpected(
        make_error(std::errc::invalid_argument, "--dns: the file has no DNS that could be asked"));
  }
  const std::vector<IpAddress>& servers = resolver_.settings().servers;
  auto datagrams = services_.outside.open_udp(at.at);
  if (!datagrams) return std::unexpected(datagrams.error());
  const Endpoint here = services_.outside.local_end(datagrams->get());
  auto streams = services_.outside.listen(Endpoint(at.at.address, here.port));
  if (!streams) return std::unexpected(streams.error());
  note("DNS", here);
  dns_forwards_.emplace_back(services_, std::move(*datagrams), servers);
  listeners_.push_back(forward_dns_by_tcp(services_, std::move(*streams), servers));
  return {};
}

Result<void> Proxy::open() {
  for (const Offer& each : settings_.socks) {
    auto done = offer(each, "SOCKS", [this](Credentials& credentials, io::UniqueFd client) {
      serve_socks(services_, credentials, inner_, std::move(client));
    });
    if (!done) return done;
  }
  for (const Offer& each : settings_.http) {
    auto done = offer(each, "HTTP", [this](Credentials& credentials, io::UniqueFd client) {
      serve_http(services_, credentials, std::move(client));
    });
    if (!done) return done;
  }
  for (const ListenAt& at : settings_.dns) {
    if (auto done = offer_dns(at); !done) return done;
  }
  for (const Forward& each : settings_.local) {
    if (auto done = forward(each, false); !done) return done;
  }
  for (const Forward& each : settings_.remote) {
    if (auto done = forward(each, true); !done) return done;
  }
  if (!settings_.health) return {};
  auto socket = services_.outside.listen(settings_.health->at);
  if (!socket) return std::unexpected(socket.error());
  note("health", services_.outside.local_end(socket->get()));
  listeners_.push_back(serve_health(services_, std::move(*socket), look_));
  return {};
}

void Proxy::carry(io::UniqueFd client, const Target& target,
                  std::function<void(Result<void>)> ended) {
  const auto held = std::make_shared<io::UniqueFd>(std::move(client));
  stdio_ =
      dial(services_, services_.inside, target,
           [this, held, ended = std::move(ended)](Result<io::UniqueFd> made) {
             if (!made) return ended(std::unexpected(made.error()));
             start_relay(services_, std::move(*held), std::move(*made), {}, [ended] { ended({}); });
           });
}

}  // namespace ferrule::proxy
