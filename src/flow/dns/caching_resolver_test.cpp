// DNS-05: every bound of the cache, over a resolver and a clock of the test's own.
#include "dns/caching_resolver.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <stdexcept>

#include "ground/gate.hpp"

namespace ligase::dns {
namespace {

using proof::Answer;
using proof::RrType;
using proof::Security;

struct TestClock final : seams::Clock {
  Instant now() const override { return time; }
  WallTime wall() const override { return wall_time; }
  seams::TimerId call_at(Instant, std::function<void()>) override { return seams::TimerId::none; }
  void cancel(seams::TimerId) override {}
  void advance(std::chrono::seconds by) { time += by, wall_time += by; }

  Instant time{1h};
  WallTime wall_time{std::chrono::seconds(1'800'000'000)};
};

struct TestResolver final : seams::Resolver {
  Task<Answer> ask(std::string name, RrType type) override {
    ++asked[{name, type}];
    if (held) co_await held->wait();
    if (throws) throw std::runtime_error("out of order");
    co_return answer;
  }
  std::map<std::pair<std::string, RrType>, int> asked;
  Answer answer;
  std::unique_ptr<ground::Gate<int>> held;  // if set, answers wait for it
  bool throws = false;
};

Answer good(std::chrono::seconds ttl) {
  Answer answer;
  answer.security = Security::secure;
  answer.rdata = {Bytes{127, 0, 0, 1}};
  answer.ttl = ttl;
  return answer;
}
Answer denial(std::chrono::seconds ttl) {
  Answer answer = good(ttl);
  answer.rdata.clear();
  return answer;
}
Answer failure(Security security) {
  Answer answer;
  answer.security = security;
  answer.why = "broken";
  return answer;
}

constexpr std::size_t kRoom = 50 * 800;  // for some 50 small answers

Task<void> ask_into(seams::Resolver& cache, std::string name, RrType type, std::vector<Answer>& answers) {
  Answer answer = co_await cache.ask(std::move(name), type);
  answers.push_back(std::move(answer));
}

struct CachingResolverTest : testing::Test {
  void start(const std::string& name, RrType type = RrType::a) {
    boost::asio::co_spawn(loop, ask_into(*cache, name, type, answers), boost::asio::detached);
  }
  void turn() { loop.restart(), loop.poll(); }
  Answer ask(const std::string& name = "x.tld", RrType type = RrType::a) {
    answers.clear();
    start(name, type);
    turn();
    EXPECT_EQ(answers.size(), 1u);
    return answers.empty() ? Answer{} : answers.front();
  }
  int asked(const std::string& name = "x.tld", RrType type = RrType::a) { return resolver.asked[{name, type}]; }
  // How long the cache keeps what the resolver says now: asked again from when on.
  std::chrono::seconds kept_for() {
    ask();
    const int before = asked();
    for (std::chrono::seconds waited = 0s; waited <= 25h; waited += 1s, clock.advance(1s)) {
      ask();
      if (asked() != before) return waited;
    }
    return 100h;
  }

  boost::asio::io_context loop{1};
  TestClock clock;
  TestResolver resolver;
  std::unique_ptr<CachingResolver> cache =
      std::make_unique<CachingResolver>(resolver, clock, loop.get_executor(), CacheLimits{kRoom, 20});
  std::vector<Answer> answers;
};

// AB-140: TTL 0 and 2^31-1 are brought within 5 s and a day.
TEST_F(CachingResolverTest, Answer_IsKeptByItsTtlWithinBounds) {
  resolver.answer = good(77s);
  EXPECT_EQ(kept_for(), 77s);
  clock.advance(48h);
  resolver.answer = good(0s);
  EXPECT_EQ(kept_for(), 5s);
  clock.advance(48h);
  resolver.answer = good(std::chrono::seconds(2147483647));
  EXPECT_EQ(kept_for(), 24h);
}

// AB-140: negative caching.
TEST_F(CachingResolverTest, Denial_IsKeptForFiveMinutesAtMost) {
  resolver.answer = denial(60s);
  EXPECT_EQ(kept_for(), 60s);
  clock.advance(48h);
  resolver.answer = denial(1h);
  EXPECT_EQ(kept_for(), 300s);
  clock.advance(48h);
  resolver.answer = denial(0s);
  EXPECT_EQ(kept_for(), 5s);
}

// AB-140: the end of a signature bounds the cache, also below the shortest TTL.
TEST_F(CachingResolverTest, Signature_EndsTheAnswer) {
  resolver.answer = good(1h);
  resolver.answer.signatures_expire = clock.wall() + 90s;
  EXPECT_EQ(kept_for(), 90s);
  clock.advance(48h);
  resolver.answer.signatures_expire = clock.wall() + 2s;
  EXPECT_EQ(kept_for(), 2s);
  clock.advance(48h);
  resolver.answer.signatures_expire = clock.wall() - 1s;
  ask();
  const int before = asked();
  EXPECT_EQ(ask().ttl, 0s);
  EXPECT_EQ(asked(), before + 1) << "what is past is not kept";
}

TEST_F(CachingResolverTest, WallClockSetForward_EndsSignedAnswers) {
  resolver.answer = good(1h);
  resolver.answer.signatures_expire = clock.wall() + 30min;
  ask();
  clock.wall_time += 31min;
  ask();
  EXPECT_EQ(asked(), 2);
}

TEST_F(CachingResolverTest, CachedAnswer_HasTheTtlThatIsLeft) {
  resolver.answer = good(100s);
  EXPECT_EQ(ask().ttl, 100s);
  clock.advance(40s);
  EXPECT_EQ(ask().ttl, 60s);
  EXPECT_EQ(ask().rdata, resolver.answer.rdata);
  EXPECT_EQ(asked(), 1);
}

// DNS-05: failures 5…30 s, growing; a success begins anew.
TEST_F(CachingResolverTest, Failures_AreKeptLongerStepByStep) {
  for (const Security security : {Security::indeterminate, Security::bogus}) {
    for (const auto expected : {5s, 10s, 20s, 30s, 30s}) {
      resolver.answer = failure(security);
      const Answer fresh = ask();
      EXPECT_EQ(fresh.security, security);
      EXPECT_EQ(fresh.ttl, expected);
      const int before = asked();
      clock.advance(expected - 1s);
      EXPECT_EQ(ask().security, security);
      EXPECT_EQ(asked(), before);
      clock.advance(1s);
    }
    resolver.answer = good(5s);
    EXPECT_EQ(ask().security, Security::secure);
    clock.advance(5s);
  }
}

// AB-227: of what was asked before, a failure is not kept, and an answer is.
TEST_F(CachingResolverTest, FailuresForgotten_AreAskedAnew) {
  resolver.answer = good(60s);
  ask("good.tld");
  resolver.answer = failure(Security::bogus);
  ask("x.tld");
  resolver.held = std::make_unique<ground::Gate<int>>(loop.get_executor());
  start("y.tld");
  turn();
  cache->forget_failures();
  EXPECT_EQ(cache->size(), 1u);
  resolver.held->open(1);
  turn();
  EXPECT_EQ(cache->size(), 1u) << "what was on its way";
  resolver.answer = good(60s);
  EXPECT_EQ(ask("x.tld").security, Security::secure);
  EXPECT_EQ(ask("y.tld").security, Security::secure);
  EXPECT_EQ(asked("good.tld"), 1);
}

TEST_F(CachingResolverTest, FailureLongAgo_BeginsAtTheFirstStep) {
  resolver.answer = failure(Security::bogus);
  EXPECT_EQ(ask().ttl, 5s);
  clock.advance(1h);
  ask("another.tld");  // what is past is swept as others come
  EXPECT_EQ(ask().ttl, 5s);
}

// DNS-05: one question in flight serves all who wait.
TEST_F(CachingResolverTest, HundredsAskTheSame_OneQuestionIsAsked) {
  resolver.answer = good(60s);
  resolver.held = std::make_unique<ground::Gate<int>>(loop.get_executor());
  for (int i = 0; i < 400; ++i) start("x.tld");
  turn();
  EXPECT_EQ(asked(), 1);
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(cache->in_flight(), 1u);
  resolver.held->open(1);
  turn();
  EXPECT_EQ(answers.size(), 400u);
  EXPECT_EQ(asked(), 1);
  EXPECT_EQ(cache->in_flight(), 0u);
  for (const Answer& answer : answers) EXPECT_EQ(answer.security, Security::secure);
}

TEST_F(CachingResolverTest, NameAndTypeTogether_AreTheKey) {
  resolver.answer = good(60s);
  ask("x.tld", RrType::a), ask("x.tld", RrType::aaaa), ask("y.tld", RrType::a), ask("x.tld", RrType::a);
  EXPECT_EQ(asked("x.tld", RrType::a), 1);
  EXPECT_EQ(asked("x.tld", RrType::aaaa), 1);
  EXPECT_EQ(asked("y.tld", RrType::a), 1);
  EXPECT_EQ(cache->size(), 3u);
}

TEST_F(CachingResolverTest, Full_WhatExpiresSoonestGivesWay) {
  resolver.answer = good(1000s);
  for (int i = 0; i < 100; ++i) ask("long" + std::to_string(100 + i) + ".tld");
  const std::size_t full = cache->size();
  EXPECT_GT(full, 40u);
  EXPECT_LT(full, 60u);
  resolver.answer = good(50s);
  ask("short.tld");
  EXPECT_LE(cache->size(), full + 1);
  resolver.answer = good(2000s);
  ask("longest1.tld"), ask("longest2.tld");
  ask("longest1.tld");
  EXPECT_EQ(asked("longest1.tld"), 1);
  ask("short.tld");
  EXPECT_EQ(asked("short.tld"), 2);
}

// AB-226, P7: what is kept is bounded by what the answers hold, whatever their number; each is given to who asked all the same.
TEST_F(CachingResolverTest, LargeAnswers_AreChargedWhatTheyHold) {
  resolver.answer = good(24h);
  resolver.answer.rdata.assign(8, Bytes(1000, 'x'));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(ask("x" + std::to_string(i) + ".tld", RrType::tlsa).rdata.size(), 8u);
    EXPECT_LE(cache->bytes(), kRoom);
  }
  EXPECT_EQ(cache->size(), 4u);
  resolver.answer.rdata.assign(8, Bytes(10'000, 'x'));
  EXPECT_EQ(ask("larger-than-all.tld", RrType::tlsa).rdata.size(), 8u);
  EXPECT_LE(cache->bytes(), kRoom);
  resolver.answer = good(24h);
  for (int i = 0; i < 20; ++i) {  // what is asked again takes its own room
    clock.advance(24h);
    ask("x.tld");
  }
  EXPECT_LT(cache->bytes(), 1000u);
}

// AB-226, AB-135: of thousands of records no more is kept than is used.
TEST_F(CachingResolverTest, LargeSet_IsKeptAsFarAsItIsUsed) {
  resolver.answer = good(24h);
  resolver.answer.rdata.clear();
  for (std::uint8_t i = 0; i < 200; ++i) resolver.answer.rdata.push_back({0, 0, 0, 0, 20, i, 1, 'a', 0});
  EXPECT_EQ(ask("x.tld", RrType::srv).rdata.size(), 16u);
  resolver.answer.rdata.assign(4000, Bytes{127, 0, 0, 1});
  EXPECT_EQ(ask("x.tld", RrType::a).rdata.size(), 16u);
}

TEST_F(CachingResolverTest, ExpiredEntries_AreSweptAsOthersCome) {
  resolver.answer = good(5s);
  for (int i = 0; i < 40; ++i) ask("x" + std::to_string(i) + ".tld");
  clock.advance(1h);
  resolver.answer = good(1000s);
  for (int i = 0; i < 30; ++i) ask("y" + std::to_string(i) + ".tld");
  EXPECT_EQ(cache->size(), 30u);
}

TEST_F(CachingResolverTest, TooManyDifferentQuestions_AreIndeterminateAtOnce) {
  resolver.answer = good(60s);
  resolver.held = std::make_unique<ground::Gate<int>>(loop.get_executor());
  for (int i = 0; i < 25; ++i) start("x" + std::to_string(i) + ".tld");
  turn();
  ASSERT_EQ(answers.size(), 5u);
  for (const Answer& answer : answers) EXPECT_EQ(answer.security, Security::indeterminate);
  resolver.held->open(1);
  turn();
  EXPECT_EQ(answers.size(), 25u);
}

TEST_F(CachingResolverTest, Destroyed_WaitersGetAnIndeterminateAnswer) {
  resolver.answer = good(60s);
  resolver.held = std::make_unique<ground::Gate<int>>(loop.get_executor());
  start("x.tld"), start("x.tld"), start("y.tld");
  turn();
  cache.reset();
  turn();
  ASSERT_EQ(answers.size(), 3u);
  for (const Answer& answer : answers) EXPECT_EQ(answer.security, Security::indeterminate);
  resolver.held->open(1);  // the fetches end without a cache to write to
  turn();
  EXPECT_EQ(answers.size(), 3u);
}

TEST_F(CachingResolverTest, ResolverThatThrows_IsAFailureForAllWhoWait) {
  resolver.throws = true;
  start("x.tld"), start("x.tld");
  turn();
  ASSERT_EQ(answers.size(), 2u);
  for (const Answer& answer : answers) EXPECT_EQ(answer.security, Security::indeterminate);
  EXPECT_NE(answers[0].why.find("out of order"), std::string::npos);
}

}  // namespace
}  // namespace ligase::dns
