// What a gateway does when DNS cannot be asked, or only by some.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/one_gateway.hpp"

namespace ligase::sim {
namespace {

using proof::Security;

class DnsOfOneGateway : public OneGateway {
 protected:
  DnsOfOneGateway() : OneGateway(227, "evil.tld") {}
  Component& component() { return gateway->component("target1.tld"); }
  void send(const std::string& to) {
    component().send(fmt::format("<message from='b@target1.tld' to='a@{}' id='1'/>", to));
  }
};

// AB-227: a pair that was refused for want of DNS rests, but not longer than the resolver is away.
TEST_F(DnsOfOneGateway, PairRefusedForDns_IsTriedAtOnceWhenItIsBack) {
  start();
  start_authority();
  world.add_srv("late.tld", "mx.evil.tld", 5269, Security::bogus);
  send("late.tld");
  ASSERT_TRUE(world.run_until([&] { return component().received.size() == 1; }, 10s));
  world.add_srv("late.tld", "mx.evil.tld", 5269, Security::insecure);
  world.run_for(6s);
  const std::size_t made = world.connections_made;
  send("late.tld");
  ASSERT_TRUE(world.run_until([&] { return component().received.size() == 2; }, 1s)) << "it rests";
  gateway->gateway->dns_is_back();
  send("late.tld");
  EXPECT_TRUE(world.run_until([&] { return world.connections_made > made; }, 5s));
}

// AB-228: a stranger's claims wait for slow zones; nobody else does, and another claimant has its turn.
TEST_F(DnsOfOneGateway, StrangersSlowClaims_LeaveRoomForOurOwnAndOthers) {
  start();
  RawPeer other(world, "198.51.100.30");
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  ASSERT_TRUE(other.negotiate(door(), "other.tld", "target1.tld"));
  world.weather.dns_takes = 4s;
  const std::size_t before = gateway->questions();
  for (int i = 0; i < 300; ++i)
    stranger.say(fmt::format("<db:result from='s{}.slow.tld' to='target1.tld'>k</db:result>", i));
  world.run_for(1s);
  EXPECT_EQ(gateway->questions() - before, 64u);
  other.say("<db:result from='o1.tld' to='target1.tld'>k</db:result>");
  send("ours.tld");
  world.run_for(1s);
  EXPECT_EQ(gateway->questions() - before, 64u + 2u + 1u) << "two for the other's claim, one for our own pair";
}

}  // namespace
}  // namespace ligase::sim
