#include "cli/metrics/metrics.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/key_text.h"
#include "cli/metrics/metrics_server.h"
#include "cli/terminal/console_testing.h"
#include "io/linux/fd.h"
#include "monitor/metrics_text.h"

namespace ferrule::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kPeerHex = std::string(64, '1');
const std::string kPeer = "ERERERERERERERERERERERERERERERERERERERERERE=";

TestDevices office() {
  TestDevices devices;
  devices.answers["wg0"] =
      "private_key=" + std::string(64, '2') + "\nlisten_port=51820\npublic_key=" + kPeerHex +
      "\npreshared_key=" + std::string(64, '3') +
      "\nlast_handshake_time_sec=1699999939\ntx_bytes=2048\nrx_bytes=5\nallowed_ip=10.0.0.0/8\n"
      "allowed_ip=::/0\n";
  devices.stats["wg0"] = {{"drop_bad_mac1", 3}, {"lane_1_cpu_ns", 70}, {"lane_1_sent_packets", 9}};
  devices.peer_stats["wg0"][*public_key_from_hex(kPeerHex)] = {90, 100};
  return devices;
}

std::string once() {
  TestDevices devices = office();
  return ask(devices, {"metrics", "--once"}).out;
}

TEST(Metrics, PeersHaveTheNamesOfOtherExporters) {
  const std::string labels =
      "{interface=\"wg0\",public_key=\"" + kPeer + "\",allowed_ips=\"10.0.0.0/8,::/0\"} ";
  EXPECT_THAT(once(), HasSubstr("\nwireguard_sent_bytes_total" + labels + "2048\n"));
  EXPECT_THAT(once(), HasSubstr("\nwireguard_received_bytes_total" + labels + "5\n"));
  EXPECT_THAT(once(), HasSubstr("\nwireguard_latest_handshake_seconds" + labels + "1699999939\n"));
}

TEST(Metrics, LossIsWhatWasExpectedAndNotReceived) {
  const std::string labels =
      "{interface=\"wg0\",public_key=\"" + kPeer + "\",allowed_ips=\"10.0.0.0/8,::/0\"} ";
  EXPECT_THAT(once(), HasSubstr("\nferrule_peer_received_messages_total" + labels + "90\n"));
  EXPECT_THAT(once(), HasSubstr("\nferrule_peer_expected_messages_total" + labels + "100\n"));
}

TEST(Metrics, DropsAreCountedByReason) {
  EXPECT_THAT(once(),
              HasSubstr("\nferrule_drops_total{interface=\"wg0\",reason=\"bad_mac1\"} 3\n"));
}

TEST(Metrics, LanesAreCountedByNumber) {
  EXPECT_THAT(once(), HasSubstr("\nferrule_lane_cpu_nanoseconds_total{interface=\"wg0\",lane=\"1\"}"
                                " 70\n"));
  EXPECT_THAT(once(),
              HasSubstr("\nferrule_lane_sent_packets_total{interface=\"wg0\",lane=\"1\"} 9\n"));
}

TEST(Metrics, EachFamilyHasItsTypeBeforeItsSamples) {
  EXPECT_THAT(once(), HasSubstr("# TYPE wireguard_sent_bytes_total counter\n"
                                "wireguard_sent_bytes_total{"));
}

