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
          {"<body>hi</body>", ""},     Instant{since}};
}

bool push(Queue& queue, std::string id, std::uint64_t most = 1 << 20) {
  Stanza one = stanza(std::move(id));
  return queue.push(one, most);
}

// P6
TEST(Queue, WhatWentInFirst_ComesOutFirst) {
  Budget all(1 << 20);
  Queue queue(all);
  for (const char* id : {"1", "2", "3"}) EXPECT_TRUE(push(queue, id));
  EXPECT_EQ(queue.count(), 3u);
  EXPECT_EQ(queue.first().id, "1");
  EXPECT_EQ(queue.pop().id, "1");
  EXPECT_EQ(queue.pop().id, "2");
  EXPECT_EQ(queue.pop().id, "3");
  EXPECT_TRUE(queue.is_empty());
  EXPECT_EQ(all.used(), 0u);
}

// P7
TEST(Queue, OverItsBytesOrItsBudget_TakesNothing) {
  const std::uint64_t one = stanza("1").size();
  Budget all(3 * one), peer(5 * one, &all);
  Queue queue(peer), other(all);
  EXPECT_TRUE(push(queue, "1", 2 * one));
  EXPECT_TRUE(push(queue, "2", 2 * one));
  Stanza third = stanza("3");
  EXPECT_FALSE(queue.push(third, 2 * one));
  EXPECT_EQ(third.id, "3");  // it is the caller's still
  EXPECT_EQ(queue.bytes(), 2 * one);
  EXPECT_TRUE(push(other, "4", 9 * one));
  EXPECT_FALSE(push(queue, "5", 9 * one));
}

// AB-236: what is owed is not given up for want of room; nothing new is taken until it has gone.
TEST(Queue, WhatIsOwed_IsKeptOverEveryLimit) {
  const std::uint64_t one = stanza("1").size();
  Budget all(one);
  Queue queue(all);
  for (const char* id : {"3", "4"}) queue.push_owed(stanza(id));
  std::vector<Stanza> back;
  back.push_back(stanza("1"));
  back.push_back(stanza("2"));
  queue.put_back(std::move(back));
  EXPECT_EQ(all.used(), 4 * one);
  EXPECT_FALSE(push(queue, "5"));
  for (const char* id : {"1", "2", "3", "4"}) EXPECT_EQ(queue.pop().id, id);
  EXPECT_TRUE(push(queue, "5"));
}

TEST(Queue, OldOnes_AreTakenInOrderAndTheRestStays) {
  Budget all(1 << 20);
  Queue queue(all);
  for (int i = 1; i <= 4; ++i) queue.push_owed(stanza(std::to_string(i), std::chrono::seconds(i)));
  const std::vector<Stanza> old = queue.take_older_than(Instant{3s});
  ASSERT_EQ(old.size(), 2u);
  EXPECT_EQ(old[1].id, "2");
  EXPECT_EQ(queue.first().since, Instant{3s});
  EXPECT_EQ(queue.take_all().size(), 2u);
  EXPECT_EQ(all.used(), 0u);
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
  EXPECT_EQ(echo_of(view("<message a='>' b=\"'\"><body>x</body></message>", 8)).children, "<body>x</body>");
  EXPECT_EQ(echo_of(view("<message/>", 8)).children, "");
  EXPECT_EQ(echo_of(view("<message></message>", 8)).children, "");
}

TEST(Echo, OfALargeStanzaOrOneThatNeedsRewriting_IsNone) {
  const std::string large = "<message>" + std::string(1025, 'x') + "</message>";
  EXPECT_EQ(echo_of(view(large, 8)).children, "");
  xml::ElementView prefixed = view("<message><stream:x/></message>", 8);
  prefixed.needs_rewriting = true;
  EXPECT_EQ(echo_of(prefixed).children, "");
}

// AB-182: what is cut out of one context is well-formed by itself in another.
TEST(ErrorReply, IsWellFormedByItself_WhateverTheStanzaDeclaresWhere) {
  struct Replies : xml::Sink {
    std::vector<std::string> replies;
    xml::Take header(const xml::Header&) override { return xml::Take::more; }
    xml::Take element(const xml::ElementView& element) override {
      const Stanza kept = keep(element, stream::StanzaKind::message, std::string(element.bytes), Instant{});
      if (const auto reply = error_reply(kept, Reason::dns_not_found, "why")) replies.push_back(*reply);
      return xml::Take::more;
    }
    void close() override {}
  };
  const std::string header =
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:in='urn:header'>";
  const std::string start = "<message from='a@b' to='c@d' id='1' ";
  const std::string stanzas[] = {
      start + "xmlns:x='urn:x'><x:a/><b x:c='1'/></message>",
      start + "xmlns:x=\"it's\" xmlns:unused='urn:u'><b><x:a/></b></message>",
      start + "xmlns:x='urn:x'><x:a xmlns:x='urn:y'/></message>",
      start + "><in:a/></message>",
      start + "xmlns='jabber:server'><body>x</body></message>",
      start + "xmlns:x='a b'><x:a/></message>",
      start + "xmlns:x='" + std::string(2000, 'n') + "'><x:a/></message>",
      start + "\n\txmlns:x = 'urn:x'\n><body>x:</body></message>",
  };
  Replies replies;
  xml::Parser parser{xml::Limits{}};
  ASSERT_FALSE(parser.feed(header, replies).fault);
  for (const std::string& stanza : stanzas) {
    ASSERT_FALSE(parser.feed(stanza, replies).fault);
  }
  ASSERT_EQ(replies.replies.size(), std::size(stanzas));
  for (const std::string& reply : replies.replies) {
    Replies nobody;
    xml::Parser other{xml::Limits{}};
    EXPECT_FALSE(other
                     .feed("<stream:stream xmlns='jabber:component:accept' "
                           "xmlns:stream='http://etherx.jabber.org/streams'>" +
                               reply,
                           nobody)
                     .fault)
        << reply;
    EXPECT_LT(reply.size(), 2048u);
  }
  EXPECT_THAT(replies.replies[0], HasSubstr(" xmlns:x='urn:x'><x:a/><b x:c='1'/><error"));
  EXPECT_THAT(replies.replies[1], Not(HasSubstr("unused")));
  EXPECT_THAT(replies.replies[5], Not(HasSubstr("a b")));
}

}  // namespace
}  // namespace ligase::pair
