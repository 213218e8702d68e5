// Pure: time is moved by hand, and what waits is woken by the loop.
#include "ground/attempts.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <vector>

namespace ligase::ground {
namespace {

using Entered = Result<std::unique_ptr<Attempts::Attempt>>;

struct HandClock final : seams::Clock {
  Instant now() const override { return at; }
  WallTime wall() const override { return {}; }
  seams::TimerId call_at(Instant when, std::function<void()> action) override {
    timers.emplace(++last, std::pair(when, std::move(action)));
    return static_cast<seams::TimerId>(last);
  }
  void cancel(seams::TimerId timer) override { timers.erase(static_cast<std::uint64_t>(timer)); }
  void run_due() {
    for (auto at_timer = timers.begin(); at_timer != timers.end();) {
      if (at_timer->second.first > at) {
        ++at_timer;
        continue;
      }
      const auto action = std::move(at_timer->second.second);
      at_timer = timers.erase(at_timer);
      action();
    }
  }
  Instant at{};
  std::uint64_t last = 0;
  std::map<std::uint64_t, std::pair<Instant, std::function<void()>>> timers;
};
struct NoRandom final : seams::Random {
  void fill(std::uint8_t* bytes, std::size_t count) override { std::fill_n(bytes, count, std::uint8_t{0}); }
};
struct NoResolver final : seams::Resolver {
  Task<proof::Answer> ask(std::string, proof::RrType) override { co_return proof::Answer{}; }
  bool knows(const std::string&, proof::RrType) const override { return false; }
};
struct NoDialer final : seams::Dialer {
  Task<Result<std::unique_ptr<seams::Connection>>> connect(Endpoint, Instant, Ports) override {
    co_return fail(Reason::connect_refused, "");
  }
};
struct NoLog final : report::Log {
  bool wants(report::Level) const noexcept override { return false; }
  void write(report::Event) override {}
};
struct NoStore final : seams::Store {
  void put(seams::Memo) override {}
  void erase(std::string, std::string) override {}
};

struct AttemptsTest : testing::Test {
  static Address address(const char* text) { return *Address::parse(text); }
  static Task<void> enter_into(Attempts& all, Address to, Claimant by, Instant deadline, std::vector<Entered>& into) {
    Entered entered = co_await all.enter(to, by, deadline);
    into.push_back(std::move(entered));
  }
  // Those that were answered at once are in what comes back; who waits goes to `later`.
  Entered enter(Claimant by = {}, Address to = address("192.0.2.1")) {
    std::vector<Entered> came;
    boost::asio::co_spawn(loop, enter_into(all, to, by, clock.at + 60s, came), boost::asio::detached);
    turn();
    EXPECT_EQ(came.size(), 1u);
    return std::move(came.at(0));
  }
  void wait_for_a_turn(Instant deadline) {
    boost::asio::co_spawn(loop, enter_into(all, address("192.0.2.1"), {}, deadline, later), boost::asio::detached);
    turn();
  }
  void turn() {
    loop.restart();
    loop.poll();
    clock.run_due();
    loop.restart();
    loop.poll();
  }
  void fail_one(Claimant by = {}) {
    Entered one = enter(by);
    ASSERT_TRUE(one);
    clock.at += 10ms;
    (*one)->failed({Reason::network_closed, "reset"});
  }

