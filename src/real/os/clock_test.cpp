// The heap of timers: order, cancelling, and many of them.
#include "os/clock.hpp"

#include <gmock/gmock.h>

#include <boost/asio/post.hpp>

#include <vector>

namespace ligase::os {
namespace {

using ::testing::ElementsAre;

struct World {
  boost::asio::io_context context{1};
  SystemClock clock{context};
  std::vector<int> ran;

  seams::TimerId in(Duration after, int number) {
    return clock.call_at(clock.now() + after, [this, number] { ran.push_back(number); });
  }
};

TEST(SystemClock, Timers_RunInTheirOrder) {
  World world;
  world.in(3ms, 3);
  world.in(1ms, 1);
  world.in(2ms, 2);
  world.in(-1h, 0);
  EXPECT_TRUE(world.ran.empty());  // never from inside
  world.context.run();             // ends when no timer is left
  EXPECT_THAT(world.ran, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(world.clock.waiting(), 0u);
}

TEST(SystemClock, SameInstant_RunsInOrderOfAsking) {
  World world;
  const Instant when = world.clock.now();
  for (int i = 0; i < 100; ++i) world.clock.call_at(when, [&world, i] { world.ran.push_back(i); });
  world.context.run();
  ASSERT_EQ(world.ran.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(world.ran));
}

TEST(SystemClock, Cancelled_NeverRuns_AndCancellingAgainDoesNothing) {
  World world;
  const auto first = world.in(1ms, 1);
  world.in(2ms, 2);
  world.clock.cancel(first);
  world.clock.cancel(first);
  world.clock.cancel(seams::TimerId::none);
  world.context.run();
  EXPECT_THAT(world.ran, ElementsAre(2));
  world.clock.cancel(first);
}

TEST(SystemClock, ActionThatCancelsItsNeighbour_Wins) {
  World world;
  seams::TimerId second{};
  const Instant when = world.clock.now();
  world.clock.call_at(when, [&] { world.clock.cancel(second); });
  second = world.clock.call_at(when, [&] { world.ran.push_back(2); });
  world.context.run();
  EXPECT_TRUE(world.ran.empty());
}

TEST(SystemClock, ActionThatAsksForNowAgain_DoesNotStarveTheLoop) {
  World world;
  int left = 5;
  std::function<void()> again = [&] {
    world.ran.push_back(left);
    if (--left > 0) world.clock.call_at(world.clock.now(), again);
    if (left == 4) boost::asio::post(world.context, [&] { world.ran.push_back(100); });
  };
  world.clock.call_at(world.clock.now(), again);
  world.context.run();
  ASSERT_EQ(world.ran.size(), 6u);
  EXPECT_NE(world.ran.back(), 100);
}

TEST(SystemClock, ManyMadeAndCancelled_LeaveNoHeap) {
  World world;
  for (int round = 0; round < 100'000; ++round) world.clock.cancel(world.in(1h, round));
  EXPECT_EQ(world.clock.waiting(), 0u);
  std::vector<seams::TimerId> timers;
  for (int i = 0; i < 50'000; ++i) timers.push_back(world.in(1h, i));
  for (const auto timer : timers) world.clock.cancel(timer);
  world.in(0s, 7);
  while (world.ran.empty()) world.context.run_one();
  EXPECT_THAT(world.ran, ElementsAre(7));
}

TEST(SystemClock, DestroyedByAnActionOfItsOwn_RunsNothingMore) {
  boost::asio::io_context context{1};
  auto clock = std::make_unique<SystemClock>(context);
  int ran = 0;
  const Instant when = clock->now();
  clock->call_at(when, [&] {
    ++ran;
    clock.reset();
  });
  clock->call_at(when, [&] { ++ran; });
  context.run();
  EXPECT_EQ(ran, 1);
}

TEST(SystemClock, WallTime_IsTheCivilOne) {
  World world;
  EXPECT_GT(world.clock.wall(), WallTime(std::chrono::sys_days(std::chrono::year(2025) / 1 / 1)));
}

}  // namespace
}  // namespace ligase::os
