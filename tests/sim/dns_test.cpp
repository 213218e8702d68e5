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

}  // namespace
}  // namespace ligase::sim
