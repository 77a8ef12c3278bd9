// What `init` was told, by options or answers, and what of it can't be meant.
#pragma once

#include <optional>
#include <string>

#include "base/keys.h"
#include "control/wiped_text.h"

namespace ferrule::cli {

struct InitAnswers {
  std::string interface;
  bool is_server = false;
  bool is_client = false;
  bool is_forced = false;
  bool is_forwarding = false;
  std::string address;
  std::string port;
  std::string endpoint;
  std::string dns;
  std::string peer_key;
  std::string allowed_ips;
};

// Why an answer can't be meant; none when it can.
[[nodiscard]] std::optional<std::string> address_mistake(const std::string& answer, bool is_server);
[[nodiscard]] std::optional<std::string> port_mistake(const std::string& answer);
/// Of a server's, `port` is its port; of a client's it is none.
[[nodiscard]] std::optional<std::string> endpoint_mistake(const std::string& answer,
                                                          const std::string& port);
[[nodiscard]] std::optional<std::string> dns_mistake(const std::string& answer);
[[nodiscard]] std::optional<std::string> peer_key_mistake(const std::string& answer);
[[nodiscard]] std::optional<std::string> allowed_ips_mistake(const std::string& answer);

/// The file that the answers make.
[[nodiscard]] control::WipedText conf_of(const InitAnswers& answers, const PrivateKey& key);

/// Networks that are unlikely to be somebody else's, with this machine's addresses in them.
[[nodiscard]] std::string random_networks();
/// The first port from 51820 on that no program and no other file has.
[[nodiscard]] std::string free_port();

}  // namespace ferrule::cli
