// Connections to targets, whichever of their addresses answers.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "io/linux/fd.h"
#include "proxy/services.h"
#include "proxy/target.h"

namespace ferrule::proxy {

using Dialled = std::function<void(Result<io::UniqueFd>)>;

/// Gives up what was begun when it goes: nobody is called then.
class Dialling {
 public:
  Dialling() noexcept = default;
  Dialling(Dialling&& other) noexcept : give_up_(std::exchange(other.give_up_, nullptr)) {}
  Dialling& operator=(Dialling&& other) noexcept;
  ~Dialling() { reset(); }
  void reset() noexcept;

 private:
  friend Dialling dial(Services&, netstack::Reach&, const Target&, Dialled);
  friend Dialling dial_any(Services&, netstack::Reach&, const std::vector<IpAddress>&,
                           std::uint16_t, Dialled);
  std::function<void()> give_up_;
};

/// Dials by `way`. Names are those of inside; addresses of both families are tried in turn, each a moment
/// after the one before (RFC 8305). `dialled` is called once, never from within this call.
[[nodiscard]] Dialling dial(Services& services, netstack::Reach& way, const Target& target,
                            Dialled dialled);
/// The same, to whichever of some hosts answers; the first of them is tried first.
[[nodiscard]] Dialling dial_any(Services& services, netstack::Reach& way,
                                const std::vector<IpAddress>& hosts, std::uint16_t port,
                                Dialled dialled);

}  // namespace ferrule::proxy
