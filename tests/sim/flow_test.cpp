// Flow control per pair (docs/specs/flow.md): between gateways that know it, and with a stranger who makes of it what he likes.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pair/credit.hpp"
#include "sim/bursts.hpp"
#include "sim/one_gateway.hpp"

namespace ligase::sim {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kWindow = 16 * 1024;
constexpr std::size_t kBody = 4000;

config::Limits with_window(std::uint64_t bytes) {
  config::Limits limits;
  limits.window_per_pair = bytes;
  return limits;
}

// Each direction by a stream of its own, and both on one.
class Flow : public testing::TestWithParam<bool> {
 protected:
  void start(unsigned senders, unsigned targets, config::Limits limits = with_window(kWindow)) {
    world.emplace(311);
    world->check_every = 1;
    config::Policy policy;
    policy.defaults.may_bidi = GetParam();
    lab.emplace(*world, senders, targets, std::vector{ProofType::dnssec}, limits, policy);
    lab->send_all(1);
    ASSERT_TRUE(world->run_until([&] { return lab->arrived() == 2u * senders * targets; }, 30s));
  }
  void burst(Provider& by, const std::string& from, const std::string& to, int first, int count) {
    for (int n = first; n < first + count; ++n) by.component(from).send(message(from, to, n, kBody));
  }
  static std::uint64_t queued(const Provider& gateway, const std::string& domain) {
    for (const report::LinkRow& row : gateway.gateway->links())
      if (row.id == "component:" + domain) return row.queued_bytes;
    return 0;
  }
  static std::uint64_t queued(const Provider& gateway, const std::string& local, const std::string& remote) {
    for (const report::PairRow& row : gateway.gateway->pairs())
      if (row.local == local && row.remote == remote && row.direction == "out") return row.queued;
    return 0;
  }
  std::size_t received(Provider& at, const std::string& domain) { return at.component(domain).received.size(); }

