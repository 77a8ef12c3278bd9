// A flood of handshake messages, for tests of what a daemon does then. It spoofs source addresses: run
// it in a network namespace. It prints what it sent, as JSON, when its time is over or it is ended.
#include <fmt/format.h>
#include <signal.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "base/key_text.h"
#include "io/clock.h"
#include "messages.h"
#include "spoofer.h"

namespace ferrule::flood {
namespace {

std::atomic<bool> stop{false};

struct Options {
  std::string to;
  std::string from;
  std::string key;
  std::string message;
  double per_second = 10'000;
  double seconds = 3600;
  std::size_t burst = 0;
};

struct Sent {
  std::uint64_t packets = 0;
  double seconds = 0.0;
};

void nap() {
  const timespec span{0, 500'000};
  ::nanosleep(&span, nullptr);
}

// Keeps the rate over time, not from moment to moment: what is late is sent at once. A burst is sent
// when all of it is due.
Result<Sent> send_all(Spoofer& spoofer, std::span<const Message> messages, const Options& options) {
  Sent sent;
  const Instant start = io::now().boot;
  while (!stop && sent.seconds < options.seconds) {
    sent.seconds = std::chrono::duration<double>(io::now().boot - start).count();
    const auto due = static_cast<std::uint64_t>(sent.seconds * options.per_second);
    if (due <= sent.packets || due - sent.packets < options.burst) {
      nap();
      continue;
    }
    for (std::uint64_t left = due - sent.packets; left > 0 && !stop;) {
      const std::size_t count = std::min<std::uint64_t>(left, kMaxBatch);
      const Result<std::size_t> taken = spoofer.send(messages, count);
      if (!taken) return std::unexpected(taken.error());
      sent.packets += *taken;
      if (*taken < count) break;
      left -= count;
    }
  }
  return sent;
}

int fail(const std::string& why) {
  fmt::print(stderr, "flood: {}\n", why);
  return 1;
}

// Empty when the message is not hex.
std::vector<Message> recorded(std::string_view hex) {
  Message message;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    std::uint8_t byte = 0;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    if (error != std::errc{} || end != hex.data() + i + 2) return {};
    message.push_back(byte);
  }
  return {message};
}

int flood(const Options& options, const std::string& kind) {
  const std::optional<Endpoint> to = Endpoint::parse(options.to);
  if (!to || to->address.family() != Family::v4) return fail(options.to + " is no IPv4 endpoint");
  const std::optional<Endpoint> from =
      options.from.empty() ? Endpoint{} : Endpoint::parse(options.from);
  if (!from) return fail(options.from + " is no endpoint");
  std::vector<Message> messages;
  if (kind == "initiations") {
    const std::optional<PublicKey> key = public_key_from_base64(options.key);
    if (!key) return fail("--key is no public key");
    messages = strangers_initiations(*key);
  } else {
    messages = kind == "replay" ? recorded(options.message) : junk();
  }
  if (messages.empty() || (kind == "replay" && messages[0].empty())) {
    return fail("--message is no message");
  }
  Result<Spoofer> spoofer = Spoofer::open(*to, *from);
  if (!spoofer) return fail(spoofer.error().what);
  std::puts("flooding");
  std::fflush(stdout);
  const Result<Sent> sent = send_all(*spoofer, messages, options);
  if (!sent) return fail(sent.error().what);
  fmt::print("{{\"packets\": {}, \"seconds\": {}}}\n", sent->packets, sent->seconds);
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("A flood of handshake messages at a daemon, in a network namespace", "flood");
  app.require_subcommand(1);
  Options options;
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = app.add_subcommand(name, what);
    command->add_option("--to", options.to, "The daemon's ADDRESS:PORT")->required();
    command->add_option("--from", options.from,
                        "The source's ADDRESS:PORT; without, each datagram has another one");
    command->add_option("--rate", options.per_second, "Datagrams a second");
    command->add_option("--seconds", options.seconds, "How long");
    command->add_option("--burst", options.burst, "Wait until so many are due, then send them all");
    return command;
  };
  add("initiations", "With a right mac1, from a stranger")
      ->add_option("--key", options.key, "The daemon's public key, base64")
      ->required();
  add("replay", "One message over and over")
      ->add_option("--message", options.message, "The message, hex")
      ->required();
  add("junk", "Bytes without meaning");
  CLI11_PARSE(app, argc, argv);
  for (const int number : {SIGTERM, SIGINT}) ::signal(number, [](int) { stop = true; });
  return flood(options, app.get_subcommands().front()->get_name());
}

}  // namespace
}  // namespace ferrule::flood

int main(int argc, char** argv) { return ferrule::flood::run(argc, argv); }
