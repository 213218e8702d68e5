// Queues keep order and bounds; error replies say what is true, to whom it concerns, once.
#include "pair/queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ligase::pair {
namespace {

using testing::HasSubstr;
using testing::Not;

Stanza stanza(std::string id, Duration since = {}) {
  return {stream::StanzaKind::message, "<message/>",  "a@sender1.tld/r", "b@target1.tld", std::move(id), "",
          "<body>hi</body>",           Instant{since}};
}

// P6
TEST(Queue, WhatWentInFirst_ComesOutFirst) {
  Queue queue;
  for (const char* id : {"1", "2", "3"}) EXPECT_TRUE(queue.push(stanza(id), 1 << 20));
  EXPECT_EQ(queue.count(), 3u);
  EXPECT_EQ(queue.pop().id, "1");
  EXPECT_EQ(queue.pop().id, "2");
  EXPECT_EQ(queue.pop().id, "3");
  EXPECT_TRUE(queue.is_empty());
  EXPECT_EQ(queue.bytes(), 0u);
}

// P7
TEST(Queue, OverItsBytes_TakesNothing) {
  Queue queue;
  const std::uint64_t one = stanza("1").size();
  EXPECT_TRUE(queue.push(stanza("1"), 2 * one));
  EXPECT_TRUE(queue.push(stanza("2"), 2 * one));
  EXPECT_FALSE(queue.push(stanza("3"), 2 * one));
  EXPECT_EQ(queue.count(), 2u);
  EXPECT_EQ(queue.bytes(), 2 * one);
}

TEST(Queue, OldOnes_AreTakenInOrderAndTheRestStays) {
  Queue queue;
  for (int i = 1; i <= 4; ++i) queue.push(stanza(std::to_string(i), std::chrono::seconds(i)), 1 << 20);
  const std::vector<Stanza> old = queue.take_older_than(Instant{3s});
  ASSERT_EQ(old.size(), 2u);
  EXPECT_EQ(old[1].id, "2");
  EXPECT_EQ(queue.oldest(), Instant{3s});
}

// ROUTE-02
TEST(ErrorReply, SwapsAddressesKeepsIdAndPayload) {
  const auto reply = error_reply(stanza("m1"), Reason::dns_not_found, "no <such> domain");
  ASSERT_TRUE(reply);
  EXPECT_THAT(*reply,
              HasSubstr("<message type='error' from='b@target1.tld' to='a@sender1.tld/r' id='m1'><body>hi</body>"));
  EXPECT_THAT(*reply, HasSubstr("<error type='cancel'><remote-server-not-found"));
  EXPECT_THAT(*reply, HasSubstr("no &lt;such&gt; domain"));
}

// AB-122
TEST(ErrorReply, NeverAnswersAnErrorAResultOrAnIqWithoutId) {
  Stanza error = stanza("1");
  error.type = "error";
  EXPECT_FALSE(error_reply(error, Reason::dns_not_found, ""));
  Stanza result = stanza("1");
  result.kind = stream::StanzaKind::iq;
  result.type = "result";
  EXPECT_FALSE(error_reply(result, Reason::dns_not_found, ""));
  Stanza nameless = stanza("");
  nameless.kind = stream::StanzaKind::iq;
  nameless.type = "get";
  EXPECT_FALSE(error_reply(nameless, Reason::dns_not_found, ""));
  Stanza senderless = stanza("1");
  senderless.from.clear();
  EXPECT_FALSE(error_reply(senderless, Reason::dns_not_found, ""));
}

xml::ElementView view(std::string_view bytes, std::size_t after_name) {
  xml::ElementView element;
  element.bytes = bytes;
  element.after_name = after_name;
  return element;
}

TEST(Echo, IsWhatIsInsideTheStanza) {
  EXPECT_EQ(echo_of(view("<message a='>' b=\"'\"><body>x</body></message>", 8)), "<body>x</body>");
  EXPECT_EQ(echo_of(view("<message/>", 8)), "");
  EXPECT_EQ(echo_of(view("<message></message>", 8)), "");
}

TEST(Echo, OfALargeStanzaOrOneThatNeedsRewriting_IsNone) {
  const std::string large = "<message>" + std::string(1025, 'x') + "</message>";
  EXPECT_EQ(echo_of(view(large, 8)), "");
  xml::ElementView prefixed = view("<message><stream:x/></message>", 8);
  prefixed.needs_rewriting = true;
  EXPECT_EQ(echo_of(prefixed), "");
}

}  // namespace
}  // namespace ligase::pair