  std::optional<World> world;
  std::optional<Lab> lab;
};

// FLOW-02, FLOW-03: a domain that takes nothing holds what its window lets come, and no more; the rest waits where it was sent,
// for that pair alone; nobody else notices, and nothing is lost.
TEST_P(Flow, DomainThatTakesNothing_HoldsUpItsOwnPairAlone) {
  config::Limits limits = with_window(kWindow);
  limits.queue_per_pair = limits.queue_per_peer = 64u << 20;
  start(2, 2, limits);
  Component& deaf = lab->two->component("target1.tld");
  deaf.stop_reading();
  burst(*lab->one, "sender1.tld", "target1.tld", 1, 1000);
  burst(*lab->one, "sender2.tld", "target1.tld", 1, 1000);
  world->run_for(5s);
  EXPECT_LE(queued(*lab->two, "target1.tld"), seams::kHighMark + 2 * (pair::kMostGrown + kBody) * 11 / 10)
      << "a tenth for what a kept stanza costs beside its bytes";
  EXPECT_GT(queued(*lab->one, "sender1.tld", "target1.tld"), 500u);
  for (const report::PairRow& row : lab->one->gateway->pairs())
    if (row.remote == "target1.tld" && row.direction == "out") {
      EXPECT_EQ(row.waits_for, "credit");
    }
  EXPECT_TRUE(lab->one->gateway->streams()[0].flow);
  const Instant before = world->now();
  burst(*lab->one, "sender1.tld", "target2.tld", 1, 100);
  burst(*lab->two, "target2.tld", "sender1.tld", 1, 100);
  ASSERT_TRUE(world->run_until(
      [&] { return received(*lab->two, "target2.tld") == 102 && received(*lab->one, "sender1.tld") == 102; }, 30s));
  EXPECT_LT(world->now() - before, 2s);
  deaf.go_on_reading();
  EXPECT_TRUE(world->run_until([&] { return received(*lab->two, "target1.tld") == 2002; }, 60s))
      << received(*lab->two, "target1.tld");
  lab->check_order_and_uniqueness();
  EXPECT_EQ(received(*lab->one, "sender2.tld"), 2u) << "nothing was answered";
}

// FLOW-02: what waits for credit is old after a while like anything else, and answered then; the pair goes on.
TEST_P(Flow, WhatWaitsForCreditTooLong_IsAnswered) {
  start(1, 1);
  lab->two->component("target1.tld").stop_reading();
  burst(*lab->one, "sender1.tld", "target1.tld", 1, 250);
  world->run_for(90s);
  EXPECT_EQ(queued(*lab->one, "sender1.tld", "target1.tld"), 0u);
  EXPECT_GT(received(*lab->one, "sender1.tld"), 50u);
  lab->two->component("target1.tld").go_on_reading();
  world->run_for(10s);
  EXPECT_EQ(received(*lab->one, "sender1.tld") - 1 + received(*lab->two, "target1.tld") - 1, 250u);
  burst(*lab->one, "sender1.tld", "target1.tld", 251, 20);
  EXPECT_TRUE(world->run_until(
      [&] { return received(*lab->one, "sender1.tld") - 1 + received(*lab->two, "target1.tld") - 1 == 270u; }, 10s));
  lab->check_order_and_uniqueness();
}

// FLOW-02: stanzas larger than the window pass, one at a time.
TEST_P(Flow, StanzasLargerThanTheWindow_Pass) {
  start(1, 1, with_window(4 * 1024));
  for (int n = 1; n <= 10; ++n)
    lab->one->component("sender1.tld").send(message("sender1.tld", "target1.tld", n, 100'000));
  EXPECT_TRUE(world->run_until([&] { return received(*lab->two, "target1.tld") == 11; }, 60s));
  lab->check_order_and_uniqueness();
}

// FLOW-01: one that does not offer it, or does not want it, gets and gives no credit.
TEST_P(Flow, NotUsedWhereOneSideDoesNot) {
  world.emplace(312);
  config::Policy policy;
  policy.defaults.may_bidi = GetParam();
  lab.emplace(*world, 1, 1, std::vector{ProofType::dnssec}, with_window(0), policy);
  lab->one.emplace(*world, ProviderSpec{"xmpp1.originating.tld", "192.0.2.1", lab->sender_names, identities().one,
                                        identities().anchors, policy, with_window(kWindow)});
  burst(*lab->one, "sender1.tld", "target1.tld", 1, 100);
  burst(*lab->two, "target1.tld", "sender1.tld", 1, 100);
  EXPECT_TRUE(world->run_until([&] { return lab->arrived() == 200; }, 30s));
  for (const Provider* gateway : {&*lab->one, &*lab->two}) EXPECT_EQ(gateway->log.count("dropped"), 0u);
}
INSTANTIATE_TEST_SUITE_P(Streams, Flow, testing::Bool(),
                         [](const auto& info) { return info.param ? "both_ways" : "one_way"; });

// A stranger at the door, proven for evil.tld by its authority.
class FlowOfAStranger : public OneGateway {
 protected:
  static constexpr const char* kClaim = "<db:result from='evil.tld' to='target1.tld'>key</db:result>";

  FlowOfAStranger() : OneGateway(313, "evil.tld") {}
  static std::string enable(std::uint64_t window) {
    return fmt::format("<enable xmlns='urn:xmpp:ligase:flow:0' window='{}'/>", window);
  }
  static std::string credit(const std::string& bytes, const std::string& from = "evil.tld",
                            const std::string& to = "target1.tld") {
    return fmt::format("<credit xmlns='urn:xmpp:ligase:flow:0' from='{}' to='{}' bytes='{}'/>", from, to, bytes);
  }
  void open(const std::string& says) {
    start(with_window(kWindow));
    start_authority();
    ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
    EXPECT_TRUE(stranger.has("<flow xmlns='urn:xmpp:ligase:flow:0' window='16384'/>"));
    stranger.say(says);
    stranger.say(kClaim);
    ASSERT_TRUE(stranger.wait_for("type='valid'"));
  }
  void open_both_ways(std::uint64_t window) { open("<bidi xmlns='urn:xmpp:bidi'/>" + enable(window)); }
  std::string to_us(int number, std::size_t size = kBody) { return message("evil.tld", "target1.tld", number, size); }
  void to_stranger(int first, int count) {
    for (int n = first; n < first + count; ++n)
      gateway->component("target1.tld").send(message("target1.tld", "evil.tld", n, kBody));
  }
  std::vector<Received>& received() { return gateway->component("target1.tld").received; }
};

// FLOW-03: more than there was credit for ends the stream; what came before it is kept for its receiver.
TEST_F(FlowOfAStranger, SendsWithoutCredit_ItsStreamEnds) {
  open(enable(kWindow));
  gateway->component("target1.tld").stop_reading();
  int sent = 0;
  while (!stranger.has("policy-violation") && sent < 1000) {
    stranger.say(to_us(++sent));
    world.run_for(50ms);
  }
  EXPECT_LT(sent, 200) << "a link's high mark, its socket, and a window";
  EXPECT_THAT(stranger.received, HasSubstr("there was no credit"));
  gateway->component("target1.tld").go_on_reading();
  world.run_for(30s);
  EXPECT_LT(received().size(), static_cast<std::size_t>(sent));
  EXPECT_GT(received().size() + 5, static_cast<std::size_t>(sent)) << "but for what came after it";
}

// FLOW-03: credit is given as the receiver takes, half a window at a time; and to a pair that has been quiet, all the rest.
TEST_F(FlowOfAStranger, CreditIsGivenForWhatIsTaken_AndAllOfItAfterAWhile) {
  open(enable(kWindow));
  const std::string one = to_us(1, 1000);
  const std::size_t until_half = (kWindow / 2 + one.size() - 1) / one.size();
  for (std::size_t n = 0; n + 1 < until_half; ++n) stranger.say(one);
  world.run_for(5s);
  EXPECT_FALSE(stranger.has("<credit"));
  stranger.say(one);
  EXPECT_TRUE(stranger.wait_for(fmt::format("from='target1.tld' to='evil.tld' bytes='{}'/>", until_half * one.size())));
  stranger.say(one);
  world.run_for(20s);
  EXPECT_EQ(stranger.count("<credit"), 1u);
  world.run_for(15s);
  EXPECT_THAT(stranger.received, HasSubstr(fmt::format("bytes='{}'/>", one.size())));
  world.run_for(120s);
  EXPECT_EQ(stranger.count("<credit"), 2u);
}

// FLOW-03: what may not pass is taken as well.
TEST_F(FlowOfAStranger, StanzasThatAreRefused_GiveCreditBack) {
  open(enable(kWindow));
  for (int n = 0; n < 100; ++n) {
    stranger.say(message("evil.tld", "target2.tld", n, kBody));  // not proven for this target
    world.run_for(100ms);
  }
  EXPECT_FALSE(stranger.is_closed);
  EXPECT_GE(stranger.count("<credit"), 5u);
}

// FLOW-02: it gets its window, and then what it gives credit for.
TEST_F(FlowOfAStranger, GetsWhatItGaveCreditFor) {
  open_both_ways(4096);
  const std::size_t each = message("target1.tld", "evil.tld", 1, kBody).size();
  to_stranger(1, 50);
  world.run_for(5s);
  const std::size_t first = stranger.count("<message");
  EXPECT_EQ(first, 4096 / each + 1);
  stranger.say(credit("1"));
  world.run_for(1s);
  EXPECT_EQ(stranger.count("<message"), first) << "still nothing left";
  stranger.say(credit(std::to_string(3 * each)));
  world.run_for(1s);
  EXPECT_GE(stranger.count("<message"), first + 2);
  EXPECT_LE(stranger.count("<message"), first + 3);
  stranger.say(credit("1000000"));
  world.run_for(1s);
  EXPECT_EQ(stranger.count("<message"), 50u);
}

// FLOW-04, AB-255: credit of an impossible number, or of more than there can be.
class ImpossibleCredit : public FlowOfAStranger, public testing::WithParamInterface<const char*> {};
TEST_P(ImpossibleCredit, EndsTheStream) {
  open_both_ways(16 * 1024);
  to_stranger(1, 1);
  ASSERT_TRUE(stranger.wait_for("<message"));
  stranger.say(credit(GetParam()));
  EXPECT_TRUE(stranger.wait_for("policy-violation", 5s)) << stranger.received;
}
INSTANTIATE_TEST_SUITE_P(Bytes, ImpossibleCredit,
                         testing::Values("0", "-1", "+1", "1e3", "", " 5", "2147483648", "18446744073709551617",
                                         "2147483647"));

// FLOW-04, AB-256: credit for a pair that there is not costs a little, and a flood of it the stream.
TEST_F(FlowOfAStranger, CreditForNobody_IsDropped_AFloodOfItEndsTheStream) {
  open_both_ways(4096);
  stranger.say(credit("1000", "evil.tld", "target2.tld") + credit("1000", "bank.tld", "target1.tld"));
  world.run_for(1s);
  EXPECT_FALSE(stranger.is_closed);
  EXPECT_EQ(gateway->log.count("dropped"), 2u);
  for (int n = 0; n < 1000 && !stranger.has("policy-violation"); ++n) {
    stranger.say(credit("1000", "bank.tld", "target1.tld"));
    world.run_for(10ms);
  }
  EXPECT_TRUE(stranger.wait_for("policy-violation", 5s));
}

// FLOW-01, AB-257: asked for in vain: before TLS, with an impossible window, twice, or after a domain is proven.
TEST_F(FlowOfAStranger, EnabledInClear_IsRefused) {
  start(with_window(kWindow));
  ASSERT_TRUE(stranger.connect(door()));
  stranger.header("evil.tld", "target1.tld");
  ASSERT_TRUE(stranger.wait_for("<starttls"));
  EXPECT_FALSE(stranger.has("urn:xmpp:ligase:flow:0"));
  stranger.say(enable(kWindow));
  EXPECT_TRUE(stranger.wait_for("policy-violation"));
}
TEST_F(FlowOfAStranger, EnabledWithAnImpossibleWindow_EndsTheStream) {
  start(with_window(kWindow));
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.say(enable(4095));
  EXPECT_TRUE(stranger.wait_for("policy-violation"));
}
TEST_F(FlowOfAStranger, EnabledAfterProof_ChangesNothing) {
  open("");
  stranger.say(enable(kWindow) + credit("1000"));
  for (int n = 0; n < 100; ++n) stranger.say(to_us(n));
  EXPECT_TRUE(world.run_until([&] { return received().size() == 100; }, 30s));
  EXPECT_FALSE(stranger.has("<credit"));
  EXPECT_EQ(gateway->log.count("dropped"), 2u);
}

}  // namespace
}  // namespace ligase::sim
