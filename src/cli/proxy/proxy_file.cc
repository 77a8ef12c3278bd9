#include "cli/proxy/proxy_file.h"

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <utility>

#include "cli/terminal/conf_text.h"
#include "control/named_peers.h"
#include "crypto/password.h"
#include "files/conf_file.h"
#include "files/input.h"
#include "proxy/wireproxy_file.h"

namespace ferrule::cli {

namespace {

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// What the command line says comes besides.
void add(proxy::ProxySettings& settings, proxy::ProxySettings&& more) {
  append(settings.socks, more.socks);
  append(settings.http, more.http);
  append(settings.local, more.local);
  append(settings.remote, more.remote);
  if (!settings.stdio) settings.stdio = more.stdio;
  settings.prefers_v4 = more.prefers_v4;
}

// There a peer for which the file says nothing else has everything.
std::optional<QuickFile> with_usual_routes(std::optional<QuickFile> file) {
  if (!file) return file;
  for (control::PeerConf& peer : file->configuration.peers) {
    if (!peer.allowed_ips.empty()) continue;
    for (const char* all : {"0.0.0.0", "::"}) {
      peer.allowed_ips.push_back({Cidr(*IpAddress::parse(all), 0), false});
    }
  }
  return file;
}

std::optional<QuickFile> read_wireproxys(Console& console, const std::string& path,
                                         std::string_view text, proxy::ProxySettings& settings) {
  auto file = proxy::read_wireproxy_file(path, text, variable);
  if (!file) {
    print_errors(console, file.error());
    return std::nullopt;
  }
  add(settings, std::move(file->settings));
  if (file->conf_path.empty()) {
    return with_usual_routes(read_quick_text(console, path, file->conf.view()));
  }
  const auto conf = files::read_file(file->conf_path);
  if (conf) return with_usual_routes(read_quick_text(console, file->conf_path, conf->view()));
  console.err.print("{}: WGConfig: {}\n", path, conf.error().what);
  return std::nullopt;
}

// "# ProxyUser = NAME:HASH" in [Interface].
bool read_user(Console& console, const QuickFile& file, proxy::ProxySettings& settings) {
  const auto note = control::interface_note(file.document, "ProxyUser");
  if (!note) return true;
  const std::size_t colon = note->find(':');
  if (colon == note->npos || colon == 0 ||
      !crypto::is_password_hash(std::string_view(*note).substr(colon + 1))) {
    console.err.print(
        "{}: ProxyUser: expected USER:HASH, as `{} proxy --hash-password USER' prints it\n",
        file.path, console.program);
    return false;
  }
  settings.users.push_back({note->substr(0, colon), note->substr(colon + 1)});
  return true;
}

}  // namespace

std::optional<QuickFile> read_proxy_file(Console& console, const std::string& argument,
                                         proxy::ProxySettings& settings) {
  std::optional<QuickFile> file;
  if (argument == "-" || !files::is_interface_name(argument) || std::filesystem::exists(argument)) {
    const std::string path(argument == "-" ? kStandardInput : std::string_view(argument));
    const auto text = argument == "-" ? files::read_fd(console.in, path) : files::read_file(path);
    if (text && proxy::is_wireproxy_file(text->view())) {
      return read_wireproxys(console, path, text->view(), settings);
    }
    if (text && argument == "-") file = read_quick_text(console, path, text->view());
  }
  if (argument != "-") file = read_quick_file(console, argument);
  if (file && !read_user(console, *file, settings)) file.reset();
  return file;
}

}  // namespace ferrule::cli
