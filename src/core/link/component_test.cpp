// What works behind the component ports of stock servers works here, and a bad element costs itself alone.
#include "link/component.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "base/bytes.hpp"
#include "base/overloaded.hpp"

namespace ligase::link {
namespace {

class OneComponent : public Components {
 public:
  const std::string* secret_of(const Domain&) const override { return &secret_; }
  bool is_connected(const Domain&) const override { return has_other; }
  bool has_other = false;

 private:
  std::string secret_ = "secret";
};

struct Stanzas : stream::StanzaSink {
  std::vector<std::string> names;
  xml::Take stanza(const xml::ElementView& element, stream::StanzaKind) override {
    names.emplace_back(element.name);
    if (element.cannot_pass == Reason::stanza_too_big)
      names.back() += " too big, id=" + std::string(element.id.value_or(""));
    return xml::Take::more;
  }
};

std::string digest_of(const std::string& text) {
  std::uint8_t digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return hex(digest);
}

struct Link {
  OneComponent components;
  ComponentMachine machine{Limits{}, components, [] { return std::string("id1"); }, Instant{}};
  Stanzas stanzas;
  std::string said;
  std::vector<std::string> dropped;
  bool is_over = false, is_contested = false;

  Link& hears(const std::string& bytes) {
    take(machine.feed(bytes, stanzas, Instant{}));
    while (machine.has_more()) take(machine.resume(stanzas, Instant{}));
    return *this;
  }
  void take(Actions actions) {
    for (Action& action : actions)
      std::visit(Overloaded{[&](Send& send) { said += send.bytes; }, [&](Connected&) {},
                            [&](Contested&) { is_contested = true; },
                            [&](Dropped& what) { dropped.push_back(what.what); }, [&](Ended&) { is_over = true; }},
                 action);
  }
};

const std::string kStreams = " xmlns:stream='http://etherx.jabber.org/streams' to='gw.example'>";
const std::string kHeader = "<stream:stream xmlns='jabber:component:accept'" + kStreams;
const std::string kHandshake = "<handshake>" + digest_of("id1secret") + "</handshake>";

// COMP-03, AB-028
TEST(ComponentLink, TakesWhatStockServersTake) {
  Link link;
  link.hears(kHeader + kHandshake)
      .hears("<message xmlns='jabber:client' from='a@gw.example' to='b@rem.example'/>")
      .hears("<r xmlns='urn:xmpp:sm:3'/><r/><presence/>");
  EXPECT_FALSE(link.is_over) << link.said;
  EXPECT_THAT(link.stanzas.names, testing::ElementsAre("message", "presence"));
  EXPECT_EQ(link.dropped.size(), 2u);
}

// AB-010, AB-028
TEST(ComponentLink, ElementOverTheLimit_CostsItself) {
  Link link;
  const std::string large(600'000, 'x');
  link.hears(kHeader + kHandshake)
      .hears("<message id='1'><body>" + large + "</body></message><r xmlns='urn:y'>" + large + "</r><presence/>");
  EXPECT_FALSE(link.is_over) << link.said;
  EXPECT_THAT(link.stanzas.names, testing::ElementsAre("message too big, id=1", "presence"));
  EXPECT_EQ(link.dropped.size(), 1u);
  Link stranger;
  stranger.hears(kHeader + "<handshake>" + large);
  EXPECT_TRUE(stranger.is_over);
}

// COMP-01: XEP-0114 asks for small letters.
TEST(ComponentLink, DigestInCapitals_IsTheSameDigest) {
  std::string digest = digest_of("id1secret");
  for (char& c : digest) c = static_cast<char>(std::toupper(c));
  Link link;
  link.hears(kHeader + "<handshake>" + digest + "</handshake>");
  EXPECT_TRUE(link.machine.is_connected());
  Link wrong;
  wrong.hears(kHeader + "<handshake>" + digest_of("id1other") + "</handshake>");
  EXPECT_FALSE(wrong.machine.is_connected());
  EXPECT_TRUE(wrong.is_over);
}

// STR-02, COMP-01: RFC 6120 §4.8.2 lets each stanza name its namespace; another default is another kind of stream.
TEST(ComponentLink, HeaderWithoutDefaultNamespace_IsTaken) {
  for (const std::string start : {"<stream:stream", "<stream:stream xmlns='http://etherx.jabber.org/streams'"}) {
    Link link;
    link.hears(start + kStreams + "<handshake xmlns='jabber:component:accept'>" + digest_of("id1secret") +
               "</handshake><iq xmlns='jabber:component:accept'/>");
    EXPECT_THAT(link.stanzas.names, testing::ElementsAre("iq")) << link.said;
  }
  for (const std::string other : {"jabber:client", "jabber:server", "urn:x"}) {
    Link link;
    link.hears("<stream:stream xmlns='" + other + "'" + kStreams);
    EXPECT_TRUE(link.is_over) << other;
  }
}

// AB-229, COMP-01: the handshake was right and the domain is held: whoever knows more decides, and then what came behind is read.
TEST(ComponentLink, DomainIsHeld_IsSettledLater) {
  for (const bool stays : {true, false}) {
    Link link;
    link.components.has_other = true;
    link.hears("<stream:stream xmlns='jabber:component:accept'" + kStreams + "<handshake>" + digest_of("id1secret") +
               "</handshake><message/>");
    EXPECT_TRUE(link.is_contested);
    EXPECT_FALSE(link.machine.is_connected());
    EXPECT_THAT(link.stanzas.names, testing::IsEmpty());
    link.components.has_other = stays;
    link.take(link.machine.settle(Instant{}));
    while (link.machine.has_more()) link.take(link.machine.resume(link.stanzas, Instant{}));
    EXPECT_EQ(link.machine.is_connected(), !stays);
    EXPECT_EQ(link.said.find("conflict") != std::string::npos, stays) << link.said;
    EXPECT_EQ(link.stanzas.names.size(), stays ? 0u : 1u);
  }
}

}  // namespace
}  // namespace ligase::link
