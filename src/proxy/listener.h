// Where clients connect to.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/linux/fd.h"
#include "proxy/services.h"

namespace ferrule::proxy {

using Accepted = std::function<void(io::UniqueFd client, const Endpoint& from)>;

/// Calls with each client of a socket that listens, which is one of `way`'s. When descriptors run out, clients wait at the door,
/// which is said once. Stops when it goes.
class Listener {
 public:
  Listener(Services& services, netstack::Reach& way, io::UniqueFd socket, std::string name,
           Accepted accepted);
  ~Listener();
  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) noexcept = default;

  [[nodiscard]] Endpoint at() const;

 private:
  struct Door;
  std::shared_ptr<Door> door_;
};

}  // namespace ferrule::proxy
