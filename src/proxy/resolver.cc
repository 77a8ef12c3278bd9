#include "proxy/resolver.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "proxy/dialer.h"
#include "proxy/target.h"

namespace ferrule::proxy {

namespace {

constexpr std::size_t kRoomBytes = 4096;

Bytes bytes_of(const std::string& text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Duration seconds(std::uint32_t count) { return std::chrono::seconds(count); }

}  // namespace

// One question to one server after the other, until one answers.
class Resolver::Query : public std::enable_shared_from_this<Query> {
 public:
  using Done = std::function<void(const DnsAnswer*)>;  // null: nobody answered

  Query(Resolver& resolver, std::string name, DnsType type, Done done)
      : resolver_(resolver), name_(std::move(name)), type_(type), done_(std::move(done)) {}

  void begin() { try_next(); }
  void cancel() {
    done_ = nullptr;
    stop();
  }

 private:
  void stop() {
    dialling_.reset();
    watched_.reset();
    timer_.reset();
    socket_.reset();
  }
  void finish(const DnsAnswer* answer) {
    const auto self = shared_from_this();
    stop();
    if (const Done done = std::exchange(done_, nullptr)) done(answer);
  }
  void try_next();
  void ask_by_udp(const Endpoint& server);
  void ask_by_tcp();
  void read_datagrams();
  void exchange_by_tcp(const io::Ready& ready);
  void take(Bytes message);
  void arm(Duration patience) {
    timer_ = Timer(resolver_.services_.loop, resolver_.services_.loop.now() + patience,
                   [self = shared_from_this()] { self->try_next(); });
  }

