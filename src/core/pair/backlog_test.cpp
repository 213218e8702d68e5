#include "pair/backlog.hpp"

#include <gmock/gmock.h>

namespace ligase::pair {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Source kOne{1}, kTwo{2}, kThree{3};

// AB-236, P8: who fills a slow receiver's queue waits once, and not for ever.
TEST(Brake, TimeIsOver_WhoWasHeldBrieflyGoesOnAndTheReceiverIsSlow) {
  Brake brake;
  brake.hold(kOne, Brake::Hold::briefly);
  brake.hold(kTwo, Brake::Hold::briefly);
  EXPECT_TRUE(brake.is_holding_briefly());
  brake.hold(kThree, Brake::Hold::until_room);
  EXPECT_FALSE(brake.is_slow());
  EXPECT_THAT(brake.time_is_over(), ElementsAre(kOne, kTwo));
  EXPECT_FALSE(brake.is_holding_briefly());
  EXPECT_TRUE(brake.is_slow());
  EXPECT_TRUE(brake.is_holding());
  EXPECT_THAT(brake.has_emptied(), ElementsAre(kThree));
  EXPECT_FALSE(brake.is_slow());
  EXPECT_FALSE(brake.is_holding());
}

TEST(Brake, HasEmptied_AllGoOnAndATimeIsSetAnew) {
  Brake brake;
  brake.hold(kOne, Brake::Hold::briefly);
  brake.hold(kTwo, Brake::Hold::until_room);
  EXPECT_THAT(brake.has_emptied(), ElementsAre(kOne, kTwo));
  EXPECT_FALSE(brake.is_holding_briefly());  // a time is set anew for the next
  brake.hold(kOne, Brake::Hold::briefly);
  EXPECT_THAT(brake.has_emptied(), ElementsAre(kOne));
  EXPECT_THAT(brake.has_emptied(), IsEmpty());
}

}  // namespace
}  // namespace ligase::pair
