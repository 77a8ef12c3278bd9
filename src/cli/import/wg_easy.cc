#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/secret.h"
#include "cli/import/foreign_file.h"
#include "control/named_peers.h"
#include "files/key_lines.h"

namespace ferrule::cli {

namespace {

using nlohmann::json;

void wipe_texts(json& value) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  } else if (value.is_structured()) {
    for (json& part : value) wipe_texts(part);
  }
}

// Its texts may be keys.
struct Parsed {
  json value;
  ~Parsed() { wipe_texts(value); }
};

std::string_view text_of(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string()) return {};
  return member->get_ref<const std::string&>();
}

void append_client(control::WipedText& conf, const json& client) {
  const bool is_enabled = client.value("enabled", true);
  control::WipedText section("[Peer]\n");
  std::string name = control::shown_name(text_of(client, "name"));
  for (char& c : name) {
    if (c == '#' || c == '"' || c == '\'') c = '-';
  }
  files::append_line(section, "# Name", name);
  const std::string_view expires = text_of(client, "expiredAt");
  files::append_line(section, "# Expires", expires.substr(0, 10));
  files::append_line(section, "PublicKey", text_of(client, "publicKey"));
  files::append_line(section, "PresharedKey", text_of(client, "preSharedKey"));
  if (const auto address = text_of(client, "address"); !address.empty()) {
    files::append_line(section, "AllowedIPs", fmt::format("{}/32", address));
  }
  conf.append("\n");
  std::string_view rest = section.view();
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n') + 1;
    conf.append(is_enabled ? "" : "#~ ");
    conf.append(rest.substr(0, end));
    rest.remove_prefix(end);
  }
}

}  // namespace

std::expected<Imported, std::string> read_wg_easy(std::string_view text) {
  Parsed parsed{json::parse(text, nullptr, false)};
  const json& root = parsed.value;
  if (!root.is_object() || !root.contains("server") || !root["server"].is_object()) {
    return std::unexpected("this JSON is none of wg-easy's wg0.json: it has no `server'");
  }
  Imported imported{"wg-easy", "wg0", control::WipedText("[Interface]\n")};
  const json& server = root["server"];
  files::append_line(imported.conf, "PrivateKey", text_of(server, "privateKey"));
  // Its port is in the container's environment; this is what it is unless somebody has changed it.
  files::append_line(imported.conf, "ListenPort", "51820");
  if (const auto address = text_of(server, "address"); !address.empty()) {
    files::append_line(imported.conf, "Address", fmt::format("{}/24", address));
  }
  if (root.contains("clients") && root["clients"].is_object()) {
    for (const json& client : root["clients"]) {
      if (client.is_object()) append_client(imported.conf, client);
    }
  }
  return imported;
}

}  // namespace ferrule::cli
