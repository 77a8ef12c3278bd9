#include "cli/doctor/ping.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/terminal/json.h"
#include "cli/terminal/options.h"
#include "diagnosis/echo_meter.h"
#include "diagnosis/peer_target.h"

namespace ferrule::cli {

namespace {

using diagnosis::EchoMeter;
using diagnosis::EchoSocket;
using diagnosis::EchoThroughput;
using diagnosis::PeerTarget;
using std::chrono::milliseconds;

constexpr int kCouldNotSend = 2;
constexpr int kMeasuredVersion = 2;  // of what is printed as JSON: 1 had names of another style
constexpr milliseconds kPatience{2000};
constexpr unsigned kTestEchoes = 20;
constexpr milliseconds kBetweenTestEchoes{20};
constexpr milliseconds kTestPatience{500};
constexpr std::uint64_t kMostTestBytes = std::uint64_t{1} << 30;

// What both commands ask for, and what they send with.
struct Question {
  std::string interface;
  std::string peer;
  bool is_v4 = false;
  bool is_v6 = false;
  bool is_json = false;
};

void add_options(CommandLine& line, Question& question) {
  line.add_option("IFACE", question.interface, "an interface, or the path of its file").required();
  line.add_option("PEER", question.peer, "a peer: its name, or its public key").required();
  line.add_flag("-4", question.is_v4, "an IPv4 address of it");
  line.add_flag("-6", question.is_v6, "an IPv6 address of it");
  line.add_flag("--json", question.is_json, "print the figures as JSON");
}

struct Way {
  PeerTarget target;
  EchoSocket socket;
};

std::optional<Way> open_way(Console& console, const Question& question) {
  const Family family = question.is_v4 ? Family::v4 : question.is_v6 ? Family::v6 : Family::none;
  auto target = diagnosis::find_target(*console.devices, question.interface, question.peer, family);
  if (!target) {
    console.err.print("{}\n", target.error());
    return std::nullopt;
  }
  auto socket = EchoSocket::open(target->address.family(), target->interface);
  if (!socket) {
    console.err.print("{} (root is needed)\n", socket.error().what);
    return std::nullopt;
  }
  return Way{std::move(*target), std::move(*socket)};
}

// Round trips, in milliseconds, of the requests that were answered.
struct Trips {
  unsigned sent = 0;
  std::vector<double> ms;

