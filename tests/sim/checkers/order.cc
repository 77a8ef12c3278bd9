// Packets of one flow leave in the order in which they came, staged or not (P77).
#include <map>
#include <tuple>

#include "sim/checkers/all.h"
#include "sim/host.h"

namespace ferrule::sim {

namespace {

class Order final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "order"; }

  void packet_left(const Host& host, std::uint64_t number, PeerId peer,
                   std::uint16_t lane) override {
    const auto [last, first] = last_.try_emplace({host.id, peer, lane}, number);
    if (!first && number <= last->second) {
      fail("packet " + std::to_string(number) + " of host " + std::to_string(host.id) +
           " left after packet " + std::to_string(last->second));
    }
    last->second = number;
  }

 private:
  std::map<std::tuple<HostId, PeerId, std::uint16_t>, std::uint64_t> last_;
};

}  // namespace

std::unique_ptr<Checker> make_order_checker() { return std::make_unique<Order>(); }

}  // namespace ferrule::sim
