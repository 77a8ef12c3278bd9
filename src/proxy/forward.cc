#include "proxy/forward.h"

#include <list>
#include <map>
#include <utility>

#include "proxy/datagrams.h"
#include "proxy/dialer.h"
#include "proxy/leads_back.h"
#include "proxy/relay.h"
#include "proxy/resolver.h"

namespace ferrule::proxy {

namespace {

// What a connection waits for, and is given up with.
struct Call {
  io::UniqueFd client;
  Watched watched;
  Dialling dialling;

  void end() {
    watched.reset();
    dialling.reset();
    client.reset();
  }
};

using Dial = std::function<Dialling(Dialled)>;

void carry_on(Services& services, const Dial& dial, io::UniqueFd client) {
  const auto call = std::make_shared<Call>();
  call->client = std::move(client);
  // It may go while we dial.
  call->watched =
      Watched(services.loop, call->client.get(), {.reading = false}, [call](const io::Ready&) {
        const auto alive = call;
        alive->end();
      });
  call->dialling = dial([call, &services](Result<io::UniqueFd> made) {
    const auto alive = call;
    alive->watched.reset();
    if (!made) return say(services, made.error().what), alive->end();
    start_relay(services, std::move(alive->client), std::move(*made), {});
  });
}

Listener forward_by(Services& services, netstack::Reach& from, io::UniqueFd socket,
                    std::string name, Dial dial) {
  return {services, from, std::move(socket), std::move(name),
          [&services, dial = std::move(dial)](io::UniqueFd client, const Endpoint&) {
            carry_on(services, dial, std::move(client));
          }};
}

}  // namespace

Listener forward_tcp(Services& services, netstack::Reach& from, io::UniqueFd socket,
                     std::string name, netstack::Reach& way, Target target) {
  return forward_by(services, from, std::move(socket), std::move(name),
                    [&services, &way, target = std::move(target)](Dialled dialled) {
                      return dial(services, way, target, std::move(dialled));
                    });
}

Listener forward_tcp_to_any(Services& services, netstack::Reach& from, io::UniqueFd socket,
                            std::string name, netstack::Reach& way, std::vector<IpAddress> hosts,
                            std::uint16_t port) {
  return forward_by(services, from, std::move(socket), std::move(name),
                    [&services, &way, hosts = std::move(hosts), port](Dialled dialled) {
                      return dial_any(services, way, hosts, port, std::move(dialled));
                    });
}

class UdpForward::Door : public std::enable_shared_from_this<Door> {
 public:
  Door(Services& services, netstack::Reach& from, io::UniqueFd socket, netstack::Reach& way,
       Target target)
      : services_(services),
        from_(from),
        socket_(std::move(socket)),
        way_(way),
        target_(std::move(target)) {}

  void begin() {
    watched_ = Watched(services_.loop, socket_.get(), {},
                       [self = shared_from_this()](const io::Ready&) { self->take_datagrams(); });
  }
  void end() {
    watched_.reset();
    expiry_.reset();
    mappings_.clear();
    order_.clear();
  }

 private:
  struct Mapping {
    Endpoint client;
    io::UniqueFd socket;
    Watched watched;
    Instant last_used;
    std::list<Endpoint>::iterator place;  // the least recently used first
  };

  void take_datagrams();
  [[nodiscard]] Mapping* mapping_for(const Endpoint& client);
  void give_back(const Endpoint& client);
  void use(Mapping& mapping);
  void drop_oldest();
  void expire();
  void find_target();

  Services& services_;
  netstack::Reach& from_;
  io::UniqueFd socket_;
  netstack::Reach& way_;
  Target target_;
  Endpoint to_;  // none while a name is not known
  bool is_finding_ = false;
  Instant found_until_;
  Watched watched_;
  Timer expiry_;
  std::map<Endpoint, Mapping> mappings_;
  std::list<Endpoint> order_;
};

// A name is looked up again after a while, and datagrams of the meantime go where it led before.
void UdpForward::Door::find_target() {
  if (target_.name.empty()) {
    to_ = Endpoint(target_.address, target_.port);
    found_until_ = Instant::never();
    return;
  }
  if (std::exchange(is_finding_, true)) return;
  services_.resolver->resolve(target_.name, [self = shared_from_this()](auto addresses) {
    self->is_finding_ = false;
    self->found_until_ = self->services_.loop.now() + kMappingLife;
    if (addresses) self->to_ = Endpoint(addresses->front(), self->target_.port);
  });
}

void UdpForward::Door::take_datagrams() {
  if (services_.loop.now() >= found_until_) find_target();
  for (unsigned i = 0; i < kDatagramsPerTurn; ++i) {
    const auto datagram = receive_datagram(from_, socket_.get());
    if (!datagram) return;
    Mapping* mapping = mapping_for(datagram->from);
    if (mapping != nullptr && way_.send(mapping->socket.get(), {}, {}, datagram->bytes)) {
      ++services_.counters.datagrams_in;
    } else {
      ++services_.counters.lost_datagrams;
    }
  }
}

UdpForward::Door::Mapping* UdpForward::Door::mapping_for(const Endpoint& client) {
  if (const auto found = mappings_.find(client); found != mappings_.end()) {
    use(found->second);
    return &found->second;
  }
  if (to_.is_none() || leads_back(services_, way_, to_.address)) return nullptr;
  const auto any = IpAddress::parse(to_.address.family() == Family::v4 ? "0.0.0.0" : "::");
  auto socket = way_.open_udp(Endpoint(*any, 0));
  if (!socket || !way_.set_other_end(socket->get(), to_)) return nullptr;
  if (mappings_.size() >= kMaxMappings) drop_oldest();
  Mapping& mapping = mappings_[client];
  mapping.client = client;
  mapping.socket = std::move(*socket);
  mapping.place = order_.insert(order_.end(), client);
  mapping.last_used = services_.loop.now();
  mapping.watched =
      Watched(services_.loop, mapping.socket.get(), {},
              [self = shared_from_this(), client](const io::Ready&) { self->give_back(client); });
  if (mappings_.size() == 1) expire();
  return &mapping;
}

void UdpForward::Door::give_back(const Endpoint& client) {
  const auto found = mappings_.find(client);
  if (found == mappings_.end()) return;
  use(found->second);
  for (unsigned i = 0; i < kDatagramsPerTurn; ++i) {
    const auto datagram = receive_datagram(way_, found->second.socket.get());
    if (!datagram) return;
    if (from_.send(socket_.get(), client, {}, datagram->bytes)) {
      ++services_.counters.datagrams_out;
    } else {
      ++services_.counters.lost_datagrams;
    }
  }
}

void UdpForward::Door::use(Mapping& mapping) {
  mapping.last_used = services_.loop.now();
  order_.splice(order_.end(), order_, mapping.place);
}

void UdpForward::Door::drop_oldest() {
  mappings_.erase(order_.front());
  order_.pop_front();
}

void UdpForward::Door::expire() {
  while (!order_.empty()) {
    const Instant until = mappings_.at(order_.front()).last_used + kMappingLife;
    if (until > services_.loop.now()) {
      expiry_ = Timer(services_.loop, until, [self = shared_from_this()] { self->expire(); });
      return;
    }
    drop_oldest();
  }
}

UdpForward::UdpForward(Services& services, netstack::Reach& from, io::UniqueFd socket,
                       netstack::Reach& way, Target target)
    : door_(std::make_shared<Door>(services, from, std::move(socket), way, std::move(target))) {
  door_->begin();
}

UdpForward::~UdpForward() {
  if (door_) door_->end();
}

}  // namespace ferrule::proxy
