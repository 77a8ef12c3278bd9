#include "proxy/socks_session.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "netstack/linux/socket_reach.h"
#include "proxy/dialer.h"
#include "proxy/handshake.h"
#include "proxy/listener.h"
#include "proxy/relay.h"
#include "proxy/socks.h"
#include "proxy/udp_association.h"

namespace ferrule::proxy {

namespace {

class SocksSession final : public Handshake {
 public:
  SocksSession(Services& services, Credentials& credentials, const std::vector<IpAddress>& inner,
               io::UniqueFd client) noexcept
      : Handshake(services, std::move(client), kMaxSocksBytes),
        credentials_(credentials),
        inner_(inner),
        server_(credentials.are_wanted()) {}

 private:
  std::shared_ptr<SocksSession> self() {
    return std::static_pointer_cast<SocksSession>(shared_from_this());
  }
  void heard() override;
  void closing() override {
    dialling_.reset();
    listener_.reset();
    bind_patience_.reset();
  }
  void ask_for_password();
  void serve();
  void connect();
  void bind();
  void accepted(io::UniqueFd caller, const Endpoint& from);
  void associate();
  void refuse(SocksReply reply);

  Credentials& credentials_;
  const std::vector<IpAddress>& inner_;
  SocksServer server_;
  Dialling dialling_;
  std::optional<Listener> listener_;
  Timer bind_patience_;
};

void SocksSession::heard() {
  const auto alive = shared_from_this();
  std::string output;
  const SocksServer::Step step = server_.advance(input_, output);
  if (!answer(output)) return;
  switch (step) {
    case SocksServer::Step::more:
      return;
    case SocksServer::Step::failed:
      return turn_away();
    case SocksServer::Step::password:
      return ask_for_password();
    case SocksServer::Step::request:
      return serve();
  }
}

void SocksSession::ask_for_password() {
  wait_with_it();
  credentials_.check(server_.user(), server_.password(), [session = self()](bool is_good) {
    if (session->client() < 0) return;
    std::string output;
    session->server_.judge(is_good, output);
    if (!session->answer(output)) return;
    if (!is_good) return session->turn_away();
    session->read_on();
    session->heard();
  });
}

void SocksSession::serve() {
  wait_with_it();
  switch (server_.request().command) {
    case SocksCommand::connect:
      return connect();
    case SocksCommand::bind:
      return bind();
    case SocksCommand::associate:
      return associate();
  }
}

void SocksSession::refuse(SocksReply reply) {
  if (answer(socks_answer(server_.request(), reply, {}))) turn_away();
}

void SocksSession::connect() {
  if (server_.request().target.port == 0) return refuse(SocksReply::failed);
  dialling_ = dial(services_, services_.inside, server_.request().target,
                   [session = self()](Result<io::UniqueFd> made) {
                     if (!made) return session->refuse(socks_reply_of(made.error().code));
                     const std::string text =
                         socks_answer(session->server_.request(), SocksReply::granted,
                                      session->services_.inside.local_end(made->get()));
                     if (!session->answer(text)) return;
                     start_relay(session->services_, session->take_client(), std::move(*made),
                                 std::move(session->input_));
                   });
}

// Listens inside for one caller: from the address that was named, if one was.
void SocksSession::bind() {
  const Family family = server_.request().target.address.family();
  const IpAddress* at = nullptr;
  for (const IpAddress& own : inner_) {
    if (at == nullptr || (own.family() == family && at->family() != family)) at = &own;
  }
  if (at == nullptr) return refuse(SocksReply::failed);
  auto socket = services_.inside.listen(Endpoint(*at, 0));
  if (!socket) return refuse(socks_reply_of(socket.error().code));
  listener_.emplace(services_, services_.inside, std::move(*socket), "SOCKS BIND",
                    [session = self()](io::UniqueFd caller, const Endpoint& from) {
                      session->accepted(std::move(caller), from);
                    });
  bind_patience_ = Timer(services_.loop, services_.loop.now() + kBindPatience,
                         [session = self()] { session->refuse(SocksReply::expired); });
  (void)answer(socks_answer(server_.request(), SocksReply::granted, listener_->at()));
}

void SocksSession::accepted(io::UniqueFd caller, const Endpoint& from) {
  const Target& wanted = server_.request().target;
  const bool is_anybody = !wanted.name.empty() || wanted.address.family() == Family::none ||
                          wanted.address == *IpAddress::parse("0.0.0.0") ||
                          wanted.address == *IpAddress::parse("::");
  if (!is_anybody && wanted.address != from.address) return;
  const auto alive = shared_from_this();
  listener_.reset();
  bind_patience_.reset();
  if (!answer(socks_answer(server_.request(), SocksReply::granted, from))) return;
  start_relay(services_, take_client(), std::move(caller), std::move(input_));
}

void SocksSession::associate() {
  const Endpoint here = netstack::local_end_of(client());
  const Endpoint there = netstack::other_end_of(client());
  auto socket = services_.outside.open_udp(Endpoint(here.address, 0, here.scope_id));
  if (!socket) return refuse(socks_reply_of(socket.error().code));
  const Endpoint at = services_.outside.local_end(socket->get());
  if (services_.associations >= kMaxAssociations) return refuse(SocksReply::failed);
  if (!answer(socks_answer(server_.request(), SocksReply::granted, at))) return;
  start_association(services_, take_client(), std::move(*socket), there.address,
                    server_.request().target.port);
}

}  // namespace

void serve_socks(Services& services, Credentials& credentials, const std::vector<IpAddress>& inner,
                 io::UniqueFd client) {
  std::make_shared<SocksSession>(services, credentials, inner, std::move(client))->begin();
}

}  // namespace ferrule::proxy
