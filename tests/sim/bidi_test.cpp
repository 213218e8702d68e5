// One stream for both directions (XEP-0288): the inverse of what is proven, further pairs in reverse, and crossed connects.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/lab.hpp"
#include "sim/one_gateway.hpp"

namespace ligase::sim {
namespace {

using ::testing::HasSubstr;

class BothWays : public testing::TestWithParam<ProofType> {
 protected:
  BothWays() : world(7), lab(world, 3, 3, {GetParam()}, {}, {}) {}

  void say(Provider& from, const std::string& sender, const std::string& target, int number = 0) {
    from.component(sender).send(
        fmt::format("<message from='x@{}' to='y@{}' id='{}-{}-{}'/>", sender, target, sender, target, number));
  }
  bool arrive(std::size_t count) {
    return world.run_until([&] { return lab.arrived() == count; }, 30s);
  }
  // Of both directions; each connection has two ends.
  std::size_t open_streams() const {
    return lab.one->gateway->status().streams_out + lab.two->gateway->status().streams_out;
  }

  World world;
  Lab lab;
};

// BIDI-06: the answer takes the stream by which the question came.
TEST_P(BothWays, AnswerGoesBackOnTheSameStream) {
  say(*lab.one, "sender1.tld", "target1.tld");
  ASSERT_TRUE(arrive(1));
  world.run_for(15s);  // an authority's connection is over by then
  const std::size_t connections = world.connections_made;
  say(*lab.two, "target1.tld", "sender1.tld");
  ASSERT_TRUE(arrive(2));
  EXPECT_EQ(world.connections_made, connections);
  EXPECT_EQ(open_streams(), 1u);
  EXPECT_EQ(lab.one->gateway->status().pairs, 2u);
  EXPECT_EQ(lab.two->gateway->status().pairs, 2u);
  EXPECT_TRUE(lab.one->gateway->streams()[0].bidi);
}

// AB-254, P5: an operator closes what stands behind an inverse. The peer, which is told nothing, goes on to use it: it is answered,
// and comes again with what can be proven.
TEST_P(BothWays, InverseIsProvenNoMore_ItsPeerIsAnsweredAndComesAgain) {
  say(*lab.one, "sender1.tld", "target1.tld");
  ASSERT_TRUE(arrive(1));
  say(*lab.two, "target2.tld", "sender1.tld");
  ASSERT_TRUE(arrive(2));
  say(*lab.one, "sender1.tld", "target2.tld");
  ASSERT_TRUE(arrive(3));
  const auto domain = [](const char* name) { return *Domain::parse(name); };
  ASSERT_TRUE(lab.two->gateway->close_pair(domain("target1.tld"), domain("sender1.tld")));
  ASSERT_TRUE(lab.two->gateway->close_pair(domain("target2.tld"), domain("sender1.tld")));
  say(*lab.one, "sender1.tld", "target2.tld", 1);
  EXPECT_TRUE(arrive(4)) << "delivered, or answered";
  world.run_for(10s);
  say(*lab.one, "sender1.tld", "target2.tld", 2);
  say(*lab.one, "sender1.tld", "target1.tld", 2);
  EXPECT_TRUE(world.run_until(
      [&] {
        const auto came = [&](const char* to) {
          const auto& received = lab.two->component(to).received;
          return !received.empty() && received.back().id == fmt::format("sender1.tld-{}-2", to);
        };
        return came("target1.tld") && came("target2.tld");
      },
      30s));
}

// T-6, BIDI-03: a further pair is claimed in reverse, and proven by itself.
TEST_P(BothWays, FurtherPairsInReverse_AreClaimedAndShareTheStream) {
  say(*lab.one, "sender1.tld", "target1.tld");
  ASSERT_TRUE(arrive(1));
  say(*lab.two, "target2.tld", "sender1.tld");
  say(*lab.two, "target2.tld", "sender2.tld");
  say(*lab.two, "target3.tld", "sender3.tld");
  ASSERT_TRUE(arrive(4));
  say(*lab.one, "sender3.tld", "target3.tld");  // the inverse of what was claimed in reverse
  ASSERT_TRUE(arrive(5));
  world.run_for(15s);
  // By dialback alone it is only for sender1.tld that the stream was vouched for: the others are reached by one to their host.
  const std::size_t expected = GetParam() == ProofType::dialback ? 2 : 1;
  EXPECT_EQ(open_streams(), expected);
  lab.check_order_and_uniqueness();
}

// MUX-10: both opened one at the same moment, and one is left.
TEST_P(BothWays, CrossedConnects_EndInOneStream) {
  for (int i = 0; i < 10; ++i)
    for (const std::string& sender : lab.sender_names)
      for (const std::string& target : lab.target_names) {
        say(*lab.one, sender, target, i);
        say(*lab.two, target, sender, i);
      }
  ASSERT_TRUE(arrive(180)) << lab.arrived();
  lab.check_order_and_uniqueness();
  world.run_for(20s);
  EXPECT_EQ(open_streams(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Proofs, BothWays, testing::Values(ProofType::dane, ProofType::dnssec, ProofType::dialback),
                         [](const auto& info) { return std::string(proof::name_of(info.param)); });

// BIDI-03, AB-094: the policy ends a pair, and with it its inverse: neither way passes, on the stream that both had.
TEST_P(BothWays, PairThatIsBlocked_StopsInBothWays) {
  say(*lab.one, "sender1.tld", "target1.tld");
  say(*lab.one, "sender1.tld", "target2.tld");
  ASSERT_TRUE(arrive(2));
  say(*lab.two, "target1.tld", "sender1.tld");
  ASSERT_TRUE(arrive(3));
  config::Policy policy;
  policy.peers.push_back(
      {.patterns = {"target1.tld"}, .proofs = {}, .encryption = {}, .multiplex = {}, .bidi = {}, .block = true});
  lab.one->gateway->set_policy(policy);
  say(*lab.two, "target1.tld", "sender1.tld", 1);
  say(*lab.two, "target2.tld", "sender1.tld", 1);
  const auto& received = lab.one->component("sender1.tld").received;
  ASSERT_TRUE(world.run_until([&] { return received.size() == 2; }, 30s));
  world.run_for(30s);
  ASSERT_EQ(received.size(), 2u) << "of target1.tld nothing passes";
  EXPECT_EQ(received[1].from, "x@target2.tld");
}

// What a stranger makes of it.
class Reverse : public OneGateway {
 protected:
  static constexpr const char* kBidi = "<bidi xmlns='urn:xmpp:bidi'/>";
  static constexpr const char* kWide =
      "<bidi xmlns='urn:xmpp:bidi'><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></bidi>";
  static constexpr const char* kClaim = "<db:result from='evil.tld' to='target1.tld'>key</db:result>";

  Reverse() : OneGateway(78, "evil.tld") {}
  void open(const char* bidi) {
    start();
    start_authority();
    ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
    EXPECT_TRUE(stranger.has("<bidi xmlns='urn:xmpp:features:bidi'/>"));
    stranger.say(bidi);
  }
  void say(const std::string& local, const std::string& remote) {
    gateway->component(local).send(fmt::format("<message from='b@{}' to='m@{}' id='r'/>", local, remote));
  }
};

// BIDI-02, AB-094
TEST_F(Reverse, BeforeProof_NothingGoesBack) {
  open(kBidi);
  say("target1.tld", "evil.tld");
  world.run_for(10s);
  EXPECT_FALSE(stranger.has("<message"));
  EXPECT_FALSE(stranger.has("<db:result"));
}

// BIDI-03: of who did not say that he answers claims, the inverse of his own alone goes back.
TEST_F(Reverse, AfterProof_TheInverseAlone) {
  open(kBidi);
  stranger.say(kClaim);
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  const std::size_t connections = world.connections_made;
  say("target1.tld", "evil.tld");
  ASSERT_TRUE(stranger.wait_for("<message from='b@target1.tld'"));
  EXPECT_EQ(world.connections_made, connections);
  say("target2.tld", "evil.tld");
  world.run_for(5s);
  EXPECT_FALSE(stranger.has("b@target2.tld"));
  EXPECT_FALSE(stranger.has("<db:result from='target2.tld'"));
}

// AB-274, AB-195: whose stream it is, is looked up at the stranger's word as well: ten questions more, and no more bytes than it sent.
TEST_F(Reverse, ProvenOneOfManyTargets_MakesUsAskAsMuchAsAClaimDoes) {
  start();
  world.add_srv("many.tld", "t0.many.tld", 5269, proof::Security::secure);
  for (int i = 0; i < 16; ++i) {
    if (i > 0) world.add_srv_target("many.tld", fmt::format("t{}.many.tld", i), 5269, 0);
    world.add_address(fmt::format("t{}.many.tld", i), "198.51.100.8");
  }
  start_authority();
  ASSERT_TRUE(stranger.negotiate(door(), "many.tld", "target1.tld"));
  stranger.say(kWide);
  const std::size_t before = gateway->questions();
  stranger.say("<db:result from='many.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  const std::size_t by_claim = gateway->questions();
  world.run_for(20s);
  EXPECT_LE(by_claim, before + 10);
  EXPECT_GT(gateway->questions(), by_claim);
  EXPECT_LE(gateway->questions(), by_claim + 10);
}

// Who asked for nothing gets nothing, though it is proven.
TEST_F(Reverse, WithoutBidi_NothingGoesBack) {
  open("");
  stranger.say(kClaim);
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  say("target1.tld", "evil.tld");
  world.run_for(5s);
  EXPECT_FALSE(stranger.has("<message"));
}

// AB-095, AB-073: an answer to nothing, for others, in the middle of a claim of ours.
TEST_F(Reverse, AnswersThatNobodyAskedFor_ProveNothing) {
  open(kWide);
  stranger.say(kClaim);
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  for (const char* local : {"target1.tld", "target2.tld"})
    for (const char* remote : {"evil.tld", "bank.tld"})
      stranger.say(fmt::format("<db:result from='{}' to='{}' type='valid'/>", remote, local));
  world.run_for(1s);
  EXPECT_GE(gateway->log.count("dropped"), 4u);
  say("target2.tld", "bank.tld");
  world.run_for(5s);
  EXPECT_FALSE(stranger.has("b@target2.tld"));
}

// AB-094: proven for itself, it is no way to others, whatever it calls itself.
TEST_F(Reverse, ProvenForOneDomain_IsNoWayToAnother) {
  open(kWide);
  world.add_srv("bank.tld", "mx.evil.tld", 5269, Security::insecure);  // even where DNS leads to the same host
  stranger.say(kClaim);
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  say("target1.tld", "bank.tld");
  world.run_for(10s);
  EXPECT_FALSE(stranger.has("m@bank.tld")) << stranger.received;
}

// AB-270, P1: a domain of a stranger's may name anybody's host in its SRV records. That makes its streams no way to whom that host
// serves, whatever the stranger answers, and no reason to close the stream that leads there.
class ReverseAtAnothersHost : public Reverse, public testing::WithParamInterface<bool> {};
TEST_P(ReverseAtAnothersHost, IsNotThatHost) {
  world.chains[*Address::parse("198.51.100.7")] = chain_for("evil.tld");
  start();
  start_authority();  // mx.evil.tld: somebody else's host, which serves bank.tld
  authority_server->features += "<bidi xmlns='urn:xmpp:features:bidi'/>";
  authority_server->answer_result = [](const std::string& from, const std::string& to) {
    return fmt::format("<db:result from='{1}' to='{0}' type='valid'/>", from, to);
  };
  world.add_srv("bank.tld", "mx.evil.tld", 5269, Security::insecure);
  const bool is_reached_before = GetParam();
  if (is_reached_before) {
    say("target2.tld", "bank.tld");
    world.run_for(5s);
    ASSERT_EQ(gateway->gateway->status().streams_out, 1u);
  }
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.say(kWide);
  stranger.say(kClaim);
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  world.run_for(5s);
  for (const char* local : {"target1.tld", "target2.tld"}) {
    stranger.say(fmt::format("<db:result from='bank.tld' to='{}' type='valid'/>", local));
    say(local, "bank.tld");
    for (int i = 0; i < 50; ++i) {
      world.run_for(100ms);
      stranger.say(fmt::format("<db:result from='bank.tld' to='{}' type='valid'/>", local));
    }
  }
  EXPECT_FALSE(stranger.has("bank.tld")) << stranger.received;
  EXPECT_EQ(gateway->gateway->status().streams_out, 1u);
  EXPECT_EQ(gateway->log.count("stream_closed"), 0u);
}
INSTANTIATE_TEST_SUITE_P(Before, ReverseAtAnothersHost, testing::Bool(),
                         [](const auto& info) { return info.param ? "reached" : "not_reached"; });

// A server that offers bidi, and speaks for others than it was reached for.
class Server : public Reverse {
 protected:
  void reach() {
    start();
    start_authority();
    authority_server->features += "<bidi xmlns='urn:xmpp:features:bidi'/>";
  }
  const std::vector<Received>& received() { return gateway->component("target1.tld").received; }
};

// BIDI-03, MUX-09: right behind its `valid`, before we have seen to it.
TEST_F(Server, StanzaRightBehindItsAnswer_IsDelivered) {
  reach();
  authority_server->answer_result = [](const std::string& from, const std::string& to) {
    return fmt::format("<db:result from='{1}' to='{0}' type='valid'/><message from='m@{1}' to='b@{0}' id='early'/>",
                       from, to);
  };
  say("target1.tld", "evil.tld");
  ASSERT_TRUE(world.run_until([&] { return !received().empty(); }, 30s));
  EXPECT_EQ(received()[0].id, "early");
}

// AB-094: what is no inverse costs itself; the stream, and the pair that lives on it, go on.
TEST_F(Server, StanzaOfAnother_IsDroppedAndTheStreamLives) {
  reach();
  authority_server->answer_result = [](const std::string& from, const std::string& to) {
    return fmt::format(
        "<message from='m@{1}' to='b@target2.tld' id='a'/><db:result from='{1}' to='{0}' type='valid'/>"
        "<message from='m@bank.tld' to='b@{0}' id='b'/><message from='m@{1}' to='b@target2.tld' id='c'/>"
        "<message from='m@{1}' to='b@nowhere.tld' id='d'/><message from='m@{1}' to='b@{0}' id='good'/>",
        from, to);
  };
  say("target1.tld", "evil.tld");
  ASSERT_TRUE(world.run_until([&] { return !received().empty(); }, 30s));
  world.run_for(30s);
  ASSERT_EQ(received().size(), 1u);
  EXPECT_EQ(received()[0].id, "good");
  EXPECT_TRUE(gateway->component("target2.tld").received.empty());
  EXPECT_EQ(gateway->gateway->status().streams_out, 1u);
  EXPECT_EQ(gateway->log.count("dropped"), 4u);
}

// BIDI-03: refused, it may not speak either, whatever it says meanwhile.
TEST_F(Server, OurClaimIsRefused_NothingOfItsIsDelivered) {
  reach();
  authority_server->answer_result = [](const std::string& from, const std::string& to) {
    return fmt::format("<message from='m@{1}' to='b@{0}' id='early'/><db:result from='{1}' to='{0}' type='invalid'/>",
                       from, to);
  };
  say("target1.tld", "evil.tld");
  ASSERT_TRUE(world.run_until([&] { return !received().empty(); }, 60s));
  world.run_for(30s);
  ASSERT_EQ(received().size(), 1u);
  EXPECT_EQ(received()[0].type, "error");
}

}  // namespace
}  // namespace ligase::sim
