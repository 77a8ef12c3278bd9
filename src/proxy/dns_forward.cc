#include "proxy/dns_forward.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <string>
#include <utility>

#include "crypto/random.h"
#include "proxy/datagrams.h"
#include "proxy/forward.h"

namespace ferrule::proxy {

namespace {

constexpr std::uint16_t kDnsPort = 53;

// A message's header (RFC 1035, section 4.1.1).
constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kFlagsAt = 2;
constexpr std::size_t kCodeAt = 3;
constexpr std::uint8_t kIsAnswer = 0x80;
constexpr std::uint8_t kCodeBits = 0x0f;
constexpr std::uint8_t kServerFailed = 2;
constexpr std::uint8_t kNotKnown = 4;
constexpr std::uint8_t kRefused = 5;

bool is_answer(Bytes message) noexcept { return (message[kFlagsAt] & kIsAnswer) != 0; }

// Another server may do better.
bool is_failure(Bytes message) noexcept {
  const int code = message[kCodeAt] & kCodeBits;
  return code == kServerFailed || code == kNotKnown || code == kRefused;
}

}  // namespace

class DnsForward::Door : public std::enable_shared_from_this<Door> {
 public:
  Door(Services& services, io::UniqueFd socket, std::vector<IpAddress> servers, std::uint16_t port)
      : services_(services),
        socket_(std::move(socket)),
        servers_(std::move(servers)),
        port_(port) {}

  void begin() {
    watched_ = Watched(services_.loop, socket_.get(), {},
                       [self = shared_from_this()](const io::Ready&) { self->take_questions(); });
  }
  void end() {
    watched_.reset();
    questions_.clear();
  }

 private:
  struct Question {
    Endpoint client;
    std::uint16_t client_id = 0;
    std::uint16_t id = 0;
    std::vector<std::uint8_t> message;
    std::size_t first = 0;  // which server is asked first
    unsigned tries = 0;
    io::UniqueFd socket;
    Watched watched;
    Timer timer;
  };
  using Place = std::list<Question>::iterator;

  void take_questions();
  void ask_next(Place question);
  void hear(Place question);
  void answer(Place question, MutBytes message);
  void give_up(Place question);
  [[nodiscard]] std::size_t server_of(const Question& question) const noexcept {
    return (question.first + question.tries - 1) % servers_.size();
  }

  Services& services_;
  io::UniqueFd socket_;
  std::vector<IpAddress> servers_;
  std::uint16_t port_;
  crypto::SystemRng rng_;
  std::vector<std::uint8_t> answer_;
  std::size_t first_ = 0;  // the one that answered last
  Watched watched_;
  std::list<Question> questions_;
};

void DnsForward::Door::take_questions() {
  for (unsigned i = 0; i < kDatagramsPerTurn; ++i) {
    const auto datagram = receive_datagram(services_.outside, socket_.get());
    if (!datagram) return;
    const Bytes bytes = datagram->bytes;
    if (bytes.size() < kHeaderBytes || is_answer(bytes) || questions_.size() >= kMaxLookups) {
      ++services_.counters.lost_datagrams;
      continue;
    }
    ++services_.counters.lookups;
    const auto question = questions_.emplace(questions_.end());
    question->client = datagram->from;
    question->client_id = load_be16(bytes.data());
    question->message.assign(bytes.begin(), bytes.end());
    question->first = first_;
    ask_next(question);
  }
}

// A socket of its own for each try: what other servers send, or the last one too late, does not come to it.
void DnsForward::Door::ask_next(Place question) {
  question->watched.reset();
  question->socket.reset();
  if (question->tries >= kQueryTries) return give_up(question);
  const std::size_t round = question->tries / servers_.size();
  ++question->tries;
  const auto again = [self = shared_from_this(), question] { self->ask_next(question); };
  question->timer =
      Timer(services_.loop, services_.loop.now() + kFirstQueryPatience * (1 << round), again);
  std::array<std::uint8_t, 2> id{};
  if (!rng_.fill(id)) return;
  std::ranges::copy(id, question->message.begin());
  question->id = load_be16(id.data());
  const Endpoint server(servers_[server_of(*question)], port_);
  const bool is_v4 = server.address.family() == Family::v4;
  auto socket = services_.inside.open_udp(Endpoint(*IpAddress::parse(is_v4 ? "0.0.0.0" : "::"), 0));
  const bool leads_there = socket && services_.inside.set_other_end(socket->get(), server);
  if (!leads_there || !services_.inside.send(socket->get(), {}, {}, question->message)) {
    // No way leads there. The next is asked in a turn of its own.
    question->timer = Timer(services_.loop, services_.loop.now(), again);
    return;
  }
  question->socket = std::move(*socket);
  question->watched =
      Watched(services_.loop, question->socket.get(), {},
              [self = shared_from_this(), question](const io::Ready&) { self->hear(question); });
}

void DnsForward::Door::hear(Place question) {
  const auto self = shared_from_this();
  for (unsigned i = 0; i < kDatagramsPerTurn; ++i) {
    const Result<netstack::Datagram> came = services_.inside.receive(question->socket.get());
    if (!came && came.error().code == EAGAIN) return;
    if (!came) return ask_next(question);  // nobody is there
    answer_.assign(came->bytes.begin(), came->bytes.end());
    const MutBytes message(answer_);
    if (message.size() < kHeaderBytes || !is_answer(message) ||
        load_be16(message.data()) != question->id) {
      continue;
    }
    if (is_failure(message) &&
        question->tries < std::min<std::size_t>(servers_.size(), kQueryTries)) {
      return ask_next(question);
    }
    if (!is_failure(message)) first_ = server_of(*question);
    return answer(question, message);
  }
}

void DnsForward::Door::answer(Place question, MutBytes message) {
  store_be16(message.data(), question->client_id);
  if (!services_.outside.send(socket_.get(), question->client, {}, message)) {
    ++services_.counters.lost_datagrams;
  }
  questions_.erase(question);
}

void DnsForward::Door::give_up(Place question) {
  ++services_.counters.failed_lookups;
  std::vector<std::uint8_t> message = std::move(question->message);
  message[kFlagsAt] |= kIsAnswer;
  message[kCodeAt] = kServerFailed;
  answer(question, message);
}

DnsForward::DnsForward(Services& services, io::UniqueFd socket, std::vector<IpAddress> servers,
                       std::uint16_t port)
    : door_(std::make_shared<Door>(services, std::move(socket), std::move(servers), port)) {
  door_->begin();
}

DnsForward::~DnsForward() {
  if (door_) door_->end();
}

Listener forward_dns_by_tcp(Services& services, io::UniqueFd socket,
                            std::vector<IpAddress> servers) {
  return forward_tcp_to_any(services, services.outside, std::move(socket), "DNS", services.inside,
                            std::move(servers), kDnsPort);
}

}  // namespace ferrule::proxy
