#include "cli/proxy/proxy_options.h"

#include <functional>
#include <utility>
#include <vector>

#include "cli/terminal/options.h"
#include "crypto/password.h"
#include "files/input.h"

namespace ferrule::cli {

namespace {

struct Words {
  std::vector<std::string> socks;
  std::vector<std::string> http;
  std::vector<std::string> dns;
  std::vector<std::string> local;
  std::vector<std::string> remote;
  std::string stdio;
  std::string health;
  std::string password_file;
};

constexpr const char* kListenHelp = "[ADDRESS:]PORT";
constexpr const char* kForwardHelp = "[ADDRESS:]PORT:HOST:PORT[/udp]";

void add_options(CommandLine& line, ProxyOptions& options, Words& words) {
  line.add_option("FILE", options.file,
                  "the name of an interface, with its file in /etc/wireguard, a path to NAME.conf, "
                  "a file of wireproxy's, or - for standard input");
  line.add_option("-D,--socks", words.socks, "SOCKS 5, 4 and 4a at this address")
      .shown_as(kListenHelp)
      .one_word_each();
  line.add_option("--http", words.http, "an HTTP proxy at this address")
      .shown_as(kListenHelp)
      .one_word_each();
  line.add_option("--dns", words.dns, "the file's DNS at this address, by UDP and TCP")
      .shown_as(kListenHelp)
      .one_word_each();
  line.add_option("-L", words.local, "carries connections to this port on to a host inside")
      .shown_as(kForwardHelp)
      .one_word_each();
  line.add_option("-R", words.remote,
                  "carries connections to this port inside on to a host of here")
      .shown_as(kForwardHelp)
      .one_word_each();
  line.add_option("--stdio", words.stdio, "connects standard input and output to a host inside")
      .shown_as("HOST:PORT");
  line.add_option("--health", words.health, "/readyz and /metrics at this address")
      .shown_as(kListenHelp);
  line.add_option("--ready-fd", options.ready_fd, "gets a line once all works").shown_as("FD");
  line.add_option("--password-file", words.password_file,
                  "who may use SOCKS and HTTP: lines of USER:HASH")
      .shown_as("FILE");
  line.add_flag("--insecure", options.settings.is_insecure,
                "other addresses than loopback without a password");
  line.add_option("--hash-password", options.hash_password_of,
                  "reads a password from standard input and prints a line for --password-file")
      .shown_as("USER");
  line.add_option("--reach", options.reach.text,
                  "how to reach the inside: auto, namespace or lwip; says which is taken and why")
      .shown_as("WAY");
}

template <class T>
bool read_all(Console& console, const char* option, const std::vector<std::string>& texts,
              const char* expected, std::optional<T> (*parse)(std::string_view),
              const std::function<void(T)>& take) {
  for (const std::string& text : texts) {
    auto read = parse(text);
    if (!read) {
      console.err.print("{} proxy: {} {}: expected {}\n", console.program, option, text, expected);
      return false;
    }
    take(std::move(*read));
  }
  return true;
}

bool read_words(Console& console, const Words& words, proxy::ProxySettings& settings) {
  using proxy::parse_listen;
  const auto listen = [&](const char* option, const std::vector<std::string>& texts,
                          std::function<void(proxy::ListenAt)> take) {
    return read_all<proxy::ListenAt>(console, option, texts, kListenHelp, parse_listen, take);
  };
  const auto forward = [&](const char* option, const std::vector<std::string>& texts,
                           std::optional<proxy::Forward> (*parse)(std::string_view),
                           std::vector<proxy::Forward>& to) {
    return read_all<proxy::Forward>(console, option, texts, kForwardHelp, parse,
                                    [&](proxy::Forward one) { to.push_back(std::move(one)); });
  };
  if (!listen("--socks", words.socks, [&](auto at) { settings.socks.push_back({at, {}}); }) ||
      !listen("--http", words.http, [&](auto at) { settings.http.push_back({at, {}}); }) ||
      !listen("--dns", words.dns, [&](auto at) { settings.dns.push_back(at); }) ||
      !forward("-L", words.local, proxy::parse_local_forward, settings.local) ||
      !forward("-R", words.remote, proxy::parse_remote_forward, settings.remote)) {
    return false;
  }
  if (!words.health.empty() &&
      !listen("--health", {words.health}, [&](auto at) { settings.health = at; })) {
    return false;
  }
  if (words.stdio.empty()) return true;
  settings.stdio = proxy::parse_target(words.stdio);
  if (settings.stdio) return true;
  console.err.print("{} proxy: --stdio {}: expected HOST:PORT\n", console.program, words.stdio);
  return false;
}

bool read_password_file(Console& console, const std::string& path, proxy::ProxySettings& settings) {
  if (path.empty()) return true;
  const auto text = files::read_file(path);
  if (!text) {
    console.err.print("{}: {}\n", console.program, text.error().what);
    return false;
  }
  std::string_view left = text->view();
  for (int line = 1; !left.empty(); ++line) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    std::string_view entry = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (entry.ends_with('\r')) entry.remove_suffix(1);
    if (entry.empty() || entry[0] == '#') continue;
    const std::size_t colon = entry.find(':');
    if (colon == 0 || colon == entry.npos || !crypto::is_password_hash(entry.substr(colon + 1))) {
      console.err.print("{}:{}: expected USER:HASH, as `{} proxy --hash-password USER' prints it\n",
                        path, line, console.program);
      return false;
    }
    settings.users.push_back(
        {std::string(entry.substr(0, colon)), std::string(entry.substr(colon + 1))});
  }
  return true;
}

}  // namespace

std::variant<ProxyOptions, int> read_proxy_options(Console& console, Arguments arguments) {
  ProxyOptions options;
  Words words;
  CommandLine line{
      "Offers SOCKS, HTTP and forwards into a tunnel. Needs no rights. Without any of them, SOCKS "
      "at 127.0.0.1:1080."};
  add_options(line, options, words);
  line.examples(
      "ferrule proxy office\n"
      "ferrule proxy office -D 1080 --http 8080\n"
      "ferrule proxy ./office.conf -L 5432:db.example:5432");
  if (const auto status = read_options(line, console, arguments)) return *status;
  options.reach.is_given = line.has("--reach");
  if (!options.hash_password_of.empty()) return options;
  if (options.file.empty()) {
    console.err.print("{0} proxy: which FILE?\nTry `{0} proxy --help'.\n", console.program);
    return 1;
  }
  if (!check_reach(console, options.reach, false) ||
      !read_words(console, words, options.settings) ||
      !read_password_file(console, words.password_file, options.settings)) {
    return 1;
  }
  return options;
}

}  // namespace ferrule::cli