  Resolver& resolver_;
  std::string name_;
  DnsType type_;
  Done done_;
  unsigned tries_ = 0;
  std::uint16_t id_ = 0;
  std::string question_;
  Endpoint server_;
  io::UniqueFd socket_;
  Watched watched_;
  Dialling dialling_;
  Timer timer_;
  std::string tcp_out_;
  std::string tcp_in_;
};

void Resolver::Query::try_next() {
  const auto self = shared_from_this();
  stop();
  const auto& servers = resolver_.settings_.servers;
  if (servers.empty() || tries_ >= kQueryTries) return finish(nullptr);
  server_ = Endpoint(servers[tries_ % servers.size()], resolver_.port_);
  const Duration patience = kFirstQueryPatience * (1u << (tries_ / servers.size()));
  ++tries_;
  const std::optional<std::uint16_t> id = resolver_.random_id();
  if (!id) return finish(nullptr);
  id_ = *id;
  question_ = dns_question(id_, name_, type_);
  if (question_.empty()) return finish(nullptr);
  tcp_out_.clear();
  arm(patience);
  ask_by_udp(server_);
}

// A socket of its own for each question: its port is the kernel's choice, and what others than the
// server send does not come to it.
void Resolver::Query::ask_by_udp(const Endpoint& server) {
  const bool is_v4 = server.address.family() == Family::v4;
  const auto any = IpAddress::parse(is_v4 ? "0.0.0.0" : "::");
  auto socket = resolver_.services_.inside.open_udp(Endpoint(*any, 0));
  if (!socket) return;  // the timer tries another server
  socket_ = std::move(*socket);
  netstack::Reach& inside = resolver_.services_.inside;
  if (!inside.set_other_end(socket_.get(), server)) return;
  (void)inside.send(socket_.get(), {}, {}, bytes_of(question_));
  watched_ = Watched(resolver_.services_.loop, socket_.get(), {},
                     [self = shared_from_this()](const io::Ready&) { self->read_datagrams(); });
}

void Resolver::Query::read_datagrams() {
  for (unsigned i = 0; i < kDatagramsPerTurn && socket_; ++i) {
    const Result<netstack::Datagram> came = resolver_.services_.inside.receive(socket_.get());
    if (!came && came.error().code == ECONNREFUSED) return try_next();
    if (!came) return;
    take(came->bytes);
    if (tcp_out_.size() > 0) return;
  }
}

void Resolver::Query::take(Bytes message) {
  const auto answer = parse_dns_answer(message, id_, name_, type_);
  if (!answer) return;
  if (answer->is_truncated && tcp_out_.empty()) return ask_by_tcp();
  if (answer->outcome == DnsOutcome::server_failed) return try_next();
  finish(&*answer);
}

void Resolver::Query::ask_by_tcp() {
  watched_.reset();
  socket_.reset();
  tcp_in_.clear();
  tcp_out_.clear();
  tcp_out_ += static_cast<char>(question_.size() >> 8);
  tcp_out_ += static_cast<char>(question_.size() & 0xff);
  tcp_out_ += question_;
  Services& services = resolver_.services_;
  const auto exchange = [self = shared_from_this()](const io::Ready& ready) {
    self->exchange_by_tcp(ready);
  };
  dialling_ = dial(services, services.inside, {"", server_.address, server_.port},
                   [this, &services, exchange](Result<io::UniqueFd> made) {
                     if (!made) return try_next();
                     socket_ = std::move(*made);
                     watched_ = Watched(services.loop, socket_.get(),
                                        {.reading = true, .writing = true}, exchange);
                   });
}

void Resolver::Query::exchange_by_tcp(const io::Ready& ready) {
  if (ready.writable && tcp_out_.size() > 1) {
    const ssize_t sent = ::send(socket_.get(), tcp_out_.data(), tcp_out_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return try_next();
    // One byte stays, to remember by that it is TCP that is spoken.
    if (sent > 0 && static_cast<std::size_t>(sent) < tcp_out_.size()) return try_next();
    if (sent > 0) {
      tcp_out_.resize(1);
      watched_.set(true, false);
    }
  }
  if (!ready.readable) return;
  std::array<char, kRoomBytes> room;
  const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return try_next();
  tcp_in_.append(room.data(), static_cast<std::size_t>(got));
  if (tcp_in_.size() < 2) return;
  const std::size_t size = load_be16(bytes_of(tcp_in_).data());
  if (tcp_in_.size() >= 2 + size) take(bytes_of(tcp_in_).subspan(2, size));
}

// One name, as A and as AAAA, with one search domain after the other.
class Resolver::Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  Lookup(Resolver& resolver, std::string name, Done done)
      : resolver_(resolver),
        name_(std::move(name)),
        names_(resolver.candidates(name_)),
        done_(std::move(done)) {
    ++resolver_.lookups_;
  }
  ~Lookup() { --resolver_.lookups_; }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  void begin() { ask_next(); }

 private:
  struct Side {
    DnsType type;
    bool is_wanted;
    bool is_answered = false;
    std::shared_ptr<Query> query;
    std::vector<IpAddress> addresses;
  };

  void ask_next();
  void answered(Side& side, const DnsAnswer* answer, bool is_from_memory);
  void look_whether_done();
  void finish();

  Resolver& resolver_;
  std::string name_;
  std::vector<std::string> names_;
  Done done_;
  std::size_t next_ = 0;
  bool somebody_answered_ = false;
  bool is_asking_ = false;
  std::array<Side, 2> sides_{
      {{DnsType::aaaa, false, false, {}, {}}, {DnsType::a, false, false, {}, {}}}};
  Timer timer_;
};

void Resolver::Lookup::ask_next() {
  if (next_ >= names_.size()) return finish();
  const std::string name = names_[next_++];
  sides_[0].is_wanted = resolver_.settings_.has_v6;
  sides_[1].is_wanted = resolver_.settings_.has_v4;
  is_asking_ = true;
  for (Side& side : sides_) side.is_answered = !side.is_wanted;
  for (Side& side : sides_) {
    if (!side.is_wanted) continue;
    const std::string key = name + (side.type == DnsType::a ? "/A" : "/AAAA");
    if (const DnsAnswer* known = resolver_.remembered(key)) {
      ++resolver_.services_.counters.cached_lookups;
      answered(side, known, true);
      continue;
    }
    side.query =
        std::make_shared<Query>(resolver_, name, side.type,
                                [self = shared_from_this(), &side, key](const DnsAnswer* answer) {
                                  if (answer != nullptr) self->resolver_.remember(key, *answer);
                                  self->answered(side, answer, false);
                                });
  }
  is_asking_ = false;
  for (Side& side : sides_) {
    if (side.is_wanted && !side.is_answered) side.query->begin();
  }
  look_whether_done();
}

void Resolver::Lookup::answered(Side& side, const DnsAnswer* answer, bool is_from_memory) {
  side.is_answered = true;
  side.query.reset();
  if (answer != nullptr) {
    somebody_answered_ = true;
    side.addresses = answer->addresses;
  }
  if (!is_from_memory) look_whether_done();
}

void Resolver::Lookup::look_whether_done() {
  if (!done_ || is_asking_) return;
  const bool all = sides_[0].is_answered && sides_[1].is_answered;
  const bool any = !sides_[0].addresses.empty() || !sides_[1].addresses.empty();
  if (all && any) return finish();
  if (all) return ask_next();
  if (!any) return;
  timer_ = Timer(resolver_.services_.loop, resolver_.services_.loop.now() + kOtherFamilyPatience,
                 [self = shared_from_this()] { self->finish(); });
}

void Resolver::Lookup::finish() {
  const Done done = std::exchange(done_, nullptr);
  if (!done) return;
  const auto self = shared_from_this();
  timer_.reset();
  std::vector<IpAddress> all;
  for (Side& side : sides_) {
    all.insert(all.end(), side.addresses.begin(), side.addresses.end());
    if (const auto query = std::exchange(side.query, nullptr)) query->cancel();
  }
  if (!all.empty()) return done(std::move(all));
  ++resolver_.services_.counters.failed_lookups;
  if (resolver_.settings_.servers.empty()) {
    return done(std::unexpected(
        make_error(ENOENT, "find " + name_ + ": the file has no DNS to ask inside the tunnel")));
  }
  done(std::unexpected(somebody_answered_
                           ? make_error(ENOENT, "find " + name_ + ": no such name inside")
                           : make_error(ETIMEDOUT, "find " + name_ + ": no name server answers")));
}

Resolver::Resolver(Services& services, ResolverSettings settings, std::uint16_t port)
    : services_(services), settings_(std::move(settings)), port_(port) {}
Resolver::~Resolver() = default;

void Resolver::resolve(const std::string& name, Done done) {
  ++services_.counters.lookups;
  if (const auto address = IpAddress::parse(name)) return done(std::vector{*address});
  if (!is_host_name(name)) {
    return done(std::unexpected(make_error(ENOENT, "find " + name + ": this is no name")));
  }
  if (lookups_ >= kMaxLookups) {
    return done(std::unexpected(make_error(ETIMEDOUT, "find " + name + ": too many at once")));
  }
  std::make_shared<Lookup>(*this, name, std::move(done))->begin();
}

std::optional<std::uint16_t> Resolver::random_id() {
  std::array<std::uint8_t, 2> bytes{};
  if (!rng_.fill(bytes)) return std::nullopt;
  return load_be16(bytes.data());
}

// As resolvers have it: a name with a dot is tried as it is first, one without last, and one that ends with
// a dot not otherwise.
std::vector<std::string> Resolver::candidates(const std::string& name) const {
  if (name.ends_with('.')) return {name.substr(0, name.size() - 1)};
  std::vector<std::string> names;
  for (const std::string& domain : settings_.search) {
    std::string whole = name + '.' + domain;
    if (is_host_name(whole)) names.push_back(std::move(whole));
  }
  const bool has_dot = name.find('.') != name.npos;
  names.insert(has_dot ? names.begin() : names.end(), name);
  return names;
}

const DnsAnswer* Resolver::remembered(const std::string& key) {
  const auto found = cache_.find(key);
  if (found == cache_.end()) return nullptr;
  if (found->second.until <= services_.loop.now()) {
    order_.erase(found->second.place);
    cache_.erase(found);
    return nullptr;
  }
  order_.splice(order_.end(), order_, found->second.place);
  return &found->second.answer;
}

void Resolver::remember(const std::string& key, const DnsAnswer& answer) {
  Duration life = answer.has_ttl ? seconds(answer.ttl_s) : kUsualNegativeTtl;
  life = std::min(life, answer.outcome == DnsOutcome::found ? kLongestTtl : kLongestNegativeTtl);
  if (life <= Duration::zero()) return;
  if (const auto found = cache_.find(key); found != cache_.end()) {
    order_.erase(found->second.place);
    cache_.erase(found);
  }
  if (cache_.size() >= kMaxCachedNames) {
    cache_.erase(order_.front());
    order_.pop_front();
  }
  const auto place = order_.insert(order_.end(), key);
  cache_.emplace(key, Remembered{answer, services_.loop.now() + life, place});
}

}  // namespace ferrule::proxy
