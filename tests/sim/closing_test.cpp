// A stream that we close while its peer still sends: what is on its way is delivered.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "sim/one_gateway.hpp"

namespace ligase::sim {
namespace {

using testing::HasSubstr;

class Closing : public OneGateway {
 protected:
  Closing() : OneGateway(261, "rem.tld") {}
  // The stranger's stream, proven by dialback, and a stanza that has come by it.
  void prove() {
    start();
    start_authority();
    ASSERT_TRUE(stranger.negotiate(door(), "rem.tld", "target1.tld"));
    stranger.say("<db:result from='rem.tld' to='target1.tld'>key</db:result>");
    ASSERT_TRUE(stranger.wait_for("type='valid'"));
  }
  static std::string message(int number) {
    return fmt::format("<message from='a@rem.tld' to='b@target1.tld' id='{}'/>", number);
  }
  std::size_t came() { return gateway->component("target1.tld").received.size(); }
  std::string in_stream() {
    for (const report::StreamRow& row : gateway->gateway->streams())
      if (row.direction == "in") return row.id;
    return "none";
  }
};

// STR-06, AB-261, RFC 6120 §4.4: an operator closes it; the peer has not heard of that yet.
TEST_F(Closing, ByAnOperator_WhatIsOnItsWayIsDelivered) {
  prove();
  ASSERT_TRUE(gateway->gateway->close_stream(in_stream()));
  stranger.say(message(1) + message(2));
  ASSERT_TRUE(stranger.wait_for("</stream:stream>"));
  EXPECT_FALSE(stranger.is_closed);
  stranger.say(message(3) + "</stream:stream>");
  world.run_for(1s);
  EXPECT_EQ(came(), 3u);
  EXPECT_TRUE(stranger.is_closed);
  EXPECT_THAT(stranger.received, testing::EndsWith("</stream:stream>"));
}

// The same at the end of all, which waits for it no longer than it says.
TEST_F(Closing, ByTheEndOfAll_WhatIsOnItsWayIsDelivered) {
  prove();
  bool is_stopped = false;
  gateway->gateway->stop([&] { is_stopped = true; });
  stranger.say(message(1) + message(2));
  ASSERT_TRUE(stranger.wait_for("</stream:stream>"));
  EXPECT_THAT(stranger.received, HasSubstr("system-shutdown"));
  stranger.say(message(3));
  world.run_for(1s);
  EXPECT_EQ(came(), 3u);
  EXPECT_FALSE(is_stopped);
  world.run_for(5s);
  EXPECT_TRUE(is_stopped);
}

// Who goes on to send and never closes is heard for 5 s.
TEST_F(Closing, PeerThatDoesNotClose_IsLeft) {
  prove();
  ASSERT_TRUE(gateway->gateway->close_stream(in_stream()));
  for (int n = 1; n <= 12 && !stranger.is_closed; ++n) {
    stranger.say(message(n));
    world.run_for(1s);
  }
  EXPECT_TRUE(stranger.is_closed);
  EXPECT_GE(came(), 4u);
  EXPECT_LE(came(), 6u);
}

}  // namespace
}  // namespace ligase::sim
