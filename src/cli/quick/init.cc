#include "cli/quick/init.h"

#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "base/key_text.h"
#include "cli/terminal/conf_text.h"
#include "cli/terminal/options.h"
#include "control/conf_check.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/value_mistakes.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "files/conf_file.h"
#include "files/key_lines.h"

namespace ferrule::cli {

namespace {

struct InitOptions {
  std::string interface;
  bool is_server = false;
  bool is_client = false;
  bool is_forced = false;
  std::string address;
  std::string port;
  std::string endpoint;
  std::string dns;
  std::string peer_key;
  std::string allowed_ips;
};

// Asks on a terminal; elsewhere, says which option is missing.
class Questions {
 public:
  explicit Questions(Console& console) : console_(console), may_ask_(isatty(console.in) == 1) {}

  [[nodiscard]] bool may_ask() const noexcept { return may_ask_; }
  // Fills in what is empty. False: there is no answer, and none is no answer.
  [[nodiscard]] bool ask(std::string& answer, std::string_view question, std::string_view option,
                         std::string_view usual = {}, bool may_be_empty = false) {
    if (!answer.empty()) return true;
    if (may_ask_) {
      console_.err.print(usual.empty() ? fmt::runtime("{}: ") : fmt::runtime("{} [{}]: "), question,
                         usual);
      console_.err.flush();
      answer = read_line();
    }
    if (answer.empty()) answer = usual;
    if (!answer.empty() || may_be_empty) return true;
    console_.err.print("{} is missing: {}\n", option, question);
    return false;
  }

 private:
  std::string read_line() const {
    std::string line;
    char c = 0;
    while (read(console_.in, &c, 1) == 1 && c != '\n') line += c;
    return std::string(control::trimmed(line));
  }

  Console& console_;
  bool may_ask_;
};

// Networks that are unlikely to be somebody else's: RFC 4193 §3.2.2 asks for random ones, and for
// IPv4 there is at least a choice of 65536.
std::string random_networks() {
  std::array<std::uint8_t, 7> random{};
  crypto::SystemRng rng;
  if (!rng.fill(random)) return {};
  std::array<std::uint8_t, 16> v6{0xfd, random[2], random[3], random[4], random[5], random[6]};
  v6[15] = 1;
  return fmt::format("10.{}.{}.1/24, {}/64", random[0], random[1], IpAddress::v6(v6).to_string());
}

bool ask_server(Questions& questions, InitOptions& options) {
  return questions.ask(options.address, "Addresses of this machine in the tunnel", "--address",
                       random_networks()) &&
         questions.ask(options.port, "UDP port to listen at", "--port", "51820") &&
         questions.ask(options.endpoint, "Name or address by which clients find this machine",
                       "--endpoint", {}, true) &&
         questions.ask(options.dns, "Name servers for clients", "--dns", {}, true);
}

bool ask_client(Questions& questions, InitOptions& options) {
  return questions.ask(options.address, "Addresses of this machine in the tunnel", "--address") &&
         questions.ask(options.peer_key, "The server's public key", "--peer-key") &&
         questions.ask(options.endpoint, "The server's HOST:PORT", "--endpoint") &&
         questions.ask(options.allowed_ips, "What to send through the tunnel", "--allowed-ips",
                       "0.0.0.0/0, ::/0") &&
         questions.ask(options.dns, "Name servers to use", "--dns", {}, true);
}

control::WipedText server_conf(const InitOptions& options, const PrivateKey& key) {
  control::WipedText text("[Interface]\n");
  files::append_line(text, "# Endpoint", options.endpoint);
  files::append_line(text, "# ClientDNS", options.dns);
  files::append_key_line(text, "PrivateKey", key.bytes());
  files::append_line(text, "ListenPort", options.port);
  files::append_line(text, "Address", options.address);
  return text;
}

control::WipedText client_conf(const InitOptions& options, const PrivateKey& key) {
  control::WipedText text("[Interface]\n");
  files::append_key_line(text, "PrivateKey", key.bytes());
  files::append_line(text, "ListenPort", options.port);
  files::append_line(text, "Address", options.address);
  files::append_line(text, "DNS", options.dns);
  text.append("\n[Peer]\n");
  files::append_line(text, "PublicKey", options.peer_key);
  files::append_line(text, "AllowedIPs", options.allowed_ips);
  files::append_line(text, "Endpoint", options.endpoint);
  files::append_line(text, "PersistentKeepalive", "25");
  return text;
}

bool is_one_line(const std::string& text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '#'; });
}

// A server's clients need addresses too: of each family one network is to have room for them.
std::optional<std::string> address_without_room(const control::InterfaceConf& conf) {
  for (const control::InterfaceAddress& own : conf.addresses) {
    const bool has_room = std::ranges::any_of(conf.addresses, [&](const auto& other) {
      return other.address.family() == own.address.family() &&
             other.prefix_length < other.address.bits();
    });
    if (!has_room) return own.address.to_string();
  }
  return std::nullopt;
}

