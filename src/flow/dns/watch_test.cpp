// AB-227: a resolver that is not there yet, one that strips signatures, and one that comes back.
#include "dns/watch.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <map>

namespace ligase::dns {
namespace {

using proof::Answer;
using proof::RrType;
using proof::Security;

struct TestClock final : seams::Clock {
  Instant now() const override { return time; }
  WallTime wall() const override { return WallTime(std::chrono::seconds(1'800'000'000)); }
  seams::TimerId call_at(Instant when, std::function<void()> action) override {
    timers.emplace(++last, std::pair(when, std::move(action)));
    return seams::TimerId{last};
  }
  void cancel(seams::TimerId timer) override { timers.erase(static_cast<std::uint64_t>(timer)); }

  Instant time{1h};
  std::map<std::uint64_t, std::pair<Instant, std::function<void()>>> timers;
  std::uint64_t last = 0;
};

struct TestLine final : seams::Resolver, seams::ResolverTrial {
  Task<Answer> ask(std::string, RrType) override {
    Answer answer;
    answer.security = security;
    if (security == Security::secure) answer.rdata = {Bytes{127, 0, 0, 1}};
    answer.ttl = 1h;
    co_return answer;
  }
  Task<Answer> try_out() override {
    ++trials;
    Answer answer;
    answer.security = security;
    answer.why = "no DNSKEY";
    co_return answer;
  }
  Security security = Security::secure;
  int trials = 0;
};

Task<void> ask_into(seams::Resolver& watch, std::string name, Answer& into) {
  into = co_await watch.ask(std::move(name), RrType::srv);
}

struct WatchTest : testing::Test {
  WatchTest() { watch.start(), turn(); }
  void turn() { loop.restart(), loop.poll(); }
  void pass(Duration most) {
    for (const Instant until = clock.time + most; clock.time < until;) {
      clock.time += 50ms;
      std::vector<std::function<void()>> due;
      std::erase_if(clock.timers, [&](auto& timer) {
        if (timer.second.first > clock.time) return false;
        due.push_back(std::move(timer.second.second));
        return true;
      });
      for (const auto& action : due) action();
      turn();
    }
  }
  Answer ask(const std::string& name) {
    Answer answer;
    boost::asio::co_spawn(loop, ask_into(watch, name, answer), boost::asio::detached);
    turn();
    return answer;
  }

  boost::asio::io_context loop{1};
  TestClock clock;
  TestLine line;
  CachingResolver cache{line, clock, loop.get_executor()};
  std::vector<std::optional<Reason>> told;
  Watch watch{cache, line, clock, loop.get_executor(), [this](const std::optional<Error>& unfit) {
                told.push_back(unfit ? std::optional(unfit->reason) : std::nullopt);
              }};
};
// The fixture's first trial succeeded.
TEST_F(WatchTest, FitResolver_IsToldOnceAndTriedSeldom) {
  EXPECT_EQ(told, (std::vector<std::optional<Reason>>{std::nullopt}));
  pass(std::chrono::minutes(11));
  EXPECT_EQ(line.trials, 3);
  EXPECT_EQ(told.size(), 1u);
}

// AB-227, AB-139: not the zones are broken, the resolver is.
TEST_F(WatchTest, ResolverThatStripsSignatures_IsBlamedItself) {
  line.security = Security::bogus;
  pass(10s);
  ask("a.tld");  // makes it doubt
  EXPECT_EQ(told.back(), Reason::dns_resolver);
  EXPECT_EQ(ask("b.tld").blamed, Reason::dns_resolver);
  EXPECT_EQ(ask("a.tld").blamed, Reason::dns_resolver) << "what the cache knows, too";
}

// One broken zone makes it look, and nothing more.
TEST_F(WatchTest, BrokenZone_IsItsOwnFault) {
  line.security = Security::bogus;
  Answer answer;
  boost::asio::co_spawn(loop, ask_into(watch, "broken.tld", answer), boost::asio::detached);
  loop.restart(), loop.poll();
  line.security = Security::secure;
  pass(30s);
  EXPECT_FALSE(answer.blamed);
  EXPECT_EQ(told.size(), 1u);
}

// Strangers can name zones that fail: a trial in ten seconds, whatever they do.
TEST_F(WatchTest, ManyFailures_CauseFewTrials) {
  const int before = line.trials;
  for (int i = 0; i < 400; ++i) {
    line.security = Security::indeterminate;
    Answer answer;
    boost::asio::co_spawn(loop, ask_into(cache, "x" + std::to_string(i) + ".tld", answer), boost::asio::detached);
    turn();
    line.security = Security::secure;
    ask("x" + std::to_string(i) + ".tld");
    pass(50ms);
  }
  EXPECT_GE(line.trials - before, 1);
  EXPECT_LE(line.trials - before, 2);
}

// AB-227: all is well again within five seconds of the resolver's first answer, though failures are kept for longer.
TEST_F(WatchTest, ResolverThatComesBack_IsUsedAtOnce) {
  pass(10s);
  line.security = Security::indeterminate;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ask("a.tld").security, Security::indeterminate);
    EXPECT_FALSE(ask("a.tld").blamed);
    pass(30s);
  }
  EXPECT_EQ(told.back(), Reason::dns_indeterminate);
  EXPECT_EQ(ask("a.tld").security, Security::indeterminate);
  line.security = Security::secure;
  pass(5s);
  EXPECT_EQ(told.back(), std::nullopt);
  EXPECT_EQ(told.size(), 3u);
  EXPECT_EQ(ask("a.tld").security, Security::secure);
}

}  // namespace
}  // namespace ligase::dns
