// A crowd of peers for one daemon, to measure what many peers cost it.
//
//   crowd keys COUNT                   prints what the daemon must be told, as UAPI has it
//   crowd meet COUNT --to A:P --key K  all of them shake hands with it; then they live, and count what
//                                      it sends, until SIGTERM
//   crowd send COUNT SECONDS           packets to every member in turn, into the tunnel
//
// Each says what it measured as JSON, a line each. docs/benchmarks.md says how to use it with any
// WireGuard.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "base/net.h"
#include "crypto/random.h"
#include "io/linux/udp.h"
#include "meeting.h"
#include "member.h"
#include "sender.h"

namespace ferrule::bench {
namespace {

std::atomic<bool> stop{false};

void print_line(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

struct KeyOptions {
  std::uint32_t first = 0;
  bool strangers = false;
  bool remove = false;
};

int print_keys(std::uint32_t count, const KeyOptions& options) {
  print_request(options.first, count, options.strangers ? Kind::strangers : Kind::members,
                options.remove ? Request::remove : Request::add);
  return 0;
}

int fail(const std::string& why) {
  fmt::print(stderr, "crowd: {}\n", why);
  return 1;
}

struct MeetOptions {
  std::string to;
  std::string key;
  std::uint32_t first = 0;
  Pace pace;
  Life life;
};

int meet(std::uint32_t count, const MeetOptions& options) {
  if (options.first + count > kMaxMembers) return fail("so many members there are not");
  const std::optional<Endpoint> to = Endpoint::parse(options.to);
  if (!to) return fail(options.to + " is no endpoint");
  const std::optional<PublicKey> key = public_key_from_base64(options.key);
  if (!key) return fail("the daemon's public key is no key");
  Result<std::unique_ptr<io::LinuxUdp>> udp =
      io::LinuxUdp::open({.at = {.port = kCrowdPort}, .calls = {}});
  if (!udp) return fail(udp.error().what);
  crypto::SystemRng rng;
  std::vector<Member> members = make_members(options.first, count, *key);
  Meeting meeting(members, **udp, *to, *key, rng);
  meeting.prepare();
  const MeetingResult result = meeting.run(options.pace, stop);
  print_line(fmt::format(
      R"({{"met": {}, "of": {}, "initiations": {}, "cookies": {}, "seconds": {}, "median_ms": {}, "longest_ms": {}}})",
      result.met, count, result.initiations, result.cookies, result.seconds, result.median_ms,
      result.longest_ms));
  const Meeting::Counted counted = meeting.live(options.pace, options.life, stop);
  print_line(fmt::format(
      R"({{"packets": {}, "bytes": {}, "keepalives": {}, "renewals": {}, "renewed": {}, "median_ms": {}, "longest_ms": {}}})",
      counted.packets, counted.bytes, counted.keepalives, counted.renewals, counted.renewed,
      counted.median_ms, counted.longest_ms));
  return 0;
}

int send(std::uint32_t count, double seconds) {
  const Result<Sent> sent = send_round_robin(count, seconds, stop);
  if (!sent) return fail(sent.error().what);
  print_line(fmt::format(R"({{"packets": {}, "seconds": {}}})", sent->packets, sent->seconds));
  return 0;
}

CLI::App* add_command(CLI::App& app, const char* name, const char* what, std::uint32_t& count) {
  CLI::App* command = app.add_subcommand(name, what);
  command->add_option("COUNT", count, "Members")
      ->required()
      ->check(CLI::Range(std::size_t{1}, kMaxMembers));
  return command;
}

int run(int argc, char** argv) {
  CLI::App app("A crowd of peers for one daemon", "crowd");
  app.require_subcommand(1);
  std::uint32_t count = 0;
  double seconds = 0.0;
  KeyOptions key_options;
  MeetOptions options;
  CLI::App* keys = add_command(app, "keys", "Print the members as UAPI has them", count);
  keys->add_option("--first", key_options.first, "The number of the first member");
  keys->add_flag("--strangers", key_options.strangers, "Peers that never answer, instead");
  keys->add_flag("--remove", key_options.remove, "Print how they are removed");
  CLI::App* meeting =
      add_command(app, "meet", "Shake hands, then live and count what comes, until ended", count);
  meeting->add_option("--to", options.to, "The daemon's ADDRESS:PORT")->required();
  meeting->add_option("--key", options.key, "The daemon's public key, base64")->required();
  meeting->add_option("--first", options.first, "The number of the first member");
  meeting->add_option("--window", options.pace.window, "Members that may wait at once; 0: any");
  meeting->add_option("--rate", options.pace.per_second, "Members that begin a second; 0: any");
  meeting->add_option("--attempts", options.pace.attempts, "Initiations of a member at most");
  meeting->add_option("--rekey", options.life.rekey_s,
                      "Then each renews its session so often, in seconds; 0: never");
  meeting->add_option("--keepalive", options.life.keepalive_s,
                      "Then each sends an empty packet so often, in seconds; 0: never");
  CLI::App* sender =
      add_command(app, "send", "Send 64 bytes to every member in turn, as fast as they go", count);
  sender->add_option("SECONDS", seconds, "How long")->required();
  CLI11_PARSE(app, argc, argv);
  for (const int number : {SIGTERM, SIGINT}) ::signal(number, [](int) { stop = true; });
  if (keys->parsed()) return print_keys(count, key_options);
  if (meeting->parsed()) return meet(count, options);
  return send(count, seconds);
}

}  // namespace
}  // namespace ferrule::bench

int main(int argc, char** argv) { return ferrule::bench::run(argc, argv); }
