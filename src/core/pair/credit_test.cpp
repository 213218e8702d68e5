#include "pair/credit.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace ligase::pair {
namespace {

using namespace std::chrono_literals;

using stream::kLeastWindow, stream::kMostCredit;

const Instant kStart{1s};

// FLOW-02, FLOW-03: whoever keeps the rules is never over its credit, and never stops for good, whatever the sizes.
TEST(Credit, SenderThatObeys_IsNeverOverItsCredit_AndGoesOn) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 dice(seed);
    const std::uint32_t size = kLeastWindow << (dice() % 5);
    Credit credit(size);
    Window window(size);
    std::deque<std::uint64_t> kept;
    std::uint64_t sent = 0, largest = 0;
    Instant now = kStart;
    for (int step = 0; step < 2000; ++step) {
      now += Duration(dice() % 1000);
      if (credit.may_send() && dice() % 2 == 0) {
        const std::uint64_t bytes = 1 + dice() % (dice() % 10 == 0 ? 500'000 : 3000);
        largest = std::max(largest, bytes);
        credit.spend(bytes);
        ASSERT_TRUE(window.receive(bytes));
        kept.push_back(bytes);
        sent += bytes;
        ASSERT_LE(window.kept(), window.size() + largest) << "what is kept is bounded by the window and one stanza";
      } else if (!kept.empty()) {
        window.take(kept.front());
        kept.pop_front();
        if (window.is_due() || dice() % 50 == 0)
          if (const std::uint32_t given = window.give(now, Duration(dice() % 100'000))) {
            ASSERT_TRUE(credit.add(given));
          }
      }
      ASSERT_EQ(credit.left(), window.left());
      if (kept.empty() && !window.is_due()) {
        ASSERT_TRUE(credit.may_send()) << "all was taken: it may send";
      }
    }
    EXPECT_GT(sent, 2 * size);
  }
}

// FLOW-03
TEST(Window, StanzaWithoutCredit_IsNotReceived) {
  Window window(kLeastWindow);
  EXPECT_TRUE(window.receive(kLeastWindow - 1));
  EXPECT_TRUE(window.receive(1'000'000)) << "one may go over it";
  EXPECT_FALSE(window.receive(1));
  EXPECT_EQ(window.kept(), kLeastWindow - 1 + 1'000'000);
}

// FLOW-05: it grows where it holds the sender back, and nowhere else.
TEST(Window, Grows_WhereHalfOfItIsTakenWithinARoundTrip) {
  const auto after = [](Duration between, std::uint64_t kept) {
    Window window(64 * 1024);
    Instant now = kStart;
    EXPECT_TRUE(window.receive(kept));
    for (int round = 0; round < 20; ++round) {
      const std::uint64_t half = window.size() / 2;
      EXPECT_TRUE(window.receive(half));
      window.take(half);
      window.give(now += between, 100ms);
    }
    return window.size();
  };
  EXPECT_EQ(after(50ms, 0), kMostGrown);
  EXPECT_EQ(after(74ms, 0), kMostGrown);
  EXPECT_EQ(after(76ms, 0), 64u * 1024) << "slower than the round trip";
  EXPECT_EQ(after(50ms, 1), 64u * 1024) << "whom it is for is slower than the network";
}

// FLOW-05: and back, where whom it is for has become slow; never below what both sides started with.
TEST(Window, Shrinks_WhereSomethingIsKeptForLong) {
  Window window(8 * 1024);
  Credit credit(8 * 1024);
  Instant now = kStart;
  const auto round = [&](std::uint64_t bytes, Duration after) {
    now += after;
    credit.spend(bytes);
    EXPECT_TRUE(window.receive(bytes));
    window.take(bytes);
    const std::uint32_t given = window.give(now, 10ms);
    EXPECT_TRUE(given == 0 || credit.add(given));
    EXPECT_EQ(credit.left(), window.left());
  };
  for (int n = 0; n < 10; ++n) round(window.size() / 2, 1ms);
  ASSERT_EQ(window.size(), kMostGrown);
  credit.spend(100);
  ASSERT_TRUE(window.receive(100));  // kept from now on
  for (int n = 0; n < 20; ++n) round(100 * 1024, 15ms);
  EXPECT_EQ(window.size(), kMostGrown) << "not for long";
  for (int n = 0; n < 20 && credit.may_send(); ++n) round(std::min<std::uint64_t>(100 * 1024, credit.left()), 25ms);
  EXPECT_EQ(window.size(), 8u * 1024);
}

// FLOW-05: what it has grown by is given, once.
TEST(Window, GivesWhatItHasGrownBy) {
  Window window(8 * 1024);
  Credit credit(8 * 1024);
  const auto round = [&](Instant now) {
    credit.spend(4 * 1024);
    EXPECT_TRUE(window.receive(4 * 1024));
    window.take(4 * 1024);
    EXPECT_TRUE(credit.add(window.give(now, 1s)));
  };
  round(kStart);
  EXPECT_EQ(credit.left(), 8 * 1024);
  round(kStart + 1ms);
  EXPECT_EQ(credit.left(), 16 * 1024);
  EXPECT_EQ(window.left(), 16 * 1024);
  EXPECT_FALSE(window.is_as_new());
}

// FLOW-04: nothing, too much at once, and too much together.
TEST(Credit, GrantsThatNobodyGives_AreRefused) {
  Credit credit(kLeastWindow);
  EXPECT_FALSE(credit.add(0));
  EXPECT_FALSE(credit.add(std::uint64_t{kMostCredit} + 1));
  EXPECT_FALSE(credit.add(~std::uint64_t{0}));
  EXPECT_FALSE(credit.add(kMostCredit));
  EXPECT_TRUE(credit.add(kMostCredit - kLeastWindow));
  EXPECT_FALSE(credit.add(1));
  EXPECT_EQ(credit.left(), kMostCredit);
}

// FLOW-04: a stanza larger than any grant is given again in more than one.
TEST(Window, GivesNoMoreAtOnceThanAGrantMayBe) {
  Window window(kLeastWindow);
  const std::uint64_t bytes = std::uint64_t{kMostCredit} + 5;
  ASSERT_TRUE(window.receive(bytes));
  window.take(bytes);
  EXPECT_EQ(window.give(kStart, 0s), kMostCredit);
  EXPECT_EQ(window.give(kStart, 0s), 5u);
  EXPECT_TRUE(window.is_as_new());
}

// FLOW-03: a stanza is taken where its receipt ends, wherever that is, and once.
TEST(Receipt, TakesOnceWhereItEnds) {
  struct Counting final : Lender {
    void take(std::uint64_t bytes) noexcept override { taken += bytes; }
    std::uint64_t taken = 0;
  };
  const auto counting = std::make_shared<Counting>();
  {
    Receipt first(counting, 10);
    Receipt second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that it holds nothing any more is what is tested
    EXPECT_EQ(counting->taken, 0u);
    second = Receipt(counting, 5);
    EXPECT_EQ(counting->taken, 10u);
  }
  EXPECT_EQ(counting->taken, 15u);
}

}  // namespace
}  // namespace ligase::pair
