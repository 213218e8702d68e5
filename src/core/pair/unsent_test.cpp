#include "pair/unsent.hpp"

#include <gtest/gtest.h>

#include "stream/words.hpp"

namespace ligase::pair {
namespace {

// AB-124: of everything that a connection had still to send, the stanzas, in order; nothing of the stream itself.
TEST(Unsent, StanzasAmongThePieces_InTheirOrder) {
  std::string pieces;
  std::vector<std::size_t> ends;
  for (const char* piece :
       {"<?xml version='1.0'?><stream:stream xmlns='jabber:server'>", "<message from='a@b' to='c@d' id='1'/>",
        "<db:result from='b' to='d'>key</db:result>", " ",
        "<iq xmlns:x='urn:x' from='a@b' to='c@d' id='2' type='get'><x:y/></iq>",
        "<presence from='a@b' to='c@d' id='3'/>",
        "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"}) {
    pieces += piece;
    ends.push_back(pieces.size());
  }
  const std::vector<Stanza> stanzas = stanzas_among(pieces, ends, ns::kServer, Instant{7s});
  ASSERT_EQ(stanzas.size(), 3u);
  EXPECT_EQ(stanzas[0].bytes, "<message from='a@b' to='c@d' id='1'/>");
  EXPECT_EQ(stanzas[0].from, "a@b");
  EXPECT_EQ(stanzas[1].kind, stream::StanzaKind::iq);
  EXPECT_EQ(stanzas[1].echo.declarations, " xmlns:x='urn:x'");
  EXPECT_EQ(stanzas[2].id, "3");
  EXPECT_EQ(stanzas[2].since, Instant{7s});
  EXPECT_TRUE(stanzas_among({}, {}, ns::kServer, Instant{}).empty());
}

}  // namespace
}  // namespace ligase::pair
