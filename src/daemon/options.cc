#include "daemon/options.h"

#include <fmt/format.h>
#include <net/if.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/version.h"
#include "control/place_text.h"

namespace ferrule::daemon {

namespace {

constexpr int kLeastMtu = 68;  // IPv4's
constexpr int kMostMtu = 65535;

constexpr const char* kEnvironmentHelp = R"(
Environment:
  LOG_LEVEL              verbose (or debug), error (the default), silent
  WG_PROCESS_FOREGROUND  1: the same as --foreground
  WG_TUN_FD              a descriptor of an open tunnel interface to use
  WG_TUN_MTU             the MTU of that interface, where it lies in a network
                         namespace that the daemon may not look into
  WG_UAPI_FD             a descriptor of a listening UAPI socket to use
  WG_TUN_NAME_FILE       where to write the name of the interface

The interface is configured with wg(8), wg-quick(8) or ferrule(8) through
/var/run/wireguard/IFACE.sock. The daemon ends when that socket or the
interface is removed. SIGUSR1 logs its counters.)";

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// None when the variable is not set; Exit when it is no number from `least` to `most`.
std::variant<std::optional<int>, Exit> number(const char* name, int least, int most,
                                              std::string_view expected) {
  const std::optional<std::string> text = environment(name);
  if (!text) return std::nullopt;
  int value = -1;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < least || value > most) {
    fmt::print(stderr, "ferruled: {}={}: expected {}\n", name, *text, expected);
    return Exit{1};
  }
  return value;
}

std::variant<std::optional<int>, Exit> descriptor(const char* name) {
  return number(name, 0, INT_MAX, "the number of an open descriptor");
}

// False: said what is wrong with it.
bool read_mtu(Options& options) {
  const auto read = number("WG_TUN_MTU", kLeastMtu, kMostMtu, "an MTU from 68 to 65535");
  if (std::holds_alternative<Exit>(read)) return false;
  options.tun_mtu_bytes = std::get<std::optional<int>>(read);
  return true;
}

LogLevel log_level(const std::optional<std::string>& text) {
  if (text == "verbose" || text == "debug") return LogLevel::verbose;
  if (text == "silent") return LogLevel::silent;
  return LogLevel::error;
}

bool valid_interface_name(std::string_view name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         name.find_first_of("/ \t\n:") == std::string_view::npos;
}

// False: said what is wrong with it.
bool read_place(const std::string& bind, LocalPlace& place) {
  if (!place.interface.empty() && !control::is_link_name(place.interface)) {
    fmt::print(stderr, "ferruled: --bind-interface: \"{}\" is no interface name\n",
               place.interface);
    return false;
  }
  if (bind.empty()) return true;
  const auto addresses = control::parse_bind(bind);
  if (!addresses) {
    fmt::print(stderr, "ferruled: --bind {}: expected {}\n", bind, control::kBindExpected);
    return false;
  }
  place.addresses = *addresses;
  return true;
}

}  // namespace

std::variant<Options, Exit> read_options(int argc, const char* const* argv) {
  Options options;
  bool no_offload = false;
  bool no_sandbox = false;
  std::string bind;
  CLI::App app("Ferrule: WireGuard in user space", "ferruled");
  app.footer(kEnvironmentHelp);
  app.add_flag("-f,--foreground", options.foreground, "Stay in the foreground");
  app.add_flag("--no-offload", no_offload,
               "No segmentation or receive offloads (TSO, USO, GSO, GRO)");
  app.add_flag("--no-sandbox", no_sandbox,
               "Keep all capabilities, files and system calls that it was started with");
  app.add_option("--state", options.state_file,
                 "Keep endpoints, stamps and byte counts of peers in FILE across restarts")
      ->type_name("FILE");
  app.add_option("--bind", bind, "Have the UDP sockets at these own addresses alone, one a family")
      ->type_name("ADDRESS[,ADDRESS]");
  app.add_option("--bind-interface", options.place.interface,
                 "Have what is sent and received go by this interface alone, or by this VRF")
      ->type_name("NAME");
  app.add_option("--lanes", options.lanes,
                 "How many lanes carry data; default: by the cores to use")
      ->check(CLI::Range(1, 256));
  app.set_version_flag("--version", fmt::format("ferruled {}", kVersion));
  app.add_option("IFACE", options.interface, "Name of the tunnel interface, such as wg0")
      ->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return Exit{status == 0 ? 0 : 1};
  }
  if (!valid_interface_name(options.interface)) {
    fmt::print(stderr,
               "ferruled: \"{}\" is no interface name: expected 1 to {} characters without '/', "
               "':' or spaces\n",
               options.interface, IFNAMSIZ - 1);
    return Exit{1};
  }
  if (!read_place(bind, options.place)) return Exit{1};
  if (options.state_file && options.state_file->empty()) options.state_file.reset();
  options.offload = !no_offload;
  options.sandbox = !no_sandbox;
  options.foreground |= environment("WG_PROCESS_FOREGROUND") == "1";
  options.log_level = log_level(environment("LOG_LEVEL"));
  options.log_level_given =
      environment("LOG_LEVEL").has_value() && options.log_level != LogLevel::silent;
  options.tun_name_file = environment("WG_TUN_NAME_FILE");
  for (auto& [name, fd] :
       {std::pair{"WG_TUN_FD", &options.tun_fd}, std::pair{"WG_UAPI_FD", &options.uapi_fd}}) {
    const auto read = descriptor(name);
    if (const Exit* exit = std::get_if<Exit>(&read)) return *exit;
    *fd = std::get<std::optional<int>>(read);
  }
  if (!read_mtu(options)) return Exit{1};
  return options;
}

}  // namespace ferrule::daemon
