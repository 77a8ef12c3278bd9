#include "proxy/listener.h"

#include <cerrno>
#include <utility>

namespace ferrule::proxy {

struct Listener::Door : std::enable_shared_from_this<Door> {
  Services* services = nullptr;
  netstack::Reach* way = nullptr;
  io::UniqueFd socket;
  std::string name;
  Accepted accepted;
  Watched watched;
  Timer rest;
  bool has_said = false;

  void accept();
  void rest_a_while();
};

void Listener::Door::accept() {
  const auto self = shared_from_this();
  for (std::size_t i = 0; i < kAcceptsPerTurn && watched; ++i) {
    Result<netstack::Caller> client = way->accept(socket.get());
    if (!client) {
      const int error = client.error().code;
      if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) rest_a_while();
      return;
    }
    ++services->counters.accepted;
    accepted(std::move(client->socket), client->from);
  }
}

void Listener::Door::rest_a_while() {
  if (!std::exchange(has_said, true)) {
    say(*services, name + ": no more connections can be had at once: new ones wait");
  }
  watched.set(false, false);
  rest = Timer(services->loop, services->loop.now() + kAcceptRest, [self = shared_from_this()] {
    if (self->watched) self->watched.set(true, false);
  });
}

Listener::Listener(Services& services, netstack::Reach& way, io::UniqueFd socket, std::string name,
                   Accepted accepted)
    : door_(std::make_shared<Door>()) {
  door_->services = &services;
  door_->way = &way;
  door_->socket = std::move(socket);
  door_->name = std::move(name);
  door_->accepted = std::move(accepted);
  door_->watched = Watched(services.loop, door_->socket.get(), {},
                           [door = door_.get()](const io::Ready&) { door->accept(); });
}

Listener::~Listener() {
  if (!door_) return;
  door_->watched.reset();
  door_->rest.reset();
}

Endpoint Listener::at() const { return door_->way->local_end(door_->socket.get()); }

}  // namespace ferrule::proxy
