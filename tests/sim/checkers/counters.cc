// No key seals twice with one counter: ChaCha20-Poly1305 would be broken by it.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "sim/checkers/all.h"
#include "sim/host.h"

namespace ferrule::sim {

namespace {

class Counters final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "counters"; }

  void sealed(const Host& host, Bytes key, std::uint64_t counter) override {
    Key name{};
    std::copy_n(key.begin(), name.size(), name.begin());
    Used& used = keys_[name];
    if (counter >= used.next) {
      for (; used.next < counter; ++used.next) used.left_out.insert(used.next);
      ++used.next;
    } else if (used.left_out.erase(counter) == 0) {
      fail("host " + std::to_string(host.id) + " used counter " + std::to_string(counter) +
           " twice with one key");
    }
  }

 private:
  using Key = std::array<std::uint8_t, 16>;  // half of it names it
  struct Used {
    std::uint64_t next = 0;
    std::set<std::uint64_t> left_out;  // below `next`
  };
  std::map<Key, Used> keys_;
};

}  // namespace

std::unique_ptr<Checker> make_counters_checker() { return std::make_unique<Counters>(); }

}  // namespace ferrule::sim
