#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/ladder.h"

#include <gtest/gtest.h>

#include <cstring>

#include "crypto/avx512/curve_model_testing.h"
#include "crypto/avx512/skip_testing.h"
#include "crypto/batch/models_testing.h"

namespace ferrule::crypto::avx512::curve {
namespace {

using test::CurveBytes;
using test::Random;

Rows random_rows(Random& random) {
  Rows rows;
  for (auto& row : rows.word) {
    for (auto& word : row) word = random();
  }
  return rows;
}
CurveBytes row(const Rows& rows, std::size_t lane) {
  CurveBytes bytes;
  std::memcpy(bytes.data(), rows.word[lane], bytes.size());
  return bytes;
}

TEST(Avx512Ladder, MultiplesAreTheModels) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(1);
  for (int round = 0; round < 3; ++round) {
    const Rows scalars = random_rows(random);
    const Rows points = random_rows(random);
    Rows results = points;
    multiply_points(scalars, results);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      EXPECT_EQ(row(results, lane), test::curve_multiple(row(scalars, lane), row(points, lane)));
    }
  }
}

TEST(Avx512Ladder, LanesDoNotTouchEachOther) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(2);
  const Rows scalars = random_rows(random);
  const Rows points = random_rows(random);
  Rows expected = points;
  multiply_points(scalars, expected);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    Rows other_scalars = random_rows(random);
    Rows results = random_rows(random);
    std::memcpy(other_scalars.word[lane], scalars.word[lane], sizeof scalars.word[lane]);
    std::memcpy(results.word[lane], points.word[lane], sizeof points.word[lane]);
    multiply_points(other_scalars, results);
    EXPECT_EQ(row(results, lane), row(expected, lane));
  }
}

TEST(Avx512Ladder, P1_PointsOfLowOrderBecomeZero) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(3);
  const Rows scalars = random_rows(random);
  Rows points = random_rows(random);
  std::memset(points.word[2], 0, sizeof points.word[2]);
  std::memset(points.word[5], 0, sizeof points.word[5]);
  points.word[5][0] = 1;
  multiply_points(scalars, points);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    EXPECT_EQ(row(points, lane) == CurveBytes{}, lane == 2 || lane == 5) << lane;
  }
}

}  // namespace
}  // namespace ferrule::crypto::avx512::curve
#endif