// What is no value of the file of a server, but told to its clients.
std::optional<std::string> note_mistake(const InitOptions& options) {
  const auto port = control::parse_decimal<std::uint16_t>(options.port);
  if (!port || *port == 0) return "--port: expected a port from 1 to 65535";
  if (!options.endpoint.empty()) {
    const auto endpoint = control::complete_endpoint(options.endpoint, *port);
    if (!endpoint) return "--endpoint: " + endpoint.error();
  }
  std::string list = options.dns;
  std::ranges::replace(list, ',', ' ');
  std::istringstream words(list);
  for (std::string word; words >> word;) {
    if (const auto mistake = control::dns_mistake(word)) return "--dns: " + *mistake;
  }
  return std::nullopt;
}

// What was asked for, or said, reads as a configuration, and nothing in it can't be meant.
bool is_good(Console& console, const InitOptions& options, const control::WipedText& text) {
  for (const std::string* answer : {&options.address, &options.port, &options.endpoint,
                                    &options.dns, &options.peer_key, &options.allowed_ips}) {
    if (is_one_line(*answer)) continue;
    console.err.write("An answer has a line break or a `#' in it.\n");
    return false;
  }
  if (const auto mistake = options.is_server ? note_mistake(options) : std::nullopt) {
    console.err.print("{}\n", *mistake);
    return false;
  }
  const control::ConfDocument document("the new file", text.view());
  const auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!configuration) {
    print_errors(console, configuration.error());
    return false;
  }
  bool is_good = true;
  for (const auto& finding : control::check_configuration(document, *configuration, {})) {
    if (finding.severity != control::Severity::error) continue;
    console.err.write(finding.where.to_string());
    is_good = false;
  }
  const auto room =
      options.is_server ? address_without_room(configuration->interface) : std::nullopt;
  if (room) {
    console.err.print("--address: {0} leaves no room for clients: say a network, like {0}/{1}\n",
                      *room, room->find(':') == room->npos ? 24 : 64);
    return false;
  }
  return is_good;
}

Result<void> write_conf(const std::string& path, const control::WipedText& text, bool is_forced) {
  std::error_code ignored;  // writing says what is wrong
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && std::filesystem::create_directory(folder, ignored)) {
    chmod(folder.c_str(), 0700);
  }
  if (!is_forced) return files::write_new_file(path, text.view());
  const auto lock = files::lock_folder_of(path);
  if (!lock) return std::unexpected(lock.error());
  auto staged = files::StagedFile::write(path, text);
  if (!staged) return std::unexpected(staged.error());
  return staged->commit();
}

bool choose_role(Console& console, Questions& questions, InitOptions& options) {
  if (options.is_server || options.is_client) return true;
  if (!questions.may_ask()) {
    console.err.write("What is this machine to be? Say --server or --client.\n");
    return false;
  }
  std::string role;
  if (!questions.ask(role, "A server, which others connect to, or a client?", "--server", "server"))
    return false;
  options.is_client = role.starts_with('c') || role.starts_with('C');
  options.is_server = !options.is_client;
  return true;
}

int write_out(Console& console, const files::ConfPath& conf, const InitOptions& options) {
  PrivateKey key;
  crypto::SystemRng rng;
  if (!rng.fill(key.mut_bytes())) {
    console.err.print("{}\n", system_error(errno, "getrandom").what);
    return 1;
  }
  crypto::clamp(key);
  const control::WipedText text =
      options.is_server ? server_conf(options, key) : client_conf(options, key);
  if (!is_good(console, options, text)) return 1;
  if (const auto written = write_conf(conf.path, text, options.is_forced); !written) {
    console.err.print("{}\n", written.error().what);
    if (written.error().code == EEXIST) console.err.write("--force writes over it.\n");
    return 1;
  }
  console.out.print("{}\npublic key: {}\n", conf.path, to_base64(crypto::public_key_of(key)));
  return 0;
}

}  // namespace

int run_init(Console& console, Arguments arguments) {
  InitOptions options;
  CLI::App app("Writes the first configuration of an interface. What is not said is asked.");
  app.add_option("IFACE", options.interface, "an interface, or the path of its file")->required();
  auto* server = app.add_flag("--server", options.is_server, "others connect to this machine");
  app.add_flag("--client", options.is_client, "this machine connects to a server")
      ->excludes(server);
  app.add_option("--address", options.address, "its addresses in the tunnel, like 10.0.0.1/24");
  app.add_option("--port", options.port, "UDP port to listen at");
  app.add_option("--endpoint", options.endpoint,
                 "server: where clients find it; client: HOST:PORT of the server");
  app.add_option("--dns", options.dns, "name servers and search domains of clients");
  app.add_option("--peer-key", options.peer_key, "client: the server's public key");
  app.add_option("--allowed-ips", options.allowed_ips, "client: what goes through the tunnel");
  app.add_flag("--force", options.is_forced, "write over a file that is there");
  if (const auto status = read_options(app, console, arguments)) return *status;

  const auto conf = files::find_conf(options.interface);
  if (!conf) {
    console.err.print("{}\n", conf.error().what);
    return 1;
  }
  if (!options.is_forced && access(conf->path.c_str(), F_OK) == 0) {
    console.err.print("{} is there already. --force writes over it.\n", conf->path);
    return 1;
  }
  Questions questions(console);
  const bool is_ready =
      choose_role(console, questions, options) &&
      (options.is_server ? ask_server(questions, options) : ask_client(questions, options));
  return is_ready ? write_out(console, *conf, options) : 1;
}

}  // namespace ferrule::cli
