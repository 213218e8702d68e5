// Evidence and policy at the moment of use: what was judged, asked or claimed under other rules than today's proves nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/one_gateway.hpp"

namespace ligase::sim {
namespace {

using testing::HasSubstr;

// rem.tld is proven by dialback alone.
class Moment : public OneGateway {
 protected:
  Moment() : OneGateway(78, "rem.tld") {}
  void start_with_authority(config::Policy policy = {}) {
    start({}, std::move(policy));
    start_authority();
  }
  std::string back_at(const std::string& domain) {
    std::string all;
    for (const auto& received : gateway->component(domain).received) all += received.bytes;
    return all;
  }
  std::size_t proven() {
    return static_cast<std::size_t>(std::ranges::count_if(
        gateway->gateway->pairs(), [](const report::PairRow& row) { return row.state == "proven"; }));
  }
};

// AB-211: a proof carries the policy under which it was judged, not the one under which the peer's answer came.
TEST_F(Moment, ReloadWhileThePeerDecides_IsWhatCounts) {
  start_with_authority();
  config::Policy blocks;
  blocks.peers.push_back({{"rem.tld"}, std::nullopt, std::nullopt, std::nullopt, std::nullopt, true});
  unsigned asked = 0;
  authority_server->answer_result = [&](const std::string& from, const std::string& to) {
    ++asked;
    gateway->gateway->set_policy(blocks);
    return "<db:result from='" + to + "' to='" + from + "' type='valid'/>";
  };
  gateway->component("target1.tld").send("<message from='a@target1.tld' to='b@rem.tld' id='m1'/>");
  world.run_for(20s);
  EXPECT_EQ(asked, 1u);
  EXPECT_EQ(proven(), 0u);
  EXPECT_THAT(back_at("target1.tld"), HasSubstr("id='m1'"));
  EXPECT_THAT(back_at("target1.tld"), HasSubstr("forbidden"));
}

// I-14, AB-212: encryption is asked of each claim's own sender, not of whom the header named.
TEST_F(Moment, ClaimInClear_IsRefusedWhereItsSenderNeedsTls) {
  config::Policy policy;
  policy.defaults.encryption = Encryption::preferred;
  policy.peers.push_back({{"rem.tld"}, std::nullopt, Encryption::required, std::nullopt, std::nullopt, false});
  start_with_authority(policy);
  ASSERT_TRUE(stranger.connect(door()));
  stranger.header("other.tld", "target1.tld");
  ASSERT_TRUE(stranger.wait_for("</stream:features>"));
  stranger.say("<db:result from='rem.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.wait_for("type='error'"));
  EXPECT_THAT(stranger.received, HasSubstr("policy-violation"));
  EXPECT_EQ(authority_server->questions, 0u);
  EXPECT_EQ(proven(), 0u);
}

// I-14, AB-245: what a reload demands while a claim is decided is asked of that claim too.
TEST_F(Moment, ReloadDemandsTlsWhileAClaimInClearIsDecided_ItIsRefused) {
  config::Policy policy;
  policy.defaults.encryption = Encryption::preferred;
  start_with_authority(policy);
  world.weather.dns_takes = 3s;
  ASSERT_TRUE(stranger.connect(door()));
  stranger.header("rem.tld", "target1.tld");
  ASSERT_TRUE(stranger.wait_for("</stream:features>"));
  stranger.say("<db:result from='rem.tld' to='target1.tld'>key</db:result>");
  world.run_for(1s);
  policy.defaults.encryption = Encryption::required;
  gateway->gateway->set_policy(policy);
  world.run_for(20s);
  EXPECT_EQ(proven(), 0u);
  EXPECT_THAT(stranger.received, HasSubstr("policy-violation"));
  EXPECT_FALSE(stranger.has("type='valid'"));
}

// AB-246, AB-161: what is thrown costs the procedure in which it was thrown, and nothing waits for it ever after.
class Broken : public Moment {
 protected:
  Broken() {
    dns = [this](const std::string& name, proof::RrType type) {
      if (left > 0 && name == "_xmpp-server._tcp.rem.tld" && left-- > 0) throw std::bad_alloc();
      const auto found = world.records.find({name, type});
      if (found != world.records.end()) return found->second;
      proof::Answer none;
      none.security = proof::Security::insecure;
      return none;
    };
  }
  unsigned left = 0;  // questions that throw
};
TEST_F(Broken, Claim_IsAnsweredAndMayBeMadeAgain) {
  start_with_authority();
  ASSERT_TRUE(stranger.negotiate(door(), "other.tld", "target1.tld"));
  left = 2;
  stranger.say(
      "<db:result from='rem.tld' to='target1.tld'>k1</db:result><db:result from='rem.tld' "
      "to='target2.tld'>k2</db:result>");
  world.run_for(5s);
  EXPECT_EQ(stranger.count("type='error'"), 2u) << stranger.received;
  left = 0;  // they may have shared one question
  stranger.say("<db:result from='rem.tld' to='target1.tld'>k1</db:result>");
  EXPECT_TRUE(stranger.wait_for("type='valid'")) << stranger.received;
}
TEST_F(Broken, SetUp_IsAnsweredAndMayBeTriedAgain) {
  start_with_authority();
  authority_server->answer_result = [](const std::string& from, const std::string& to) {
    return "<db:result from='" + to + "' to='" + from + "' type='valid'/>";
  };
  left = 1;
  gateway->component("target1.tld").send("<message from='a@target1.tld' to='b@rem.tld' id='m1'/>");
  world.run_for(5s);
  EXPECT_THAT(back_at("target1.tld"), HasSubstr("id='m1'"));
  world.run_for(120s);
  gateway->component("target1.tld").send("<message from='a@target1.tld' to='b@rem.tld' id='m2'/>");
  world.run_for(20s);
  EXPECT_EQ(proven(), 1u);
}

// AB-162, AB-262: a clock that is set back keeps no refusal fresh: what DNS says by then counts.
TEST_F(Moment, ClockIsSetBackAfterARefusal_TheSenderIsJudgedAnew) {
  static const auto chain = chain_for("mx.rem.tld");
  world.chains[*Address::parse("198.51.100.7")] = chain;
  start();
  ASSERT_TRUE(stranger.negotiate(door(), "rem.tld", "target1.tld"));
  const std::string claim = "<db:result from='rem.tld' to='target1.tld'>key</db:result>";
  stranger.say(claim);
  ASSERT_TRUE(stranger.wait_for("type='error'"));
  world.wall_offset -= 600s;
  world.records.clear();
  world.add_srv("rem.tld", "mx.rem.tld", 5269, proof::Security::secure);
  world.add_address("mx.rem.tld", "198.51.100.8");
  stranger.say(claim);
  EXPECT_TRUE(stranger.wait_for("type='valid'"));
}

// DB-05, AB-213: an invalid key ends no stream on which others are still judged.
TEST_F(Moment, InvalidForOneClaim_LeavesTheOthers) {
  start_with_authority();
  authority_server->answer = [](const std::string& from, const std::string& to, const std::string& id) {
    return verify_answer(from, to, id, from == "target1.tld" || to == "target1.tld" ? "invalid" : "valid");
  };
  ASSERT_TRUE(stranger.negotiate(door(), "rem.tld", "target1.tld"));
  stranger.say(
      "<db:result from='rem.tld' to='target1.tld'>k1</db:result><db:result from='rem.tld' "
      "to='target2.tld'>k2</db:result>");
  EXPECT_TRUE(stranger.wait_for("type='invalid'"));
  EXPECT_TRUE(stranger.wait_for("type='valid'"));
  EXPECT_FALSE(stranger.is_closed);
}

}  // namespace
}  // namespace ligase::sim
