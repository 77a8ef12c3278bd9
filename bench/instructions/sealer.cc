// Seals or opens one batch again and again, and nothing else: run.py counts what that takes.
// Usage: sealer seal|open BACKEND BYTES PACKETS ROUNDS SECRET
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "crypto/aead.h"

namespace {

using ferrule::crypto::AeadBackend;
using ferrule::crypto::AeadPacket;
using ferrule::crypto::kTagSize;

constexpr int kArguments = 7;

// A batch whose key and text are made of one byte.
class Batch {
 public:
  Batch(std::size_t bytes, std::size_t count, std::uint8_t secret)
      : buffer_(count * (bytes + kTagSize), secret), opened_(std::make_unique<bool[]>(count)) {
    std::ranges::fill(key_.mut_bytes(), secret);
    for (std::size_t i = 0; i < count; ++i) {
      packets_.push_back({buffer_.data() + i * (bytes + kTagSize), bytes, &key_, i});
    }
  }
  void seal(const AeadBackend& backend) { backend.seal(packets_); }
  // All are refused, which takes as long.
  void open(const AeadBackend& backend) {
    backend.open(packets_, {opened_.get(), packets_.size()});
  }

 private:
  ferrule::crypto::AeadKey key_;
  std::vector<std::uint8_t> buffer_;
  std::vector<AeadPacket> packets_;
  std::unique_ptr<bool[]> opened_;
};

std::size_t number(const char* text) { return std::strtoul(text, nullptr, 10); }

}  // namespace

int main(int argc, char** argv) {
  const AeadBackend* backend =
      argc == kArguments ? ferrule::crypto::find_aead_backend(argv[2]) : nullptr;
  if (backend == nullptr) {
    std::fputs("usage: sealer seal|open BACKEND BYTES PACKETS ROUNDS SECRET\n", stderr);
    return 2;
  }
  const bool seals = std::string_view(argv[1]) == "seal";
  Batch batch(number(argv[3]), number(argv[4]), static_cast<std::uint8_t>(number(argv[6])));
  for (std::size_t round = number(argv[5]); round > 0; --round) {
    seals ? batch.seal(*backend) : batch.open(*backend);
  }
  return 0;
}