  const Claimant stranger = address("198.51.100.7"), other = address("198.51.100.9");
  boost::asio::io_context loop{1};
  HandClock clock;
  NoRandom random;
  NoResolver resolver;
  NoDialer dialer;
  NoLog log;
  NoStore store;
  Attempts all{World{loop.get_executor(), clock, random, resolver, dialer, log, store}};
  std::vector<Entered> later;
};

// AB-083: from its fourth failure in a row on, a claimant is refused there for a second, two, four … five minutes (half of it is
// jitter, which is drawn as nothing here); ours and others' go on, and so do its own elsewhere.
TEST_F(AttemptsTest, ClaimantsFailures_DoubleItsPauseAtThatAddressAlone) {
  for (int i = 0; i < 3; ++i) fail_one(stranger);
  for (const Duration pause : {1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s}) {
    fail_one(stranger);
    clock.at += pause / 2 - 11ms;
    const Entered refused = enter(stranger);
    ASSERT_FALSE(refused) << pause / 1s;
    EXPECT_EQ(refused.error().reason, Reason::limit_reached);
    EXPECT_TRUE(enter(other));
    EXPECT_TRUE(enter());
    EXPECT_TRUE(enter(stranger, address("192.0.2.2")));
    clock.at += 12ms;
  }
  ASSERT_TRUE(enter(stranger));
}

// AB-083: what fails at the same time fails once.
TEST_F(AttemptsTest, FailuresSideBySide_DoubleThePauseOnce) {
  std::vector<Entered> side_by_side;
  for (int i = 0; i < 8; ++i) side_by_side.push_back(enter(stranger));
  clock.at += 10ms;
  for (const Entered& one : side_by_side) (*one)->failed({Reason::network_closed, "reset"});
  EXPECT_FALSE(enter(stranger));
  clock.at += 501ms;
  EXPECT_TRUE(enter(stranger));
}

// One broken domain among a provider's many costs the others nothing.
TEST_F(AttemptsTest, FailuresAmongSuccesses_AreForgiven) {  // AB-083
  for (int i = 0; i < 50; ++i) {
    for (int broken = 0; broken < 3; ++broken) fail_one(stranger);
    Entered good = enter(stranger);
    ASSERT_TRUE(good) << i;
    (*good)->succeeded();
  }
}

TEST_F(AttemptsTest, ASuccess_EndsTheBackOff) {  // AB-083
  Entered began_before = enter(stranger);
  clock.at += 1ms;
  for (int i = 0; i < 4; ++i) {
    fail_one(stranger);
    fail_one(other);
  }
  ASSERT_FALSE(enter(stranger));
  (*began_before)->succeeded();
  EXPECT_TRUE(enter(stranger));
  EXPECT_FALSE(enter(other)) << "it led us to somebody who does not want us; that others are wanted changes nothing";
}

// AB-083, ROUTE-04: ours are in doubt after three failures, and then for ten seconds at a time.
TEST_F(AttemptsTest, OurFailures_AreForgivenThreeTimes) {
  for (int i = 0; i < 3; ++i) fail_one();
  const Entered refused = enter();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::network_closed) << "as the address failed";
  clock.at += 10s;
  EXPECT_TRUE(enter());
}

// Once somebody has answered, what fails is the domain's and not the address's; a claimant has led us there all the same.
TEST_F(AttemptsTest, FailureAfterTheArrival_IsTheClaimantsAlone) {  // AB-083
  for (int i = 0; i < 5; ++i) {
    Entered one = enter();
    ASSERT_TRUE(one) << i;
    (*one)->arrived();
    (*one)->failed({Reason::pkix_name, "another name"});
  }
  for (int i = 0; i < 4; ++i) {
    Entered one = enter(stranger);
    ASSERT_TRUE(one) << i;
    (*one)->arrived();
    (*one)->failed({Reason::pkix_name, "another name"});
  }
  EXPECT_FALSE(enter(stranger));
}

// AB-083: 32 at once at one address, of a claimant as of ours; of all claimants together 64.
TEST_F(AttemptsTest, ManyAtOnce_AreCapped) {
  std::vector<Entered> at_work;
  for (const Claimant& by : {stranger, other}) {
    for (int i = 0; i < 32; ++i) at_work.push_back(enter(by));
    EXPECT_FALSE(enter(by));
  }
  EXPECT_FALSE(enter(address("203.0.113.1"))) << "all of them together";
  EXPECT_TRUE(enter()) << "ours are not among them";
  at_work.pop_back();
  EXPECT_TRUE(enter(other));
}

TEST_F(AttemptsTest, OursBeyondTheCap_WaitInTurnAndUntilTheirDeadline) {  // AB-083
  std::vector<Entered> at_work;
  for (int i = 0; i < 32; ++i) at_work.push_back(enter());
  wait_for_a_turn(clock.at + 5s);
  wait_for_a_turn(clock.at + 60s);
  EXPECT_TRUE(later.empty());
  clock.at += 6s;
  turn();
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].error().reason, Reason::connect_timeout);
  (*at_work.back())->arrived();
  turn();
  ASSERT_EQ(later.size(), 2u);
  EXPECT_TRUE(later[1]) << "the next, whose time is not up";
  wait_for_a_turn(clock.at + 60s);
  EXPECT_EQ(later.size(), 2u) << "its place was handed on";
  at_work.clear();
  turn();
  ASSERT_EQ(later.size(), 3u);
  EXPECT_TRUE(later[2]);
  later.clear();
  EXPECT_EQ(all.size(), 0u) << "where nothing failed, nothing is remembered";
}

// What is remembered is bounded, and forgotten ten minutes after its last failure (P5).
TEST_F(AttemptsTest, Accounts_AreBoundedAndExpire) {
  for (unsigned i = 0; i < 12'000; ++i) {
    const Address to{
        {10, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
    Entered one = enter(stranger, to);
    ASSERT_TRUE(one);
    (*one)->failed({Reason::network_closed, "reset"});
  }
  EXPECT_EQ(all.size(), 10'000u);
  clock.at += 601s;
  fail_one(stranger);
  EXPECT_EQ(all.size(), 1u);
}

}  // namespace
}  // namespace ligase::ground
