#include "service/uapi_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>

#include "base/secret.h"
#include "control/wiped_text.h"
#include "io/clock.h"
#include "io/thread.h"

namespace ferrule::service {

namespace {

constexpr std::size_t kReadBytes = 65536;
// An answer pauses when this much of it waits for its client.
constexpr std::size_t kPendingBytes = 65536;
constexpr std::size_t kPeersAtOnce = 64;
// What one event of a client leads to, so that nobody waits for a client that reads as fast as we write:
// so many peers told of, and so many requests taken up, of which one may change what takes long: a private
// key takes X25519, a port new sockets.
constexpr std::size_t kPeersInATurn = 512;
constexpr std::size_t kRequestsInATurn = 64;

struct Wiper {
  MutBytes bytes;
  ~Wiper() { wipe(bytes); }
};

}  // namespace

struct UapiServer::Client {
  Client(std::uint64_t number, std::unique_ptr<io::Stream> connection,
         control::ScopeLookup scope_of)
      : tag(number),
        stream(std::move(connection)),
        parser(scope_of),
        writer([this](std::string_view piece) { pending.append(piece); }) {}

  std::uint64_t tag;
  std::unique_ptr<io::Stream> stream;
  control::UapiParser parser;
  control::UapiWriter writer;
  control::WipedText pending;  // of the answer, for the client to take
  std::size_t taken = 0;       // of `pending`
  control::WipedText unread;   // requests behind one whose answer is under way
  std::optional<protocol::Device::PeerCursor> cursor;
  std::size_t held = 0;           // by the parser, as far as it is in held_bytes_
  std::size_t peers_left = 0;     // to tell of in this turn
  std::size_t requests_left = 0;  // to take up in this turn
  Walk walk = Walk::none;
  bool ended = false;   // nothing more will come
  bool broken = false;  // nothing more can be sent
};

UapiServer::UapiServer(io::Listener& listener, control::ScopeLookup scope_of,
                       engine::Engine& engine, Log& log, io::Poller& poller,
                       std::uint64_t first_tag, std::size_t max_held_bytes)
    : listener_(listener),
      scope_of_(scope_of),
      engine_(engine),
      log_(log),
      poller_(poller),
      next_tag_(first_tag),
      max_held_bytes_(max_held_bytes) {}

UapiServer::~UapiServer() = default;

void UapiServer::accept() noexcept {
  for (;;) {
    try {
      std::unique_ptr<io::Stream> stream = listener_.accept();
      if (!stream) return;
      accept_one(std::move(stream));
    } catch (const std::bad_alloc&) {
      log_.write(LogLevel::error, "out of memory: turned a client away");
    }
  }
}

void UapiServer::accept_one(std::unique_ptr<io::Stream> stream) {
  if (clients_.size() >= kMaxClients) return;  // closes it
  const std::uint64_t tag = next_tag_++;
  const io::Waitable waitable = stream->waitable();
  clients_.emplace(tag, std::make_unique<Client>(tag, std::move(stream), scope_of_));
  if (!poller_.add(waitable, {}, tag)) clients_.erase(tag);
}

void UapiServer::serve(const io::Ready& ready) noexcept {
  const auto found = clients_.find(ready.tag);
  if (found == clients_.end()) return;  // closed by an event before this one
  try {
    serve(*found->second, ready);
  } catch (const std::bad_alloc&) {
    log_.write(LogLevel::error, "out of memory: closed a client's connection");
    close(ready.tag);
  }
}

void UapiServer::serve(Client& client, const io::Ready& ready) {
  client.peers_left = kPeersInATurn;
  client.requests_left = kRequestsInATurn;
  if (ready.readable) receive(client);
  wipe_stack();  // a request need not end
  go_on(client);
  bound_memory(client);
  // For the client to take what there is, or only for a further turn.
  const bool waits =
      client.pending.size() > client.taken || client.walk != Walk::none || !client.unread.empty();
  if (client.broken || (client.ended && !waits) || ready.broken) {
    close(client.tag);
    return;
  }
  // While an answer waits for its client, its further requests wait too.
  poller_.rearm(client.stream->waitable(), {.reading = !waits, .writing = waits}, client.tag);
}

std::size_t UapiServer::waiting_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const auto& [tag, client] : clients_) bytes += client->pending.size() - client->taken;
  return bytes;
}

void UapiServer::receive(Client& client) {
  std::array<std::uint8_t, kReadBytes> buffer;  // on purpose not initialised
  const io::Carried got = client.stream->receive(buffer);
  if (got.outcome == io::Carried::Outcome::never) client.ended = true;
  if (got.outcome != io::Carried::Outcome::some) return;
  const Wiper wiper{MutBytes(buffer).first(got.bytes)};
  take_requests(client, {reinterpret_cast<const char*>(buffer.data()), got.bytes});
}

void UapiServer::take_requests(Client& client, std::string_view input) {
  // A read may hold thousands of requests: the rest wait until their client has taken some answers.
  while (client.walk == Walk::none && !client.broken && !input.empty() &&
         client.requests_left > 0 && client.pending.size() - client.taken < kPendingBytes) {
    auto request = client.parser.feed(input);
    engine_.discard(client.parser.take_remains());
    if (!request) continue;
    --client.requests_left;
    answer(client, std::move(*request));
  }
  client.unread.append(input);
}

void UapiServer::count_held(Client& client) noexcept {
  held_bytes_ -= client.held;
  client.held = client.parser.held_bytes();
  held_bytes_ += client.held;
}

