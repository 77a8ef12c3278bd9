#include "proxy/udp_association.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "proxy/datagrams.h"
#include "proxy/leads_back.h"
#include "proxy/resolver.h"
#include "proxy/socks.h"

namespace ferrule::proxy {

namespace {

class Association : public std::enable_shared_from_this<Association> {
 public:
  Association(Services& services, io::UniqueFd client, io::UniqueFd outside,
              const IpAddress& address, std::uint16_t port)
      : services_(services),
        client_(std::move(client)),
        outside_(std::move(outside)),
        client_at_(address.unmapped(), port) {
    ++services_.associations;
  }
  ~Association() { --services_.associations; }
  Association(const Association&) = delete;
  Association& operator=(const Association&) = delete;

  void begin();

 private:
  struct Inner {
    io::UniqueFd socket;
    Watched watched;
  };

  void hear_client();
  void take_datagrams();
  void take(const netstack::Datagram& datagram);
  void send_inside(const Endpoint& to, Bytes payload);
  void give_back(Inner& inner);
  void expire();
  void end();
  [[nodiscard]] Inner* inner_for(Family family);

  Services& services_;
  io::UniqueFd client_;
  io::UniqueFd outside_;
  Endpoint client_at_;
  Watched client_watched_;
  Watched outside_watched_;
  std::array<Inner, 2> inner_;  // of IPv4 and IPv6
  Timer expiry_;
  Instant last_used_;
  std::size_t waiting_ = 0;  // datagrams, for names
};

void Association::begin() {
  client_watched_ = Watched(services_.loop, client_.get(), {},
                            [self = shared_from_this()](const io::Ready&) { self->hear_client(); });
  outside_watched_ =
      Watched(services_.loop, outside_.get(), {},
              [self = shared_from_this()](const io::Ready&) { self->take_datagrams(); });
}

// Its connection says nothing more, but that it lives.
void Association::hear_client() {
  std::array<char, 512> room;
  const ssize_t got = ::recv(client_.get(), room.data(), room.size(), 0);
  if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return;
  end();
}

void Association::end() {
  const auto self = shared_from_this();
  client_watched_.reset();
  outside_watched_.reset();
  expiry_.reset();
  for (Inner& inner : inner_) inner = {};
  client_.reset();
  outside_.reset();
}

void Association::take_datagrams() {
  for (unsigned i = 0; i < kDatagramsPerTurn; ++i) {
    const auto datagram = receive_datagram(services_.outside, outside_.get());
    if (!datagram) return;
    take(*datagram);
  }
}

void Association::take(const netstack::Datagram& datagram) {
  const bool is_clients = datagram.from.address == client_at_.address &&
                          (client_at_.port == 0 || datagram.from.port == client_at_.port);
  const auto parsed = is_clients ? parse_socks_datagram(datagram.bytes) : std::nullopt;
  if (!parsed) {
    ++services_.counters.lost_datagrams;
    return;
  }
  client_at_.port = datagram.from.port;
  const std::uint16_t port = parsed->target.port;
  if (parsed->target.name.empty()) {
    return send_inside(Endpoint(parsed->target.address, port), parsed->payload);
  }
  if (waiting_ >= kMaxWaitingDatagrams) {
    ++services_.counters.lost_datagrams;
    return;
  }
  ++waiting_;
  std::string payload(reinterpret_cast<const char*>(parsed->payload.data()),
                      parsed->payload.size());
  services_.resolver->resolve(parsed->target.name, [self = shared_from_this(), port,
                                                    kept = std::move(payload)](auto addresses) {
    --self->waiting_;
    if (!addresses || !self->outside_) return;
    self->send_inside(Endpoint(addresses->front(), port),
                      {reinterpret_cast<const std::uint8_t*>(kept.data()), kept.size()});
  });
}

Association::Inner* Association::inner_for(Family family) {
  Inner& inner = inner_[family == Family::v4 ? 0 : 1];
  if (inner.socket) return &inner;
  const auto any = IpAddress::parse(family == Family::v4 ? "0.0.0.0" : "::");
  auto socket = services_.inside.open_udp(Endpoint(*any, 0));
  if (!socket) return nullptr;
  inner.socket = std::move(*socket);
  inner.watched =
      Watched(services_.loop, inner.socket.get(), {},
              [self = shared_from_this(), &inner](const io::Ready&) { self->give_back(inner); });
  expire();
  return &inner;
}

void Association::send_inside(const Endpoint& to, Bytes payload) {
  last_used_ = services_.loop.now();
  const bool is_lost = leads_back(services_, services_.inside, to.address);
  Inner* inner = is_lost ? nullptr : inner_for(to.address.family());
  if (inner != nullptr && services_.inside.send(inner->socket.get(), to, {}, payload)) {
    ++services_.counters.datagrams_in;
  } else {
    ++services_.counters.lost_datagrams;
  }
}

void Association::give_back(Inner& inner) {
  for (unsigned i = 0; i < kDatagramsPerTurn && inner.socket; ++i) {
    const auto datagram = receive_datagram(services_.inside, inner.socket.get());
    if (!datagram) return;
    last_used_ = services_.loop.now();
    const std::string header = socks_datagram_header(datagram->from);
    if (services_.outside.send(outside_.get(), client_at_, header, datagram->bytes)) {
      ++services_.counters.datagrams_out;
    } else {
      ++services_.counters.lost_datagrams;
    }
  }
}

// After a silence the next datagram gets a new port inside.
void Association::expire() {
  if (services_.loop.now() >= last_used_ + kMappingLife) {
    for (Inner& inner : inner_) inner = {};
    return;
  }
  expiry_ = Timer(services_.loop, last_used_ + kMappingLife,
                  [self = shared_from_this()] { self->expire(); });
}

}  // namespace

void start_association(Services& services, io::UniqueFd client, io::UniqueFd outside,
                       const IpAddress& client_address, std::uint16_t port) {
  std::make_shared<Association>(services, std::move(client), std::move(outside), client_address,
                                port)
      ->begin();
}

}  // namespace ferrule::proxy
