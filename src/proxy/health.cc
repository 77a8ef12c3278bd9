#include "proxy/health.h"

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <utility>

#include "proxy/handshake.h"
#include "proxy/http_request.h"

namespace ferrule::proxy {

namespace {

constexpr std::size_t kMaxQuestionBytes = 4096;

class HealthSession final : public Handshake {
 public:
  HealthSession(Services& services, io::UniqueFd client,
                std::shared_ptr<const std::function<TunnelHealth()>> look) noexcept
      : Handshake(services, std::move(client), kMaxQuestionBytes), look_(std::move(look)) {}

 private:
  void heard() override {
    const std::size_t end = input_.find('\n');
    if (end == std::string::npos || input_.find("\n\r\n") == std::string::npos) return;
    const auto alive = shared_from_this();
    const std::string line = input_.substr(0, end);
    if (answer(answer_to(line))) turn_away_kindly();
  }
  [[nodiscard]] std::string answer_to(std::string_view line) const {
    const TunnelHealth health = (*look_)();
    if (line.starts_with("GET /readyz ") || line.starts_with("HEAD /readyz ")) {
      return http_answer(health.is_ready ? 200 : 503, health.why + '\n');
    }
    if (line.starts_with("GET /metrics ")) {
      return http_answer(200, health.metrics + metrics_text(services_));
    }
    return http_answer(404, "There are /readyz and /metrics.\n");
  }
  void turn_away_kindly() {
    --services_.counters.accepted;
    --services_.counters.refused;
    turn_away();
  }

  std::shared_ptr<const std::function<TunnelHealth()>> look_;
};

}  // namespace

Listener serve_health(Services& services, io::UniqueFd socket, std::function<TunnelHealth()> look) {
  const auto shared = std::make_shared<const std::function<TunnelHealth()>>(std::move(look));
  return {services, services.outside, std::move(socket), "health",
          [&services, shared](io::UniqueFd client, const Endpoint&) {
            std::make_shared<HealthSession>(services, std::move(client), shared)->begin();
          }};
}

std::string metrics_text(const Services& services) {
  const Counters& counters = services.counters;
  std::string text;
  const auto add = [&](std::string_view name, std::string_view kind, std::string_view what,
                       std::uint64_t value) {
    fmt::format_to(std::back_inserter(text),
                   "# HELP ferrule_proxy_{0} {1}\n# TYPE ferrule_proxy_{0} {2}\n"
                   "ferrule_proxy_{0} {3}\n",
                   name, what, kind, value);
  };
  add("accepted_total", "counter", "Clients that have connected.", counters.accepted);
  add("refused_total", "counter", "Clients that were turned away.", counters.refused);
  add("dials_total", "counter", "Connections that were tried inside.", counters.dials);
  add("failed_dials_total", "counter", "Of these, those that failed.", counters.failed_dials);
  add("open_streams", "gauge", "Connections that are carried now.", counters.open_streams);
  add("buffered_bytes", "gauge", "Bytes held for slow readers.", services.buffered_bytes);
  add("to_inside_bytes_total", "counter", "Bytes carried to inside.", counters.to_inside_bytes);
  add("from_inside_bytes_total", "counter", "Bytes carried from inside.",
      counters.from_inside_bytes);
  add("datagrams_to_inside_total", "counter", "Datagrams carried to inside.",
      counters.datagrams_in);
  add("datagrams_from_inside_total", "counter", "Datagrams carried from inside.",
      counters.datagrams_out);
  add("lost_datagrams_total", "counter", "Datagrams that were malformed or beyond a bound.",
      counters.lost_datagrams);
  add("associations", "gauge", "UDP associations that live now.", services.associations);
  add("lookups_total", "counter", "Names that were looked up.", counters.lookups);
  add("failed_lookups_total", "counter", "Of these, those that were not found.",
      counters.failed_lookups);
  return text;
}

}  // namespace ferrule::proxy
