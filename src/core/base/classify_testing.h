// For tests of constant time: they run under valgrind, which then reports each branch and each
// address that depends on what was classified.
#pragma once

#include <gtest/gtest.h>

#include "base/bytes.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define FERRULE_HAS_VALGRIND 1
#else
#define FERRULE_HAS_VALGRIND 0
#endif

namespace ferrule::test {

#if FERRULE_HAS_VALGRIND
inline bool can_classify() { return RUNNING_ON_VALGRIND != 0; }
/// From here on, a branch or an address that depends on these bytes is an error.
inline void classify(Bytes bytes) { VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()); }
/// The bytes are public again.
inline void declassify(Bytes bytes) { VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()); }
/// How many errors there have been.
inline unsigned long leaks() { return VALGRIND_COUNT_ERRORS; }
#else
inline bool can_classify() { return false; }
inline void classify(Bytes) {}
inline void declassify(Bytes) {}
inline unsigned long leaks() { return 0; }
#endif

/// The same for a value.
template <class T>
void classify_value(const T& value) {
  classify({reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
}
template <class T>
void declassify_value(const T& value) {
  declassify({reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
}

/// A test that fails when something branched on a secret. Skipped where nobody watches.
class ConstantTimeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_classify()) GTEST_SKIP() << "not under valgrind";
    allowed_leaks_ = leaks();
  }
  void TearDown() override { EXPECT_EQ(leaks(), allowed_leaks_) << "branches on secrets"; }
  void expect_leaks(unsigned long count) { allowed_leaks_ += count; }
  /// There were no more than this since the last that were expected or allowed. For branches on what
  /// is public though it was made of secrets; how many there are is the compiler's choice.
  void allow_leaks(unsigned long most) {
    const unsigned long now = leaks();
    EXPECT_LE(now - allowed_leaks_, most);
    allowed_leaks_ = now;
  }

 private:
  unsigned long allowed_leaks_ = 0;
};

}  // namespace ferrule::test