  [[nodiscard]] unsigned lost() const { return sent - static_cast<unsigned>(ms.size()); }
  [[nodiscard]] double mean() const {
    double sum = 0;
    for (const double each : ms) sum += each;
    return ms.empty() ? 0 : sum / static_cast<double>(ms.size());
  }
  [[nodiscard]] double deviation() const {
    double sum = 0;
    for (const double each : ms) sum += (each - mean()) * (each - mean());
    return ms.empty() ? 0 : std::sqrt(sum / static_cast<double>(ms.size()));
  }
  [[nodiscard]] double least() const { return ms.empty() ? 0 : *std::ranges::min_element(ms); }
  [[nodiscard]] double most() const { return ms.empty() ? 0 : *std::ranges::max_element(ms); }
  [[nodiscard]] unsigned loss_percent() const { return sent == 0 ? 0 : lost() * 100 / sent; }
};

void add_trips(Json& json, const Trips& trips) {
  json["sent"] = trips.sent;
  json["received"] = trips.ms.size();
  json["lossPercent"] = trips.loss_percent();
  if (trips.ms.empty()) return;
  json["roundTripMs"] = {{"min", trips.least()},
                         {"avg", trips.mean()},
                         {"max", trips.most()},
                         {"mdev", trips.deviation()}};
}

void add_capacity(Json& json, std::uint32_t largest_bytes, const EchoThroughput& carried) {
  json["largestPacketBytes"] = largest_bytes;
  json["throughput"] = {{"seconds", carried.seconds},
                        {"sentBytes", carried.sent_bytes},
                        {"returnedBytes", carried.back_bytes},
                        {"bitsPerSecond", std::llround(carried.bits_per_second())}};
}

Json head_of(const PeerTarget& target) {
  Json json = {{"version", kMeasuredVersion},
               {"interface", target.interface},
               {"peer", target.peer},
               {"address", target.address.to_string()}};
  return json;
}

void print_trips(Output& out, const PeerTarget& target, const Trips& trips) {
  out.print("\n--- {} ping statistics ---\n{} packets transmitted, {} received, {}% packet loss\n",
            target.peer, trips.sent, trips.ms.size(), trips.loss_percent());
  if (trips.ms.empty()) return;
  out.print("rtt min/avg/max/mdev = {:.3f}/{:.3f}/{:.3f}/{:.3f} ms\n", trips.least(), trips.mean(),
            trips.most(), trips.deviation());
}

}  // namespace

int run_ping(Console& console, Arguments arguments) {
  Question question;
  unsigned count = 4;
  double interval_s = 1;
  CommandLine line("Sends echo requests to a peer through the tunnel.");
  add_options(line, question);
  line.add_option("-c,--count", count, "how many (4)").shown_as("COUNT").between(1, 100'000);
  line.add_seconds("-i,--interval", interval_s, "between them (1)", 0.002, 3600);
  line.examples("ferrule ping wg0 alice\nferrule ping wg0 alice -c 10 -i 0.2");
  if (const auto status = read_options(line, console, arguments)) return *status;
  auto way = open_way(console, question);
  if (!way) return kCouldNotSend;
  const PeerTarget& target = way->target;
  const std::string address = target.address.to_string();
  if (!question.is_json) {
    console.out.print("PING {} ({}) by {}{}\n", target.peer, address, target.interface,
                      target.is_guess ? ": an address that it may have" : "");
    console.out.flush();
  }
  std::uint16_t sequence = 0;
  EchoMeter meter(way->socket, target.address, sequence);
  Trips trips;
  while (trips.sent < count) {
    const auto next =
        std::chrono::steady_clock::now() +
        std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(interval_s));
    const auto took_ms = meter.round_trip_ms(kPatience);
    ++trips.sent;
    if (took_ms) trips.ms.push_back(*took_ms);
    if (!question.is_json) {
      took_ms ? console.out.print("{} bytes from {}: icmp_seq={} time={:.3f} ms\n",
                                  diagnosis::least_echo_bytes(target.address.family()), address,
                                  trips.sent, *took_ms)
              : console.out.print("no answer from {}: icmp_seq={}\n", address, trips.sent);
      if (console.out.flush() != 0) break;
    }
    if (trips.sent < count) std::this_thread::sleep_until(next);
  }
  if (question.is_json) {
    Json json = head_of(target);
    add_trips(json, trips);
    console.out.print("{}\n", to_line(json));
  } else {
    print_trips(console.out, target, trips);
  }
  return trips.ms.empty() ? 1 : 0;
}

int run_test(Console& console, Arguments arguments) {
  Question question;
  double seconds = 3;
  CommandLine line(
      "Measures the way to a peer and back: round trip, loss, packet size, throughput.");
  add_options(line, question);
  line.add_seconds("--seconds", seconds, "how long throughput is measured (3)", 0.1, 60);
  line.examples("ferrule test wg0 alice\nferrule test wg0 alice --seconds 10");
  if (const auto status = read_options(line, console, arguments)) return *status;
  auto way = open_way(console, question);
  if (!way) return kCouldNotSend;
  const PeerTarget& target = way->target;
  std::uint16_t sequence = 0;
  EchoMeter meter(way->socket, target.address, sequence);
  Trips trips;
  for (; trips.sent < kTestEchoes; ++trips.sent) {
    if (trips.sent > 0) std::this_thread::sleep_for(kBetweenTestEchoes);
    if (trips.sent == 3 && trips.ms.empty())
      break;  // nobody is there: it need not take 10 s to say so
    if (const auto took_ms = meter.round_trip_ms(kTestPatience)) trips.ms.push_back(*took_ms);
  }
  std::uint32_t largest_bytes = 0;
  EchoThroughput carried;
  if (!trips.ms.empty()) {
    largest_bytes = meter.largest_packet(target.mtu_bytes);
    carried = meter.throughput(
        largest_bytes,
        std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(seconds)),
        kMostTestBytes);
  }
  if (question.is_json) {
    Json json = head_of(target);
    add_trips(json, trips);
    if (!trips.ms.empty()) add_capacity(json, largest_bytes, carried);
    console.out.print("{}\n", to_line(json));
    return trips.ms.empty() ? 1 : 0;
  }
  console.out.print("{} ({}) by {}{}\n", target.peer, target.address.to_string(), target.interface,
                    target.is_guess ? ": an address that it may have" : "");
  if (trips.ms.empty()) {
    console.out.print("  nothing came back: ferrule doctor {} {}\n", target.interface, target.peer);
    return 1;
  }
  console.out.print("  round trip  {:.3f} ms (from {:.3f} to {:.3f})\n", trips.mean(),
                    trips.least(), trips.most());
  console.out.print("  loss        {} of {} small packets\n", trips.lost(), trips.sent);
  console.out.print("  packets     of up to {} bytes get there and back (the MTU here is {})\n",
                    largest_bytes, target.mtu_bytes);
  console.out.print(
      "  throughput  {:.1f} Mbit/s each way at once, of echo requests for {:.1f} s "
      "({} MiB sent)\n",
      carried.bits_per_second() / 1e6, carried.seconds, carried.sent_bytes >> 20);
  return 0;
}

}  // namespace ferrule::cli
