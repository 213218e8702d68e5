#include "pair/budget.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ligase::pair {
namespace {

TEST(Budget, ChargeCountsAtEachOfItsParents_UntilItEnds) {  // P7
  Budget all(100), peer(60, &all), pair(40, &peer);
  {
    Charge charge(pair);
    EXPECT_TRUE(charge.grow(30));
    EXPECT_EQ(pair.used(), 30u);
    EXPECT_EQ(peer.used(), 30u);
    EXPECT_EQ(all.used(), 30u);
    EXPECT_FALSE(charge.grow(11));
    EXPECT_EQ(all.used(), 30u);
    charge.give_back(10);
    EXPECT_EQ(all.used(), 20u);
  }
  EXPECT_EQ(all.used(), 0u);
}

TEST(Budget, LimitOfAnyParent_Binds) {  // AB-126
  Budget all(100), peer(60, &all), one(50, &peer), other(50, &peer);
  Charge first(one), second(other);
  EXPECT_TRUE(first.grow(50));
  EXPECT_EQ(other.room(), 10u);
  EXPECT_FALSE(second.grow(11));
  EXPECT_TRUE(second.grow(10));
  EXPECT_FALSE(second.grow(UINT64_MAX));
}

TEST(Budget, WhatIsOwed_GoesOverTheLimitAndNothingNewIsAdmitted) {  // AB-236
  Budget all(100), peer(60, &all);
  Charge charge(peer);
  EXPECT_TRUE(charge.grow(30));
  EXPECT_FALSE(peer.is_filling());
  charge.grow_beyond(90);
  EXPECT_TRUE(peer.is_filling());
  EXPECT_EQ(all.used(), 120u);
  EXPECT_EQ(all.room(), 0u);
  EXPECT_FALSE(charge.grow(1));
  charge.give_back(80);
  EXPECT_TRUE(charge.grow(10));
  Charge other(all);
  EXPECT_TRUE(other.grow(10));
  EXPECT_TRUE(peer.is_filling());  // since all together are
}

TEST(Charge, Moves_AndWhatBothHaveInCommonIsNotAskedAgain) {
  Budget all(100), one(100, &all), other(90, &all);
  Charge charge(one);
  EXPECT_TRUE(charge.grow(90));
  charge.move_to(other);  // `all` has no room for it twice, and need not
  EXPECT_EQ(one.used(), 0u);
  EXPECT_EQ(other.used(), 90u);
  EXPECT_EQ(all.used(), 90u);
  Budget small(89, &all);
  charge.move_to(small);  // it was taken already: over the limit, and nothing more is admitted there
  EXPECT_EQ(small.used(), 90u);
  EXPECT_EQ(small.room(), 0u);
  EXPECT_EQ(all.used(), 90u);
  charge.move_to(other);
  Charge taken = std::move(charge);
  EXPECT_EQ(charge.bytes(), 0u);
  EXPECT_EQ(taken.bytes(), 90u);
}

TEST(Charge, UpOrDownTheSameLine) {
  Budget all(100), peer(50, &all);
  Charge charge(all);
  EXPECT_TRUE(charge.grow(40));
  charge.move_to(peer);
  EXPECT_EQ(peer.used(), 40u);
  EXPECT_EQ(all.used(), 40u);
  charge.move_to(all);
  EXPECT_EQ(peer.used(), 0u);
  EXPECT_EQ(all.used(), 40u);
}

// Whatever happens, each budget is the sum of what is charged below it.
TEST(Budget, AnySequence_EveryBudgetIsTheSumOfItsChildren) {  // P7, AB-126
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 dice(seed);
    const auto draw = [&](std::uint64_t most) { return dice() % most; };
    Budget all(500), peers[] = {Budget(300, &all), Budget(300, &all)};
    Budget pairs[] = {Budget(200, &peers[0]), Budget(200, &peers[0]), Budget(200, &peers[1]), Budget(200, &peers[1])};
    std::vector<std::pair<std::size_t, Charge>> charges;
    for (int step = 0; step < 200; ++step) {
      const std::size_t at = draw(4);
      if (charges.empty() || draw(4) == 0) charges.emplace_back(at, Charge(pairs[at]));
      auto& [where, charge] = charges[draw(charges.size())];
      switch (draw(4)) {
        case 0:
          (void)charge.grow(draw(150));
          break;
        case 1:
          charge.give_back(draw(charge.bytes() + 1));
          break;
        case 2:
          charge.move_to(pairs[at]);
          where = at;
          break;
        case 3:
          std::swap(charges.front(), charges.back());
          charges.pop_back();
          break;
      }
      std::uint64_t sums[4] = {};
      for (const auto& [of, one] : charges) sums[of] += one.bytes();
      for (std::size_t i = 0; i < 4; ++i) {
        ASSERT_EQ(pairs[i].used(), sums[i]) << seed << ' ' << step;
      }
      for (std::size_t i = 0; i < 2; ++i) {
        ASSERT_EQ(peers[i].used(), sums[2 * i] + sums[2 * i + 1]);
      }
      ASSERT_EQ(all.used(), sums[0] + sums[1] + sums[2] + sums[3]);
    }
  }
}

}  // namespace
}  // namespace ligase::pair