void UapiServer::bound_memory(Client& client) noexcept {
  count_held(client);
  while (held_bytes_ > max_held_bytes_) {
    // Not the one that happens to come last: a stalled client must not keep others out.
    Client& largest = *std::ranges::max_element(clients_, {}, [](const auto& entry) {
                         return entry.second->held;
                       })->second;
    largest.parser.give_up_request();
    engine_.discard(largest.parser.take_remains());
    count_held(largest);
  }
}

void UapiServer::answer(Client& client, control::UapiRequest request) {
  if (std::holds_alternative<control::GetRequest>(request)) {
    client.writer.device(engine_.device().private_key(), engine_.listen_port(), engine_.fwmark());
    walk_peers(client, Walk::get);
  } else if (std::holds_alternative<control::StatsRequest>(request)) {
    write_stats(client);
    walk_peers(client, Walk::stats);
  } else if (std::holds_alternative<control::SettingsRequest>(request)) {
    client.writer.place(engine_.place(), engine_.missing_of_place());
    client.writer.finish(0);
  } else if (auto* change = std::get_if<protocol::DeviceChange>(&request)) {
    if (change->private_key || change->listen_port || change->bind || change->bind_interface ||
        !change->peers.empty()) {
      client.requests_left = 0;
    }
    const Result<void> applied = engine_.apply(io::now(), std::move(*change));
    if (!applied) log_.write_parts(LogLevel::error, {"set refused: ", applied.error().what});
    client.writer.finish(applied ? 0 : applied.error().code);
  } else {
    const Error& error = std::get<Error>(request);
    log_.write_parts(LogLevel::error, {"request refused: ", error.what});
    client.writer.finish(error.code);
  }
}

void UapiServer::walk_peers(Client& client, Walk walk) {
  client.walk = walk;
  client.cursor.reset();
  go_on(client);
}

// Sends what waits, makes more of the answer that is under way, and turns to what the client asked
// meanwhile. The end of an answer is made once the rest of it has been sent and wiped: who has read it to
// its end finds no key of it in our memory, however long ago this thread had its core.
void UapiServer::go_on(Client& client) {
  while (send_pending(client) && !client.broken) {
    if (client.walk == Walk::end) {
      client.walk = Walk::none;
      client.writer.finish(0);
    } else if (client.walk != Walk::none) {
      if (client.peers_left == 0) return;
      client.peers_left -= kPeersAtOnce;
      const bool more = engine_.device().visit_peers(
          client.cursor, kPeersAtOnce, [&](const protocol::PeerStatus& peer) {
            client.walk == Walk::get ? client.writer.peer(peer) : client.writer.peer_stats(peer);
          });
      if (!more) {
        client.writer.flush();
        client.walk = Walk::end;
      }
    } else if (!client.unread.empty()) {
      if (client.requests_left == 0) return;
      const control::WipedText unread = std::exchange(client.unread, {});
      take_requests(client, unread.view());
    } else if (auto request = client.ended ? client.parser.cut_off() : std::nullopt) {
      answer(client, std::move(*request));
    } else {
      return;
    }
  }
}

void UapiServer::write_stats(Client& client) {
  const protocol::DropCounters& drops = engine_.device().drops();
  for (std::size_t i = 1; i < protocol::kDropCount; ++i) {
    const auto drop = static_cast<protocol::Drop>(i);
    client.writer.stat(fmt::format("drop_{}", protocol::name_of(drop)), drops[drop]);
  }
  client.writer.stat("cookie_replies", engine_.device().cookie_replies());
  client.writer.stat("initiations_sent", engine_.device().initiations_sent());
  client.writer.stat("initiations_answered", engine_.device().initiations_answered());
  const std::vector<engine::Engine::LaneWork> lanes = engine_.lane_work();
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const auto stat = [&](std::string_view name, std::uint64_t value) {
      client.writer.stat(fmt::format("lane_{}_{}", i, name), value);
    };
    stat("cpu_ns", static_cast<std::uint64_t>(lanes[i].cpu_time.count()));
    stat("sent_packets", lanes[i].sent_packets);
    stat("received_packets", lanes[i].received_packets);
  }
  const Duration control_time = io::cpu_time_of_this_thread();
  client.writer.stat("control_cpu_ns", static_cast<std::uint64_t>(control_time.count()));
}

// True when nothing waits any more.
bool UapiServer::send_pending(Client& client) {
  if (client.taken < client.pending.size())
    wipe_stack();  // before it can be known that we are done
  while (client.taken < client.pending.size()) {
    const std::string_view rest = client.pending.view().substr(client.taken);
    const io::Carried sent =
        client.stream->send({reinterpret_cast<const std::uint8_t*>(rest.data()), rest.size()});
    if (sent.outcome == io::Carried::Outcome::later) return false;
    if (sent.outcome == io::Carried::Outcome::never) {
      client.broken = true;
      break;
    }
    client.taken += sent.bytes;
  }
  client.taken = 0;
  client.pending.capacity() > 2 * kPendingBytes ? client.pending.clear() : client.pending.rewind();
  return true;
}

void UapiServer::close(std::uint64_t tag) noexcept {
  const auto found = clients_.find(tag);
  poller_.remove(found->second->stream->waitable());
  held_bytes_ -= found->second->held;
  found->second->parser.give_up_request();
  engine_.discard(found->second->parser.take_remains());
  clients_.erase(found);
}

std::string describe_counters(engine::Engine& engine) {
  const protocol::DropCounters& drops = engine.device().drops();
  std::string text = fmt::format("{} peers; drops:", engine.device().peer_count());
  for (std::size_t i = 1; i < protocol::kDropCount; ++i) {
    const auto drop = static_cast<protocol::Drop>(i);
    if (drops[drop] != 0) text += fmt::format(" {}={}", protocol::name_of(drop), drops[drop]);
  }
  return text;
}

}  // namespace ferrule::service