TEST(Metrics, P45_PeersWithASessionAreCounted) {
  monitor::Snapshot snapshot;
  snapshot.now.wall.seconds = kTestNow;
  monitor::DeviceSnapshot& device = snapshot.devices.emplace_back();
  device.name = "wg0";
  for (const std::int64_t age_s : {0, 179, 180}) {
    device.status.peers.emplace_back().last_handshake.seconds = kTestNow - age_s;
  }
  device.status.peers.emplace_back();  // has had none
  const std::string text = monitor::metrics_text(snapshot);
  EXPECT_THAT(text, HasSubstr("\nferrule_peers{interface=\"wg0\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("\nferrule_peers_with_session{interface=\"wg0\"} 2\n"));
}

TEST(Metrics, APeerHasItsNameAsALabel) {
  monitor::Snapshot snapshot;
  monitor::DeviceSnapshot& device = snapshot.devices.emplace_back();
  device.name = "wg0";
  device.status.peers.emplace_back().public_key = *public_key_from_hex(kPeerHex);
  device.status.peers.emplace_back();
  device.names = std::make_shared<const monitor::PeerNames>(
      monitor::PeerNames{{device.status.peers[0].public_key, "a \"b\" \\ Zo\u00eb"}});
  const std::string text = monitor::metrics_text(snapshot);
  EXPECT_THAT(text, HasSubstr(R"(,allowed_ips="",friendly_name="a \"b\" \\ Zo)"
                              "\u00eb\"} 0\n"));
  EXPECT_THAT(text, HasSubstr(R"(AAA=",allowed_ips=""} 0)"));  // the other one has none
}

TEST(Metrics, NoSecretIsTold) {
  EXPECT_THAT(once(), Not(HasSubstr("IiIiIiIi")));  // the private key
  EXPECT_THAT(once(), Not(HasSubstr("MzMzMzMz")));  // the preshared key
}

TEST(Metrics, ADaemonWithoutStatsIsShownWithoutThem) {
  TestDevices devices = office();
  devices.stats.clear();
  const Answer answer = ask(devices, {"metrics", "--once"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.out, HasSubstr("wireguard_sent_bytes_total{"));
  EXPECT_THAT(answer.out, Not(HasSubstr("messages_total{")));
}

TEST(Metrics, AnInterfaceThatIsNotThereIsAnError) {
  TestDevices devices = office();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"metrics", "--once", "wg7"},
        std::vector<std::string>{"metrics", "--listen", "127.0.0.1:0", "wg0", "wg7"}}) {
    const Answer answer = ask(devices, words);
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.out, "");
    EXPECT_EQ(answer.err,
              "ferrule: `wg7' is not a WireGuard interface; did you mean `wg0'?\nUp are: wg0\n");
  }
}

TEST(Metrics, TellWhetherInterfacesAnswer) {
  monitor::Snapshot snapshot;
  snapshot.devices.emplace_back().name = "wg0";
  snapshot.absent.push_back({"wg7", ENODEV});
  const std::string text = monitor::metrics_text(snapshot);
  EXPECT_THAT(text, HasSubstr("\nferrule_up{interface=\"wg0\"} 1\n"
                              "ferrule_up{interface=\"wg7\"} 0\n"));
}

TEST(Metrics, ANonsenseAddressIsRefused) {
  const Answer answer = ask({"metrics", "--listen", "somewhere"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr("--listen somewhere: expected ADDRESS:PORT"));
}

// --- the server -----------------------------------------------------------------------------

// What a server on a free port of loopback answers to `request`.
std::string reply_to(const std::string& request) {
  const auto server = MetricsServer::start(*Endpoint::parse("127.0.0.1:0"),
                                           [] { return std::string("wireguard_up 1\n"); });
  if (!server) return server.error().what;
  const io::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons((*server)->port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  EXPECT_EQ(write(fd.get(), request.data(), request.size()), static_cast<ssize_t>(request.size()));
  std::string reply;
  char piece[1024];
  for (ssize_t got; (got = read(fd.get(), piece, sizeof piece)) > 0;) reply.append(piece, got);
  return reply;
}

TEST(MetricsServer, ServesItsPage) {
  const std::string reply = reply_to("GET /metrics HTTP/1.0\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1."));
  EXPECT_THAT(reply, HasSubstr(" 200 "));
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(reply, HasSubstr("\r\n\r\nwireguard_up 1\n"));
}

TEST(MetricsServer, HasNothingElse) {
  EXPECT_THAT(reply_to("GET / HTTP/1.0\r\n\r\n"), HasSubstr(" 404 "));
  EXPECT_THAT(reply_to("POST /metrics HTTP/1.0\r\n\r\n"), HasSubstr(" 405 "));
}

TEST(MetricsServer, SaysWhyItCanNotListen) {
  const auto first = MetricsServer::start(*Endpoint::parse("127.0.0.1:0"), [] { return ""; });
  ASSERT_TRUE(first);
  Endpoint taken = *Endpoint::parse("127.0.0.1:0");
  taken.port = (*first)->port();
  const auto second = MetricsServer::start(taken, [] { return ""; });
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("listen on 127.0.0.1:"));
  EXPECT_THAT(second.error().what, HasSubstr("Address already in use"));
}

}  // namespace
}  // namespace ferrule::cli
