#include "service/uapi_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "io/linux/fd.h"
#include "io/linux/stream.h"
#include "protocol/rng_testing.h"

namespace ferrule::service {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::uint64_t kListenerTag = 1;
constexpr std::uint64_t kFirstClient = 100;
constexpr std::size_t kMaxHeld = std::size_t{1} << 20;
const std::string kPublicKey = "public_key=" + std::string(64, 'c') + "\n";

class NoLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view) noexcept override {}
};

// A client's end of a connection. It never waits.
class Client {
 public:
  Client(const sockaddr_un& address, socklen_t size, int kind)
      : fd_(::socket(AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  }

  // How much of `text` found room on the way to the server.
  std::size_t send(std::string_view text) {
    const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  // What has come so far.
  std::string receive() {
    std::string text;
    std::array<char, 65536> room;
    for (ssize_t got = 0; (got = ::recv(fd_.get(), room.data(), room.size(), 0)) > 0;) {
      text.append(room.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  // One after the other, what has come with one call of send(2) each: for a connection that keeps them
  // apart (SOCK_SEQPACKET).
  std::vector<std::string> receive_pieces() {
    std::vector<std::string> pieces;
    std::array<char, 65536> room;
    for (ssize_t got = 0; (got = ::recv(fd_.get(), room.data(), room.size(), 0)) > 0;) {
      pieces.emplace_back(room.data(), static_cast<std::size_t>(got));
    }
    return pieces;
  }
  // The server has closed the connection.
  bool is_closed() {
    char byte = 0;
    return ::recv(fd_.get(), &byte, 1, 0) == 0 || (errno != EAGAIN);
  }
  void hang_up() { fd_.reset(); }
  // Sends no more, but goes on listening.
  void end() { ::shutdown(fd_.get(), SHUT_WR); }

 private:
  io::UniqueFd fd_;
};

class TestListener final : public io::Listener {
 public:
  explicit TestListener(io::UniqueFd fd) : fd_(std::move(fd)) {}
  std::unique_ptr<io::Stream> accept() override { return io::accept_stream(fd_.get()); }
  io::Waitable waitable() const noexcept override { return io::Waitable(fd_.get()); }

 private:
  io::UniqueFd fd_;
};

class UapiServerTest : public testing::Test {
 protected:
  explicit UapiServerTest(int kind = SOCK_STREAM)
      : type(kind),
        poller(std::move(*io::open_poller())),
        listener(listen()),
        engine(
            {}, [](auto...) { return std::unexpected(Error{EADDRINUSE, "no sockets here"}); }, rng,
            log, [] {}, {}),
        server(listener, ::if_nametoindex, engine, log, *poller, kFirstClient, kMaxHeld) {
    EXPECT_TRUE(poller->add(listener.waitable(), {}, kListenerTag));
  }

  // A listening socket without a file.
  io::UniqueFd listen() {
    io::UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    address.sun_family = AF_UNIX;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &address_size), 0);
    EXPECT_EQ(::listen(fd.get(), 128), 0);
    return fd;
  }

  Client connect() { return Client(address, address_size, type); }

  // Serves until there is nothing to do.
  void settle() {
    std::array<io::Ready, 16> room;
    for (;;) {
      const std::span<io::Ready> came = poller->wait(room, Instant());
      if (came.empty()) return;
      for (const io::Ready& ready : came) {
        if (ready.tag == kListenerTag) {
          server.accept();
        } else {
          server.serve(ready);
        }
      }
    }
  }

  std::string ask(Client& client, std::string_view request) {
    EXPECT_EQ(client.send(request), request.size());
    settle();
    return client.receive();
  }
  // Sends all of a long text, letting the server read it on the way.
  void send_all(Client& client, std::string_view text) {
    while (!text.empty()) {
      text.remove_prefix(client.send(text));
      settle();
    }
  }

  int type;
  sockaddr_un address{};
  socklen_t address_size = sizeof address;
  test::RepeatableRng rng{1};
  NoLog log;
  std::unique_ptr<io::Poller> poller;
  TestListener listener;
  engine::Engine engine;
  UapiServer server;
};

// Over a connection that shows what was sent together.
class UapiServerPiecesTest : public UapiServerTest {
 protected:
  UapiServerPiecesTest() : UapiServerTest(SOCK_SEQPACKET) {}
};

// An unfinished request that holds about `bytes`.
std::string long_request(std::size_t bytes) {
  std::string text = "set=1\n" + kPublicKey;
  for (std::size_t held = 0; held < bytes; held += sizeof(protocol::AllowedIpChange)) {
    text += "allowed_ip=10.0.0.0/8\n";
  }
  return text;
}

TEST_F(UapiServerTest, P100_GetIsAnswered) {
  Client client = connect();
  EXPECT_EQ(ask(client, "get=1\n\n"), "listen_port=0\nerrno=0\n\n");
}

TEST_F(UapiServerTest, P100_SetIsAppliedBeforeItIsAnswered) {
  Client client = connect();
  EXPECT_EQ(ask(client, "set=1\nfwmark=7\n\n"), "errno=0\n\n");
  EXPECT_EQ(engine.fwmark(), 7u);
}

TEST_F(UapiServerTest, P100_RequestsOnOneConnectionAreAnsweredInOrder) {
  Client client = connect();
  EXPECT_EQ(ask(client, "set=1\nfwmark=1\n\nget=1\n\nset=1\nfwmark=2\n\nget=1\n\n"),
            "errno=0\n\nlisten_port=0\nfwmark=1\nerrno=0\n\n"
            "errno=0\n\nlisten_port=0\nfwmark=2\nerrno=0\n\n");
}

TEST_F(UapiServerPiecesTest, P46_AnAnswerEndsOnlyOnceAllElseOfItIsWiped) {
  Client client = connect();
  client.send("set=1\nprivate_key=" + std::string(64, '7') + "\n" + kPublicKey + "\nget=1\n\n");
  settle();
  const std::vector<std::string> pieces = client.receive_pieces();
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0], "errno=0\n\n");
  EXPECT_THAT(pieces[1], StartsWith("private_key="));
  EXPECT_THAT(pieces[1], EndsWith("\npersistent_keepalive_interval=0\n"));
  EXPECT_EQ(pieces[2], "errno=0\n\n");  // what was sent before is wiped first
}

TEST_F(UapiServerTest, P102_ABadRequestIsAnsweredAndTheNextOneServed) {
  Client client = connect();
  EXPECT_EQ(ask(client, "set=1\nfwmark=x\n\n"), "errno=-22\n\n");
  EXPECT_THAT(ask(client, "get=1\n\n"), EndsWith("errno=0\n\n"));
}

TEST_F(UapiServerTest, StatsNamesEveryReason) {
  Client client = connect();
  const std::string answer = ask(client, "stats=1\n\n");
  EXPECT_THAT(answer, StartsWith("drop_malformed=0\n"));
  EXPECT_THAT(answer, HasSubstr("drop_tun_write_failed=0\ncookie_replies=0\n"
                                "initiations_sent=0\ninitiations_answered=0\ncontrol_cpu_ns="));
}

TEST_F(UapiServerTest, StatsTellsTheMessagesOfEveryPeer) {
  constexpr int kPeers = 150;  // more than are visited at once
  Client client = connect();
  std::string request = "set=1\n";
  for (int i = 1; i <= kPeers; ++i) request += fmt::format("public_key={:064x}\n", i);
  EXPECT_EQ(ask(client, request + "\n"), "errno=0\n\n");
  const std::string answer = ask(client, "stats=1\n\n");
  for (int i = 1; i <= kPeers; ++i) {
    EXPECT_THAT(answer,
                HasSubstr(fmt::format(
                    "\npublic_key={:064x}\nreceived_messages=0\nexpected_messages=0\n", i)));
  }
  EXPECT_THAT(answer, EndsWith("\nerrno=0\n\n"));
  EXPECT_THAT(ask(client, "get=1\n\n"), Not(HasSubstr("messages")));
}

TEST_F(UapiServerTest, P103_HalfARequestIsDroppedWithItsConnection) {
  Client client = connect();
  client.send("set=1\nfwmark=7\n");
  settle();
  client.hang_up();
  settle();
  EXPECT_EQ(engine.fwmark(), 0u);
}

TEST_F(UapiServerTest, P102_ARequestThatIsCutOffIsRefused) {
  for (const std::string_view cut : {"s", "get=1\n", "set=1\nfwmark=7", "set=1\nfwmark=7\n"}) {
    Client client = connect();
    client.send(cut);
    client.end();
    settle();
    EXPECT_EQ(client.receive(), "errno=-71\n\n") << cut;  // EPROTO
    EXPECT_TRUE(client.is_closed());
  }
  EXPECT_EQ(engine.fwmark(), 0u);
}

TEST_F(UapiServerTest, P102_WhatWasAskedBeforeTheCutIsAnswered) {
  Client client = connect();
  client.send("set=1\nfwmark=7\n\nget=1\n\nget=1\n");
  client.end();
  settle();
  EXPECT_EQ(client.receive(), "errno=0\n\nlisten_port=0\nfwmark=7\nerrno=0\n\nerrno=-71\n\n");
}

// A client that reads as fast as we write must not keep the thread.
TEST_F(UapiServerTest, P103_AGetOfManyPeersIsMadeInTurns) {
  std::string set = "set=1\n";
  for (int i = 0; i < 1000; ++i) set += fmt::format("public_key={:063x}1\n", i);
  Client client = connect();
  settle();
  send_all(client, set + "\n");
  EXPECT_EQ(client.receive(), "errno=0\n\n");
  ASSERT_GT(client.send("get=1\n\n"), 0u);
  std::array<io::Ready, 1> room;
  std::string answer;
  int turns = 0;
  for (; !answer.ends_with("errno=0\n\n"); ++turns) {
    ASSERT_LT(turns, 1000);
    for (const io::Ready& ready : poller->wait(room, Instant())) server.serve(ready);
    answer += client.receive();
  }
  EXPECT_GT(turns, 1);
  std::size_t told = 0;
  for (std::size_t at = 0; (at = answer.find("public_key=", at)) != answer.npos; ++at) ++told;
  EXPECT_EQ(told, 1000u);
}

TEST_F(UapiServerTest, P103_ManyRequestsOfOneClientAreTakenUpInTurns) {
  Client client = connect();
  settle();
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "set=1\n\n";
  ASSERT_EQ(client.send(many), many.size());
  std::array<io::Ready, 1> room;
  for (const io::Ready& ready : poller->wait(room, Instant())) server.serve(ready);
  std::string answers = client.receive();
  EXPECT_LT(answers.size(), 500 * std::string_view("errno=0\n\n").size());
  settle();
  answers += client.receive();
  EXPECT_EQ(answers.size(), 1000 * std::string_view("errno=0\n\n").size());
}

TEST_F(UapiServerTest, P103_AStalledClientKeepsNobodyWaiting) {
  Client stalled = connect();
  stalled.send("set=1\nfwmark=7");
  settle();
  Client client = connect();
  EXPECT_THAT(ask(client, "get=1\n\n"), EndsWith("errno=0\n\n"));
}

TEST_F(UapiServerTest, P103_WhoAsksWithoutReadingIsReadNoFurther) {
  Client client = connect();
  std::string requests;
  while (requests.size() < 65536) requests += "stats=1\n\n";
  std::size_t sent = 0;
  while (sent < 8 << 20) {
    const std::size_t more = client.send(requests);
    if (more == 0) break;
    sent += more;
    settle();
  }
  EXPECT_LT(sent, 2u << 20);  // a few reads, and what the kernel keeps
}

TEST_F(UapiServerTest, P103_PipelinedAnswersAreMadeAsTheyAreTaken) {
  Client client = connect();
  std::string requests;
  for (int i = 0; i < 7000; ++i) requests += "stats=1\n\n";
  EXPECT_EQ(client.send(requests), requests.size());
  settle();
  EXPECT_LT(server.waiting_bytes(), 256u << 10);
  std::size_t answers = 0;
  for (std::string text = client.receive(); !text.empty(); text = client.receive()) {
    for (std::size_t at = 0; (at = text.find("errno=0", at)) != text.npos; ++at) ++answers;
    settle();
  }
  EXPECT_EQ(answers, 7000u);
}

TEST_F(UapiServerTest, P103_UnfinishedRequestsTogetherHoldABoundedAmount) {
  Client first = connect();
  Client second = connect();
  send_all(first, long_request(kMaxHeld * 6 / 10));
  send_all(second, long_request(kMaxHeld * 5 / 10));
  EXPECT_EQ(ask(first, "\n"), "errno=-12\n\n");  // ENOMEM: the larger one had to go
  EXPECT_EQ(ask(second, "\n"), "errno=0\n\n");
}

TEST_F(UapiServerTest, P103_AStalledLargeRequestKeepsNoSmallOneOut) {
  Client large = connect();
  send_all(large, long_request(kMaxHeld - 256));
  Client small = connect();
  EXPECT_EQ(ask(small, "set=1\n" + kPublicKey + "allowed_ip=10.0.0.0/8\n"), "");
  EXPECT_EQ(ask(small, "\n"), "errno=0\n\n");
}

TEST_F(UapiServerTest, P103_WhatAClosedConnectionHeldIsFree) {
  for (int i = 0; i < 3; ++i) {
    Client client = connect();
    send_all(client, long_request(kMaxHeld * 8 / 10));
    client.hang_up();
    settle();
  }
  Client client = connect();
  send_all(client, long_request(kMaxHeld * 8 / 10));
  EXPECT_EQ(ask(client, "\n"), "errno=0\n\n");
}

TEST_F(UapiServerTest, P103_MoreClientsThanDescriptorsAllowAreRefused) {
  std::vector<Client> clients;
  for (int i = 0; i < 520; ++i) {
    clients.push_back(connect());
    settle();
  }
  EXPECT_TRUE(clients.back().is_closed());
  EXPECT_THAT(ask(clients.front(), "get=1\n\n"), EndsWith("errno=0\n\n"));
  clients.front().hang_up();
  settle();
  Client next = connect();
  EXPECT_THAT(ask(next, "get=1\n\n"), EndsWith("errno=0\n\n"));
}

}  // namespace
}  // namespace ferrule::service
