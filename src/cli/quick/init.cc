#include "cli/quick/init.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/key_text.h"
#include "cli/quick/init_answers.h"
#include "cli/quick/questions.h"
#include "cli/terminal/conf_text.h"
#include "cli/terminal/options.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "files/conf_file.h"
#include "files/input.h"

namespace ferrule::cli {

namespace {

constexpr int kMostBackups = 100;

// An answer, and the question that asks for it.
struct Wanted {
  std::string* answer;
  Question question;
};

std::vector<Wanted> questions_of_server(InitAnswers& answers) {
  return {{&answers.address,
           {"Addresses of this machine in the tunnel", "--address", random_networks(), false,
            [](const std::string& text) { return address_mistake(text, true); }}},
          {&answers.port, {"UDP port to listen at", "--port", free_port(), false, port_mistake}},
          {&answers.endpoint,
           {"Name or address by which clients find this machine",
            "--endpoint",
            {},
            true,
            [&](const std::string& text) {
              return endpoint_mistake(text, answers.port.empty() ? "51820" : answers.port);
            }}},
          {&answers.dns, {"Name servers for clients", "--dns", {}, true, dns_mistake}}};
}

std::vector<Wanted> questions_of_client(InitAnswers& answers) {
  return {
      {&answers.address,
       {"Addresses of this machine in the tunnel",
        "--address",
        {},
        false,
        [](const std::string& text) { return address_mistake(text, false); }}},
      {&answers.peer_key, {"The server's public key", "--peer-key", {}, false, peer_key_mistake}},
      {&answers.endpoint,
       {"The server's HOST:PORT",
        "--endpoint",
        {},
        false,
        [](const std::string& text) { return endpoint_mistake(text, ""); }}},
      {&answers.allowed_ips,
       {"What to send through the tunnel", "--allowed-ips", "0.0.0.0/0, ::/0", false,
        allowed_ips_mistake}},
      {&answers.dns, {"Name servers to use", "--dns", {}, true, dns_mistake}}};
}

bool choose_role(Console& console, Questions& questions, InitAnswers& answers) {
  answers.is_server = answers.is_server || answers.is_forwarding;  // clients forward nothing
  if (answers.is_server || answers.is_client) return true;
  if (!questions.may_ask()) {
    console.err.write("What is this machine to be? Say --server or --client.\n");
    return false;
  }
  std::string role;
  const auto mistake = [](const std::string& text) -> std::optional<std::string> {
    const bool is_role = text[0] == 's' || text[0] == 'S' || text[0] == 'c' || text[0] == 'C';
    if (is_role) return std::nullopt;
    return "Say `server' or `client'.";
  };
  if (!questions.ask(role, {"A server, which others connect to, or a client?", "--server", "server",
                            false, mistake})) {
    return false;
  }
  answers.is_client = role[0] == 'c' || role[0] == 'C';
  answers.is_server = !answers.is_client;
  return true;
}

// What options said is looked at first: nobody is asked for the rest in vain.
bool ask_all(Console& console, Questions& questions, InitAnswers& answers) {
  auto wanted = answers.is_server ? questions_of_server(answers) : questions_of_client(answers);
  for (const auto& [answer, question] : wanted) {
    if (answer->empty()) continue;
    if (const auto mistake = question.mistake(*answer)) {
      console.err.print("{}: {}\n", question.option, *mistake);
      return false;
    }
  }
  for (const auto& [answer, question] : wanted) {
    if (!questions.ask(*answer, question)) return false;
  }
  return true;
}

// A name beside the file that nobody has.
std::string backup_path(const std::string& path) {
  std::string name = path + ".bak";
  for (int i = 2; access(name.c_str(), F_OK) == 0 && i <= kMostBackups; ++i) {
    name = fmt::format("{}.bak{}", path, i);
  }
  return name;
}

// Writes over a file that is there, which stays beside it.
Result<void> replace_conf(Console& console, const std::string& path,
                          const control::WipedText& text) {
  const auto lock = files::lock_folder_of(path);
  if (!lock) return std::unexpected(lock.error());
  if (const auto old = files::read_file(path)) {
    const std::string backup = backup_path(path);
    if (auto kept = files::write_new_file(backup, old->view()); !kept) return kept;
    console.err.print("What was there before is {} now.\n", backup);
  }
  auto staged = files::StagedFile::write(path, text);
  if (!staged) return std::unexpected(staged.error());
  return staged->commit_edit();
}

Result<void> write_conf(Console& console, const std::string& path, const control::WipedText& text,
                        bool is_forced) {
  std::error_code ignored;  // writing says what is wrong
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && std::filesystem::create_directory(folder, ignored)) {
    chmod(folder.c_str(), 0700);
  }
  return is_forced ? replace_conf(console, path, text) : files::write_new_file(path, text.view());
}

void say_what_is_next(Console& console, const InitAnswers& answers) {
  const std::string& name = answers.interface;
  if (answers.is_client) {
    console.out.print("next: have the server take this key as a peer, then `ferrule up {}'\n",
                      name);
  } else {
    console.out.print("next: `ferrule up {0}', then `ferrule peer add {0} NAME{1}{2} --qr'\n", name,
                      answers.endpoint.empty() ? " --endpoint HOST" : "",
                      answers.is_forwarding ? " --allowed-ips 0.0.0.0/0,::/0" : "");
  }
}

int write_out(Console& console, const std::optional<files::ConfPath>& conf,
              const InitAnswers& answers) {
  PrivateKey key;
  crypto::SystemRng rng;
  if (!rng.fill(key.mut_bytes())) {
    console.err.print("{}\n", system_error(errno, "getrandom").what);
    return 1;
  }
  crypto::clamp(key);
  const control::WipedText text = conf_of(answers, key);
  const std::string public_key = to_base64(crypto::public_key_of(key));
  if (!conf) {
    console.out.write(text.view());
    console.err.print("public key: {}\n", public_key);
    return 0;
  }
  if (const auto written = write_conf(console, conf->path, text, answers.is_forced); !written) {
    console.err.print("{}\n", written.error().what);
    if (written.error().code == EEXIST) console.err.write("--force writes over it.\n");
    return 1;
  }
  console.out.print("{}\npublic key: {}\n", conf->path, public_key);
  say_what_is_next(console, answers);
  return 0;
}

std::optional<int> read_init_options(InitAnswers& options, Console& console, Arguments arguments) {
  CommandLine line("Writes the first configuration of an interface. What is not said is asked.");
  line.add_option("IFACE", options.interface, "an interface, or the path of its file; - prints it")
      .required();
  line.add_flag("--server", options.is_server, "others connect to this machine");
  line.add_flag("--client", options.is_client, "this machine connects to a server")
      .excludes("--server");
  line.add_value("--address", options.address, "ADDRESS/LENGTH",
                 "its addresses in the tunnel, like 10.0.0.1/24");
  line.add_value("--port", options.port, "PORT", "UDP port to listen at");
  line.add_value("--endpoint", options.endpoint, "HOST[:PORT]",
                 "server: where clients find it; client: where the server is");
  line.add_value("--dns", options.dns, "ADDRESS",
                 "name servers and search domains of clients, a list with commas");
  line.add_value("--peer-key", options.peer_key, "KEY", "client: the server's public key");
  line.add_value("--allowed-ips", options.allowed_ips, "PREFIX",
                 "client: what goes through the tunnel, a list with commas");
  line.add_flag("--forward", options.is_forwarding,
                "server: clients reach the world through it (forwarding, masquerade)")
      .excludes("--client");
  line.add_flag("--force", options.is_forced,
                "write over a file that is there, which is kept beside it");
  line.examples(
      "ferrule init wg0\n"
      "ferrule init wg0 --server --endpoint vpn.example.com\n"
      "ferrule init wg0 --server --forward --endpoint vpn.example.com\n"
      "ferrule init wg0 --client --address 10.0.0.2/32 --peer-key KEY \\\n"
      "    --endpoint vpn.example.com:51820");
  return read_options(line, console, arguments);
}

}  // namespace

int run_init(Console& console, Arguments arguments) {
  InitAnswers answers;
  if (const auto status = read_init_options(answers, console, arguments)) return *status;
  std::optional<files::ConfPath> path;  // none: it is printed
  if (answers.interface != "-") {
    auto conf = files::find_conf(answers.interface);
    if (!conf) {
      console.err.print("{}\n", conf.error().what);
      return 1;
    }
    if (!answers.is_forced && access(conf->path.c_str(), F_OK) == 0) {
      console.err.print("{} is there already. --force writes over it.\n", conf->path);
      return 1;
    }
    path = std::move(*conf);
  }
  Questions questions(console);
  if (!choose_role(console, questions, answers) || !ask_all(console, questions, answers)) {
    return usage_status(console);
  }
  return write_out(console, path, answers);
}

}  // namespace ferrule::cli
