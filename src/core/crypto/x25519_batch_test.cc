// Batches of multiplications, by every way to do them. FERRULE_LONG_TESTS=1 makes a million random
// ones.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/hex_testing.h"
#include "crypto/x25519_backends.h"

namespace ferrule::crypto {
namespace {

struct Way {
  const char* name;
  X25519Batch run;
};
std::vector<Way> ways() {
  std::vector<Way> all{{"facade", &x25519_batch}, {"sodium", &sodium_x25519}};
  if (avx512_x25519() != nullptr) all.push_back({"avx512", avx512_x25519()});
  return all;
}

std::size_t random_multiplications() {
  const char* wanted = std::getenv("FERRULE_LONG_TESTS");
  return wanted != nullptr && wanted[0] == '1' ? 1'000'000 : 100'000;
}

// Keys, points and results of a batch.
class Batch {
 public:
  explicit Batch(std::size_t count) : keys(count), points(count), results(count) {
    for (std::size_t i = 0; i < count; ++i) {
      jobs.push_back(X25519Job::dh(keys[i], points[i], results[i]));
    }
  }
  void fill(std::mt19937_64& random) {
    for (PrivateKey& key : keys) fill(random, key.mut_bytes());
    for (PublicKey& point : points) {
      fill(random, point.bytes);
      // A few that are not canonical, or close to it.
      if (random() % 16 == 0) std::fill(point.bytes.begin() + 1, point.bytes.end(), 0xff);
    }
  }
  [[nodiscard]] std::string result(std::size_t i) const {
    return jobs[i].accepted ? test::hex(results[i].bytes()) : "refused";
  }

  std::vector<PrivateKey> keys;
  std::vector<PublicKey> points;
  std::vector<SharedSecret> results;
  std::vector<X25519Job> jobs;

 private:
  static void fill(std::mt19937_64& random, MutBytes bytes) {
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  }
};

std::string one(const PrivateKey& key, const PublicKey& point) {
  SharedSecret shared;
  return x25519(key, point, shared) ? test::hex(shared.bytes()) : "refused";
}

TEST(X25519Batch, P1_RandomResultsAreThoseOfOneByOne) {
  if (avx512_x25519() == nullptr) GTEST_SKIP() << "one by one is what this CPU does";
  std::mt19937_64 random(1);
  Batch batch(32);
  for (std::size_t done = 0; done < random_multiplications(); done += batch.jobs.size()) {
    batch.fill(random);
    avx512_x25519()(batch.jobs);
    for (std::size_t i = 0; i < batch.jobs.size(); ++i) {
      ASSERT_EQ(batch.result(i), one(batch.keys[i], batch.points[i]));
    }
  }
}

TEST(X25519Batch, P1_AnySizeWillDo) {
  std::mt19937_64 random(2);
  for (const Way& way : ways()) {
    for (std::size_t count = 0; count <= 18; ++count) {
      Batch batch(count);
      batch.fill(random);
      way.run(batch.jobs);
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(batch.result(i), one(batch.keys[i], batch.points[i])) << way.name << count;
      }
    }
  }
}

TEST(X25519Batch, P1_LowOrderPointsAreRefusedWhereTheyStand) {
  std::mt19937_64 random(3);
  for (const Way& way : ways()) {
    for (std::size_t low = 0; low < 8; ++low) {
      Batch batch(8);
      batch.fill(random);
      batch.points[low] = {};
      way.run(batch.jobs);
      for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(batch.jobs[i].accepted, i != low) << way.name;
      EXPECT_TRUE(batch.results[low].is_zero()) << way.name;
    }
  }
}

TEST(X25519Batch, P1_PointsThatReduceToLowOrderAreRefused) {
  const char* const points[] = {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                                "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880"};
  std::mt19937_64 random(4);
  for (const Way& way : ways()) {
    Batch batch(3);
    batch.fill(random);
    for (std::size_t i = 0; i < 3; ++i) copy(test::unhex(points[i]), batch.points[i].bytes);
    way.run(batch.jobs);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(batch.result(i), "refused") << way.name << i;
  }
}

TEST(X25519Batch, P1_PublicKeysMayStandBesideSecrets) {
  std::mt19937_64 random(5);
  for (const Way& way : ways()) {
    Batch batch(9);
    batch.fill(random);
    PublicKey key;
    batch.jobs[4] = X25519Job::public_key(batch.keys[4], key);
    way.run(batch.jobs);
    EXPECT_TRUE(batch.jobs[4].accepted);
    EXPECT_EQ(key, public_key_of(batch.keys[4])) << way.name;
    EXPECT_EQ(batch.result(5), one(batch.keys[5], batch.points[5])) << way.name;
  }
}

// Eight at once, each the vector: after 1000 rounds all lanes hold the RFC's result.
TEST(X25519Batch, P1_Rfc7748IteratedVector) {
  for (const Way& way : ways()) {
    Batch batch(8);
    for (std::size_t i = 0; i < 8; ++i) {
      batch.keys[i].mut_bytes()[0] = 9;
      batch.points[i].bytes[0] = 9;
    }
    for (int round = 0; round < 1000; ++round) {
      way.run(batch.jobs);
      for (std::size_t i = 0; i < 8; ++i) {
        copy(batch.keys[i].bytes(), batch.points[i].bytes);
        copy(batch.results[i].bytes(), batch.keys[i].mut_bytes());
      }
    }
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(test::hex(batch.keys[i].bytes()),
                "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51")
          << way.name;
    }
  }
}

}  // namespace
}  // namespace ferrule::crypto
