// AB-228: who may ask how much of DNS at strangers' words.
#include "dns/claim_places.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <list>

namespace ligase::dns {
namespace {

struct TestClock final : seams::Clock {
  Instant now() const override { return time; }
  WallTime wall() const override { return {}; }
  seams::TimerId call_at(Instant when, std::function<void()> action) override {
    timers.emplace(++last, std::pair(when, std::move(action)));
    return seams::TimerId{last};
  }
  void cancel(seams::TimerId timer) override { timers.erase(static_cast<std::uint64_t>(timer)); }
  void pass(Duration by) {
    time += by;
    std::vector<std::function<void()>> due;
    std::erase_if(timers, [&](auto& timer) {
      if (timer.second.first > time) return false;
      due.push_back(std::move(timer.second.second));
      return true;
    });
    for (const auto& action : due) action();
  }
  Instant time{1h};
  std::map<std::uint64_t, std::pair<Instant, std::function<void()>>> timers;
  std::uint64_t last = 0;
};

const Address kOne = *Address::parse("198.51.100.1"), kTwo = *Address::parse("198.51.100.2"),
              kThree = *Address::parse("198.51.100.3");

struct ClaimPlacesTest : testing::Test {
  ~ClaimPlacesTest() override {  // who still waits leaves before the places go
    clock.pass(1h);
    turn();
    asked.clear();
    turn();
  }
  struct Asked {
    Address prefix;
    bool is_over = false;
    std::optional<ClaimPlaces::Place> place;
  };
  static Task<void> take(ClaimPlaces& places, Asked& asked) {
    Task<std::optional<ClaimPlaces::Place>> taken = places.take(asked.prefix);
    std::optional<ClaimPlaces::Place> place = co_await std::move(taken);
    asked.is_over = true;
    if (place) asked.place.emplace(std::move(*place));
  }
  void ask(Address prefix, int times = 1) {
    for (int i = 0; i < times; ++i) {
      asked.push_back({prefix, false, std::nullopt});
      boost::asio::co_spawn(loop, take(places, asked.back()), boost::asio::detached);
    }
    turn();
  }
  void turn() { loop.restart(), loop.poll(); }
  std::ptrdiff_t have(Address prefix) const {
    return std::ranges::count_if(asked, [&](const Asked& one) { return one.prefix == prefix && one.place; });
  }
  void answer_one(Address prefix) {
    const auto found = std::ranges::find_if(asked, [&](const Asked& one) { return one.prefix == prefix && one.place; });
    ASSERT_NE(found, asked.end());
    asked.erase(found);
    turn();
  }

  boost::asio::io_context loop{1};
  TestClock clock;
  ClaimPlaces places{loop.get_executor(), clock, {.all = 10, .of_prefix = 6, .waiting = 20, .patience = 10s}};
  std::list<Asked> asked;
};

TEST_F(ClaimPlacesTest, OnePrefix_HasItsShareAndNoMore) {
  ask(kOne, 15);
  EXPECT_EQ(have(kOne), 6);
  ask(kTwo, 3);
  EXPECT_EQ(have(kTwo), 3);
  answer_one(kOne);
  EXPECT_EQ(have(kOne), 6) << "the next of its line";
  EXPECT_EQ(places.taken(), 9u);
}

TEST_F(ClaimPlacesTest, WhoWaits_TakesTurnsByPrefix) {
  ask(kOne, 10), ask(kTwo, 10);
  EXPECT_EQ(have(kOne), 6);
  EXPECT_EQ(have(kTwo), 4);
  ask(kThree);
  EXPECT_EQ(have(kThree), 0);
  answer_one(kOne), answer_one(kTwo), answer_one(kOne);
  EXPECT_EQ(have(kThree), 1) << "behind ten that came before it";
  EXPECT_EQ(places.taken(), 10u);
}

TEST_F(ClaimPlacesTest, WhoWaitsTooLong_LeavesAlone) {
  ask(kOne, 8);
  clock.pass(9s);
  ask(kOne, 2);
  clock.pass(2s);
  turn();
  EXPECT_EQ(std::ranges::count_if(asked, [](const Asked& one) { return one.is_over && !one.place; }), 2);
  answer_one(kOne), answer_one(kOne);
  EXPECT_EQ(have(kOne), 6);
}

TEST_F(ClaimPlacesTest, LineIsFull_RefusesAtOnce) {
  ask(kOne, 30);
  EXPECT_EQ(std::ranges::count_if(asked, [](const Asked& one) { return one.is_over && !one.place; }), 4);
}

// The last moment of patience and the place come together: it is not lost.
TEST_F(ClaimPlacesTest, PlaceForOneThatJustLeft_GoesOn) {
  ask(kOne, 8);
  clock.pass(10s);  // two are late, and do not know it yet
  asked.pop_front();
  turn();
  EXPECT_EQ(places.taken(), 5u);
  ask(kOne);
  EXPECT_EQ(have(kOne), 6);
}

}  // namespace
}  // namespace ligase::dns
