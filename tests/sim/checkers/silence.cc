// Who has proven nothing gets no answer, but for a cookie reply under load, which is shorter than what
// it answers (P82, P85). Neither does a message that is refused, such as one that comes again.
#include "sim/checkers/all.h"
#include "sim/host.h"

namespace ferrule::sim {

namespace {

class Silence final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "silence"; }

  void handled(const Handled& handled) override {
    std::size_t cookie_bytes = 0;
    for (const Datagram& out : handled.out) {
      if (out.type() == 3) {
        cookie_bytes += out.bytes.size();
        if (out.to != handled.in.from) fail("a cookie reply went to somebody else");
      } else if (!handled.in.genuine()) {
        fail("host " + std::to_string(handled.host.id) + " answered a stranger with type " +
             std::to_string(out.type()));
      } else if (handled.drops != 0) {
        fail("host " + std::to_string(handled.host.id) + " refused a message of type " +
             std::to_string(handled.in.type()) + ", and sent type " + std::to_string(out.type()));
      }
    }
    if (cookie_bytes > 0 && !handled.under_load) fail("an idle device sent a cookie reply");
    if (cookie_bytes > handled.in.bytes.size()) fail("more bytes went out than came in");
  }

  void received_batch(const Batch& batch) override {
    if ((batch.only_strangers || batch.taken == 0) && !batch.out.empty()) {
      fail("host " + std::to_string(batch.host.id) +
           " sent something because of messages that it refused");
    }
  }
};

}  // namespace

std::unique_ptr<Checker> make_silence_checker() { return std::make_unique<Silence>(); }

}  // namespace ferrule::sim
