#include "cli/quick/follow.h"

#include <string>
#include <utility>

#include "base/key_text.h"
#include "cli/quick/quick_command.h"
#include "cli/terminal/json.h"
#include "cli/terminal/listener.h"
#include "cli/terminal/options.h"
#include "client/scopes.h"
#include "quick/follow.h"

namespace ferrule::cli {

namespace {

// At once: it may go on for weeks.
class NamePrinter final : public quick::NameListener {
 public:
  NamePrinter(Console& console, std::string interface, bool is_json)
      : console_(console),
        listener_(console),
        interface_(std::move(interface)),
        is_json_(is_json) {}

  void step(std::string_view command) override { listener_.step(command); }
  void warn(std::string_view what) override { listener_.warn(what); }
  void fail(std::string_view what) override { listener_.fail(what); }
  void say(std::string_view line) override { listener_.say(line); }
  void moved(const PublicKey& peer, const std::string& host, const Endpoint& to) override {
    if (is_json_) return print_json(peer, host, "endpoint", client::text_of(to));
    console_.out.print("{}: {} is now {}\n", to_base64(peer), host, client::text_of(to));
    console_.out.flush();
  }
  void failed(const PublicKey& peer, const std::string& host, const std::string& why) override {
    if (is_json_) return print_json(peer, host, "error", why);
    console_.err.print("{}: `{}': {}\n", to_base64(peer), host, why);
    console_.err.flush();
  }

 private:
  void print_json(const PublicKey& peer, const std::string& host, const char* what,
                  const std::string& value) {
    const Json line{{"version", kJsonVersion},
                    {"interface", interface_},
                    {"peer", to_base64(peer)},
                    {"host", host},
                    {what, value}};
    console_.out.print("{}\n", to_line(line));
    console_.out.flush();
  }

  Console& console_;
  ConsoleListener listener_;
  std::string interface_;
  bool is_json_;
};

}  // namespace

bool follow_names(Console& console, const QuickFile& file, quick::Run run) {
  ConsoleListener listener(console);
  const auto started = quick::follow_names(file, listener, run);
  if (!started) listener.fail(started.error().what);
  return started.has_value();
}

int run_resolve(Console& console, Arguments arguments) {
  std::string argument;
  bool is_following = false;
  bool is_json = false;
  double silence_s = static_cast<double>(quick::kUsualSilence.count());
  CommandLine line{
      "Looks up the names of peers that do not answer, in case their addresses changed."};
  add_file(line, argument);
  line.add_flag("--follow", is_following, "go on until the interface is gone");
  line.add_flag("--json", is_json, "print what came of it as JSON, an object a line");
  line.add_seconds("--after", silence_s,
                   "time without a handshake that counts as no answer (default: 135)", 1, 86400);
  line.examples("ferrule resolve wg0\nferrule resolve wg0 --follow");
  if (const auto status = read_options(line, console, arguments)) return *status;
  auto file = read_quick_file(console, argument);
  if (!file) return 1;
  NamePrinter printer(console, file->interface, is_json);
  const auto read_file = [&console, given = file->given] {
    return read_quick_file(console, given);
  };
  quick::Follower follower(*console.devices, std::move(*file), read_file,
                           quick::Seconds(static_cast<std::int64_t>(silence_s)), printer);
  const auto done = is_following ? follower.follow() : follower.check(console.now_s, true);
  if (!done) printer.fail(done.error().what);
  return done ? 0 : 1;
}

}  // namespace ferrule::cli
