// OpenSSL needs memory for each batch; without it, the batch is sealed and opened all the same.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <vector>

#include "crypto/aead.h"
#include "memory/failing_memory.h"

namespace ferrule::memory {
namespace {

void* allocate(std::size_t size, const char*, int) { return ::operator new(size, std::nothrow); }
void release(void* memory, const char*, int) { ::operator delete(memory); }
void* reallocate(void* memory, std::size_t size, const char* file, int line) {
  if (size == 0) {
    release(memory, file, line);
    return nullptr;
  }
  void* const grown = allocate(size, file, line);
  if (grown != nullptr && memory != nullptr) {
    std::memcpy(grown, memory, std::min(size, size_of(memory)));
    release(memory, file, line);
  }
  return grown;
}

// Before OpenSSL has allocated anything.
const int taken = CRYPTO_set_mem_functions(allocate, reallocate, release);

struct Batch {
  Batch() {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      texts[i].assign(100 * i + crypto::kTagSize, static_cast<std::uint8_t>(i));
      packets.push_back({texts[i].data(), 100 * i, &keys[i % 2], i});
    }
    keys[1].mut_bytes()[0] = 1;
  }
  std::array<crypto::AeadKey, 2> keys;
  std::array<std::vector<std::uint8_t>, 5> texts;
  std::vector<crypto::AeadPacket> packets;
};

TEST(AeadMemory, P35_OpensslSealsAndOpensWithoutMemory) {
  ASSERT_EQ(taken, 1);
  const crypto::AeadBackend& openssl = *crypto::find_aead_backend("openssl");
  Batch expected;
  openssl.seal(expected.packets);
  std::size_t shortages = 0;
  for_each_shortage([&](std::size_t number, Failing failing) {
    Batch batch;
    std::array<bool, 5> opened{};
    bool felt = false;
    {
      const Shortage shortage(number, failing);
      openssl.seal(batch.packets);
      felt = shortage.was_felt();
    }
    EXPECT_EQ(batch.texts, expected.texts);
    {
      const Shortage shortage(number, failing);
      openssl.open(batch.packets, opened);
    }
    for (std::size_t i = 0; i < opened.size(); ++i) {
      EXPECT_TRUE(opened[i]);
      EXPECT_TRUE(i == 0 || batch.texts[i][0] == i);
    }
    shortages += felt ? 1 : 0;
    return felt && !testing::Test::HasFailure();
  });
  EXPECT_GE(shortages, 2u);
}

}  // namespace
}  // namespace ferrule::memory
