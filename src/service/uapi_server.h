// The UAPI's connections (P100 to P103).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/log.h"
#include "control/endpoint_text.h"
#include "control/uapi_parser.h"
#include "control/uapi_writer.h"
#include "engine/engine.h"
#include "io/poller.h"
#include "io/stream.h"

namespace ferrule::service {

/// Serves any number of clients from the control thread without ever waiting for one: a stalled
/// client holds its own connection and nothing else, and an answer is made as fast as its client
/// takes it.
class UapiServer {
 public:
  /// What all unfinished requests together may hold. When they would hold more, the largest is given
  /// up: a million peers with a few allowed IPs each come to about half of this.
  static constexpr std::size_t kMaxHeldBytes = std::size_t{1} << 30;

  /// Its connections are waited for by `poller`, with tags from `first_tag` on.
  /// `scope_of` gives the numbers of interfaces. Keeps the references.
  UapiServer(io::Listener& listener, control::ScopeLookup scope_of, engine::Engine& engine,
             Log& log, io::Poller& poller, std::uint64_t first_tag,
             std::size_t max_held_bytes = kMaxHeldBytes);
  ~UapiServer();

  /// Somebody connects. A client that there is no memory for is turned away.
  void accept() noexcept;
  /// Something has come of a connection. Without memory for an answer, the connection is closed.
  void serve(const io::Ready& ready) noexcept;
  /// The parts of answers that are made and wait for their clients.
  [[nodiscard]] std::size_t waiting_bytes() const noexcept;

 private:
  // Below the usual limit of 1024 descriptors: past that, accept(2) fails and the listener stays
  // readable.
  static constexpr std::size_t kMaxClients = 512;
  struct Client;
  // Whose answer is under way, a few peers at a time, and then only its end.
  enum class Walk : std::uint8_t { none, get, stats, end };

  void accept_one(std::unique_ptr<io::Stream> stream);
  void serve(Client& client, const io::Ready& ready);
  void receive(Client& client);
  void take_requests(Client& client, std::string_view input);
  void count_held(Client& client) noexcept;
  void bound_memory(Client& client) noexcept;
  void answer(Client& client, control::UapiRequest request);
  void walk_peers(Client& client, Walk walk);
  void go_on(Client& client);
  void write_stats(Client& client);
  [[nodiscard]] bool send_pending(Client& client);
  void close(std::uint64_t tag) noexcept;

  io::Listener& listener_;
  control::ScopeLookup scope_of_;
  engine::Engine& engine_;
  Log& log_;
  io::Poller& poller_;
  std::uint64_t next_tag_;
  std::size_t max_held_bytes_;
  std::size_t held_bytes_ = 0;  // by all clients' parsers
  std::unordered_map<std::uint64_t, std::unique_ptr<Client>> clients_;
};

/// One line for each counter of the device that is not zero.
[[nodiscard]] std::string describe_counters(engine::Engine& engine);

}  // namespace ferrule::service
