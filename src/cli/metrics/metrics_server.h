// An HTTP server for one page.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/net.h"

namespace ferrule::cli {

/// Answers GET (and HEAD) of /metrics from its construction to its end; what else is asked for is not
/// found. One thread of its own serves all, one request after the other.
class MetricsServer {
 public:
  /// Makes the page. Called in the server's thread.
  using Page = std::function<std::string()>;

  /// Listens on `at`, port 0 for any.
  [[nodiscard]] static Result<std::unique_ptr<MetricsServer>> start(const Endpoint& at, Page page);
  virtual ~MetricsServer() = default;
  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
};

}  // namespace ferrule::cli
