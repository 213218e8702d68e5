// What the parser gives of a stream, at every cut, and what it refuses.
#include "xml/parser.hpp"
#include "base/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <random>
#include <thread>

#include "xml/recorder_for_tests.hpp"

namespace ligase::xml {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kHeader =
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
    "xmlns:db='jabber:server:dialback' from='a.example' to='b.example' version='1.0'>";

struct Outcome {
  std::vector<Call> calls;
  Fed::State state;
  std::optional<StreamFault> fault;
  bool operator==(const Outcome&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  for (const Call& call : outcome.calls) out << call.what << " " << call.bytes << " " << call.values << "\n";
  return out << static_cast<int>(outcome.state) << " " << (outcome.fault ? outcome.fault->text : "");
}

Outcome parse_in_pieces(std::string_view text, std::size_t size, Limits limits = {}, bool stops = false) {
  Parser parser(limits);
  Recorder recorder;
  recorder.stops_each_time = stops;
  Fed fed;
  for (std::size_t i = 0; i < text.size(); i += size)
    fed = feed_through(parser, std::string(text.substr(i, size)), recorder);
  return {recorder.calls, fed.state, fed.fault};
}
Outcome parse(std::string_view text, Limits limits = {}) { return parse_in_pieces(text, text.size(), limits); }

// The condition in which the text ends, whole and bytewise; "" if it is taken.
std::string condition_of(std::string_view text, Limits limits = {}) {
  const Outcome whole = parse(text, limits);
  EXPECT_EQ(parse_in_pieces(text, 1, limits), whole) << text.substr(0, 300);
  if (!whole.fault) return "";
  EXPECT_FALSE(whole.fault->text.empty());
  return std::string(condition_name(whole.fault->error));
}
std::string text_of(std::string_view text, Limits limits = {}) { return parse(text, limits).fault.value().text; }

const std::string kRich =
    "<?xml version='1.0' encoding='UTF-8'?>\n" + kHeader +
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
    " \n\t <db:result from='a.example' to='b.example'>b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3"
    "</db:result><message to='u@b.example' from='\"x&amp;y\"' id='&#x31;&lt;' type=\"chat\" xml:lang='de'>"
    "<body>Grüße, 你好, 😀 &amp; ]]&gt; > </body><x xmlns='jabber:x:oob' a='>' b=\"'>'\"/></message>"
    "<iq/><presence  /><a:iq xmlns:a='jabber:server'><q xmlns='urn:q'/></a:iq>"
    "<message\nto='u'><![CDATA[ <not a='tag'> ]] > ]]></message><p:x xmlns:p='urn:p'><p:y/><y xmlns=''/></p:x>"
    "<message><stream:error xmlns:stream='urn:other'/></message><message xmlns='jabber:client'/>"
    "</stream:stream>garbage & more <";

// XML-02, AB-008
TEST(Parser, EveryCut_GivesTheSameCalls) {
  const Outcome whole = parse(kRich);
  ASSERT_EQ(whole.state, Fed::State::closed);
  ASSERT_EQ(whole.calls.size(), 12u);
  for (std::size_t cut = 0; cut <= kRich.size(); ++cut) {
    for (const bool stops : {false, true}) {
      Parser parser{Limits{}};
      Recorder recorder;
      recorder.stops_each_time = stops;
      feed_through(parser, kRich.substr(0, cut), recorder);
      const Fed fed = feed_through(parser, kRich.substr(cut), recorder);
      EXPECT_EQ((Outcome{recorder.calls, fed.state, fed.fault}), whole) << cut;
    }
  }
  for (const std::size_t size : {1, 2, 3, 5, 7, 64, 1000}) {
    EXPECT_EQ(parse_in_pieces(kRich, size), whole);
    EXPECT_EQ(parse_in_pieces(kRich, size, {}, true), whole);
  }
}

// XML-03
TEST(Parser, Elements_ComeWithTheirBytesAndNames) {
  const Outcome outcome = parse(kRich);
  EXPECT_EQ(outcome.calls[0].values,
            "stream|http://etherx.jabber.org/streams|b.example|a.example|(none)|1.0|(none)|=jabber:server|"
            "stream=http://etherx.jabber.org/streams|db=jabber:server:dialback");
  EXPECT_EQ(outcome.calls[1].values,
            "features|http://etherx.jabber.org/streams|(none)|(none)|(none)|(none)|(none)|16|rewrite");
  EXPECT_EQ(outcome.calls[2].values,
            "result|jabber:server:dialback|b.example|a.example|(none)|(none)|(none)|10|rewrite");
  EXPECT_EQ(outcome.calls[3].values, "message|jabber:server|u@b.example|\"x&y\"|1<|chat|de|8");
  EXPECT_THAT(outcome.calls[3].bytes, testing::StartsWith("<message to='u@b.example'"));
  EXPECT_THAT(outcome.calls[3].bytes, testing::EndsWith("b=\"'>'\"/></message>"));
  EXPECT_EQ(outcome.calls[4], (Call{"element", "<iq/>", "iq|jabber:server|(none)|(none)|(none)|(none)|(none)|3"}));
  EXPECT_EQ(outcome.calls[5].bytes, "<presence  />");
  // XML-04, AB-033: the stream's namespace by name, under whatever prefix, does not mean the same elsewhere.
  EXPECT_EQ(outcome.calls[6].values, "iq|jabber:server|(none)|(none)|(none)|(none)|(none)|5|rewrite");
  EXPECT_EQ(outcome.calls[7].values, "message|jabber:server|u|(none)|(none)|(none)|(none)|8");
  EXPECT_EQ(outcome.calls[8].values, "x|urn:p|(none)|(none)|(none)|(none)|(none)|4");
  // AB-031, AB-007: a prefix bound anew below the root is foreign data.
  EXPECT_EQ(outcome.calls[9].values, "message|jabber:server|(none)|(none)|(none)|(none)|(none)|8");
  EXPECT_EQ(outcome.calls[10].values, "message|jabber:client|(none)|(none)|(none)|(none)|(none)|8|rewrite");
  EXPECT_EQ(outcome.calls[11].what, "close");  // AB-032: and nothing of what follows
}

// XML-03, XML-04
TEST(Parser, NeedsRewriting_WhereTheHeaderIsNeeded) {
  const auto needs = [](std::string_view element) {
    const Outcome outcome = parse(kHeader + std::string(element));
    return outcome.calls.at(1).values.ends_with("|rewrite");
  };
  for (const auto* element :
       {"<stream:error/>", "<m><stream:error/></m>", "<m><x><db:y/></x></m>", "<m db:a=''/>",
        "<m><x xmlns='u' db:a=''/></m>", "<m xmlns='jabber:server'/>", "<m><x xmlns='jabber:server'/></m>",
        "<m><x xmlns:q='jabber:server'/></m>", "<m><x xmlns:db='u'/><db:y/></m>",
        "<m xmlns='urn:u'><y xmlns='jabber:server'/></m>", "<m xmlns='jabber:client'/>"})
    EXPECT_TRUE(needs(element)) << element;
  for (const auto* element :
       {"<m/>", "<m xml:lang='en'/>", "<m><x xml:space='preserve'/></m>", "<m><x xmlns='jabber:client'/></m>",
        "<m><db:x xmlns:db='u' db:a=''/></m>", "<m xmlns:db='u'><x><db:y/></x></m>", "<m><x xmlns=''/></m>",
        "<m t='db:x'>stream:error</m>", "<m><x xmlns='jabber:serverx'/></m>"})
    EXPECT_FALSE(needs(element)) << element;
}

// AB-181: a namespace name with what parsers of the field separate by costs its own element; in a header, the stream.
TEST(Parser, SeparatorsInNamespaceNames_AreNotPassedOn) {
  struct : Sink {
    std::vector<bool> can_pass;
    Take header(const Header&) override { return Take::more; }
    Take element(const ElementView& element) override {
      can_pass.push_back(!element.cannot_pass);
      return Take::more;
    }
    void close() override {}
  } sink;
  Parser parser{Limits{}};
  std::string elements;
  for (const char* bad : {"a&#10;b", "a b", "a}b", "{a", "a|b", "a&#x7F;b", "a\xC2\x85z"}) {
    const std::string uri = bad;
    elements += "<m><x xmlns='" + uri + "'/></m><m xmlns:p='" + uri + "'/><m/>";
  }
  ASSERT_FALSE(parser.feed(kHeader + elements, sink).fault);
  ASSERT_EQ(sink.can_pass.size(), 21u);
  for (std::size_t i = 0; i < sink.can_pass.size(); ++i) EXPECT_EQ(sink.can_pass[i], i % 3 == 2) << i;

  EXPECT_EQ(condition_of("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns:p='a b'>"),
            "policy-violation");
}

// AB-180
TEST(Parser, WhatStanzasInherit_IsBoundedWithTheHeader) {
  const auto condition = [](const std::string& more) {
    return condition_of("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:server'" + more +
                        ">");
  };
  std::string quotes;  // each is six bytes where it is written again
  for (int i = 0; i < 700; ++i) quotes += "&#39;";
  EXPECT_EQ(condition(" xmlns:p='" + std::string(3900, 'n') + "'"), "");
  EXPECT_EQ(condition(" xmlns:p='" + std::string(4096, 'n') + "'"), "policy-violation");
  EXPECT_EQ(condition(" xml:lang='" + std::string(4096, 'n') + "'"), "policy-violation");
  EXPECT_EQ(condition(" xmlns:" + std::string(900, 'p') + "='" + std::string(900, 'n') + "' xmlns:q='" +
                      std::string(2400, 'n') + "'"),
            "policy-violation");
  EXPECT_EQ(condition(" xmlns:p='" + quotes + "'"), "policy-violation");
}

// AB-013: a use of a prefix costs by its own length, not by what else is declared.
TEST(Parser, ManyDeclarations_CostByTheirNumber) {
  const auto cost = [](std::size_t n) {
    const std::string element = with_many_prefixes("m", n);
    work_done = 0;
    EXPECT_FALSE(parse(kHeader + element, {.stanza_size = 1 << 20}).fault);
    return work_done;
  };
  const auto once = cost(40), twice = cost(80);
  EXPECT_GT(once, 4000u);
  EXPECT_LT(twice, 3 * once);
}

TEST(Parser, NeedsRewriting_IsOfOneElementOnly) {
  const Outcome outcome = parse(kHeader + "<db:x/><m/><m xmlns:p='u'/><m><p:x xmlns:p='u'/></m>");
  EXPECT_TRUE(outcome.calls[1].values.ends_with("|rewrite"));
  for (const std::size_t i : {2, 3, 4}) EXPECT_FALSE(outcome.calls[i].values.ends_with("|rewrite"));
}

TEST(Parser, WholeElement_IsGivenWhereItLies) {
  Parser parser{Limits{}};
  Recorder recorder;
  feed_through(parser, kHeader, recorder);
  feed_through(parser, "<a/> <b>x</b><c", recorder);
  feed_through(parser, "/><d/>", recorder);
  EXPECT_THAT(recorder.was_in_place, ElementsAre(true, true, false, true));
}

TEST(Parser, Stop_GivesNothingFurtherUntilResume) {
  Parser parser{Limits{}};
  Recorder recorder;
  recorder.stops_each_time = true;
  const std::string bytes = kHeader + "<a/> <b/><c>";
  Fed fed = parser.feed(bytes, recorder);
  EXPECT_EQ(fed.state, Fed::State::stopped);
  EXPECT_EQ(fed.unconsumed, 12u);
  fed = parser.resume(recorder);
  EXPECT_EQ(fed.unconsumed, 8u);
  EXPECT_EQ(recorder.calls.back().bytes, "<a/>");
  fed = parser.resume(recorder);
  EXPECT_EQ(fed.unconsumed, 3u);
  EXPECT_EQ(parser.buffered(), 3u);
  EXPECT_EQ(recorder.calls.size(), 3u);
  fed = parser.resume(recorder);
  EXPECT_EQ(fed.state, Fed::State::more);
  feed_through(parser, "</c>", recorder);
  EXPECT_EQ(recorder.calls.back().bytes, "<c></c>");
}

TEST(Parser, EmptyRoot_ClosesAfterTheHeader) {
  std::string text = kHeader;
  text.insert(text.size() - 1, "/");
  for (const bool stops : {false, true}) {
    const Outcome outcome = parse_in_pieces(text, 1000, {}, stops);
    ASSERT_EQ(outcome.calls.size(), 2u);
    EXPECT_EQ(outcome.calls[1].what, "close");
    EXPECT_EQ(outcome.state, Fed::State::closed);
  }
}

// AB-009, AB-032
TEST(Parser, Restart_ForgetsEverything) {
  Parser parser{Limits{}};
  Recorder recorder;
  for (int i = 0; i < 3; ++i) {
    feed_through(parser, "<?xml version='1.0'?>" + kHeader + "<a/><b xmlns:p='u'><unfinished", recorder);
    EXPECT_EQ(parser.buffered(), 26u);
    parser.restart();
    EXPECT_EQ(parser.buffered(), 0u);
  }
  EXPECT_EQ(recorder.calls.size(), 6u);
  recorder.stops_each_time = true;
  EXPECT_EQ(parser.feed(kHeader + "<a/>", recorder).state, Fed::State::stopped);
  parser.restart();
  recorder.stops_each_time = false;
  EXPECT_EQ(feed_through(parser, kHeader + "</stream:stream>", recorder).state, Fed::State::closed);
  EXPECT_EQ(feed_through(parser, kHeader, recorder).state, Fed::State::closed);
  parser.restart();
  EXPECT_EQ(feed_through(parser, kHeader + "&x;>", recorder).state, Fed::State::failed);
  EXPECT_EQ(feed_through(parser, kHeader, recorder).state, Fed::State::failed);
  parser.restart();
  EXPECT_EQ(feed_through(parser, kHeader, recorder).state, Fed::State::more);
}

TEST(Parser, RestartWithinACall_HappensBehindIt) {
  struct Restarter : Recorder {
    Parser* parser = nullptr;
    Take element(const ElementView& element) override {
      Recorder::element(element);
      parser->restart();
      return Take::more;
    }
  };
  Parser parser{Limits{}};
  Restarter sink;
  sink.parser = &parser;
  EXPECT_EQ(parser.feed(kHeader + "<a/><b/>", sink).state, Fed::State::more);
  EXPECT_EQ(parser.buffered(), 0u);
  EXPECT_EQ(parser.feed(kHeader + "<c/>", sink).state, Fed::State::more);
  ASSERT_EQ(sink.calls.size(), 4u);
  EXPECT_EQ(sink.calls[3].bytes, "<c/>");
}

// AB-030: a second header is an element like others; the stream machine refuses it.
TEST(Parser, SecondHeader_IsAnElement) {
  const Outcome outcome = parse(kHeader + "<stream:stream xmlns='jabber:client' to='c.example'></stream:stream>");
  EXPECT_EQ(outcome.state, Fed::State::more);
  EXPECT_EQ(outcome.calls.at(1).values.substr(0, 51), "stream|http://etherx.jabber.org/streams|c.example|(");
}

// AB-001, XML-01
TEST(Parser, Doctype_IsRestrictedXml) {
  for (const auto& text :
       {"<!DOCTYPE"s, "<!D"s, "<!DOCTYPE x>"s, "<?xml version='1.0'?>\n<!DOCTYPE x [<!ENTITY a 'b'>]>"s,
        "<!DOCTYPE lolz [<!ENTITY l 'lol'><!ENTITY m '&l;&l;&l;'>]>" + kHeader + "&m;", kHeader + "<!DOCTYPE x>",
        kHeader + "<m><!DOCTYPE x></m>", kHeader + "<m>x<!DOCTYPE x [ <!ENTITY"s + " a 'b'>"})
    EXPECT_EQ(condition_of(text), "restricted-xml") << text;
  EXPECT_EQ(text_of("<!DOCTYPE x>"), "a document type declaration; RFC 6120 §11.1 forbids it");
}

// AB-002, XML-01
TEST(Parser, Entities_AreRestrictedXml) {
  for (const auto* element : {"<m>&bogus;</m>", "<m a='&bogus;'/>", "<m><x xmlns='u' xmlns:p='&nbsp;'/></m>",
                              "<m>&amp;&nbsp;</m>", "<m a='&amp;&LT;'>", "<m><![CDATA[x]]>&a;</m>"})
    EXPECT_EQ(condition_of(kHeader + element), "restricted-xml") << element;
  EXPECT_EQ(condition_of("<s a='&x;'>"), "restricted-xml");
  EXPECT_EQ(condition_of(kHeader + "<m a='&amp;&lt;&gt;&apos;&quot;&#65;&#x1F600;'>&amp;&#9;&#xD;</m>"), "");
  EXPECT_THAT(text_of(kHeader + "<m>&x;</m>"), HasSubstr("entity"));
}

// AB-003, XML-01
TEST(Parser, CommentOrInstruction_IsRestrictedXml) {
  for (const auto* element :
       {"<!-- x -->", "<m><!-- x --></m>", "<m><x/><!----></m>", "<?pi?>", "<m><?pi x?></m>",
        "<?xml-stylesheet href='x'?>", "<!-- > x", "<m><!-- a > b > c", "<m><?pi a > b", "<m><!-- a < b -- c --></m>",
        "<m><!-- \x01 --></m>", "<m><?xmlesult a='>' \x01?></m>", "<m><!-- ]]> ?> \x01 --></m>"})
    EXPECT_EQ(condition_of(kHeader + element), "restricted-xml") << element;
  for (const auto& text : {"<!-- x -->" + kHeader, "<!--"s, "<?pi?>" + kHeader, "<?xml version='1.0'?><?pi?>" + kHeader,
                           "<?xml version='1.0'?> <!-- -->" + kHeader})
    EXPECT_EQ(condition_of(text), "restricted-xml") << text;
  EXPECT_EQ(text_of(kHeader + "<!-- x -->"), "a comment; RFC 6120 §11.1 forbids it");
  EXPECT_EQ(condition_of(kHeader + "<m><![CDATA[<!-- not a comment --> <?nor?> <!DOCTYPE]]></m>"), "");
  EXPECT_EQ(condition_of(kHeader + "<m><![CDATA[<!-- <? > \x01]]></m>"), "not-well-formed");
  EXPECT_EQ(condition_of(kHeader + "<m><![CDATA[<!-- <? ]]>\x01</m>"), "not-well-formed");
}

std::string utf16(std::string_view text, bool is_big_endian) {
  std::string out;
  for (const char c : text) out += is_big_endian ? "\0"s + c : c + "\0"s;
  return out;
}

// AB-004
TEST(Parser, EncodingOtherThanUtf8_IsUnsupported) {
  const std::string document = "<?xml version='1.0'?>" + kHeader;
  for (const auto& text :
       {"\xEF\xBB\xBF" + document, utf16(document, true), utf16(document, false), "\xFE\xFF" + utf16(document, true),
        "\xFF\xFE" + utf16(document, false), " "s + '\0' + utf16(document, false), "\0\0\0<"s,
        "<?xml version='1.0' encoding='UTF-16'?>" + kHeader, "<?xml version='1.0' encoding='ISO-8859-1'?>" + kHeader,
        "<?xml version='1.0' encoding='utf8'?>" + kHeader})
    EXPECT_EQ(condition_of(text), "unsupported-encoding") << text;
  for (const auto* encoding : {"UTF-8", "utf-8", "Utf-8"})
    EXPECT_EQ(condition_of("<?xml version=\"1.0\" encoding='"s + encoding + "' standalone='yes'?>" + kHeader), "");
  EXPECT_EQ(condition_of("<?xml version='1.1'?>" + kHeader), "not-well-formed");
}

// AB-005
TEST(Parser, IllegalCharacters_AreNotWellFormed) {
  for (const auto& bad : {"\xC0\xAF"s, "\xE0\x80\xAF"s, "\xED\xA0\x80"s, "\xF4\x90\x80\x80"s, "\xF8\x88\x80\x80\x80"s,
                          "\0"s, "\x01"s, "\x0B"s, "\x1F"s, "\xEF\xBF\xBE"s, "\xEF\xBF\xBF"s, "&#0;"s, "&#x1;"s,
                          "&#xFFFE;"s, "&#xD800;"s, "&#x110000;"s, "\x80"s, "\xC3("s, "&#99999999999;"s}) {
    for (const auto& text : {"<m>" + bad + "</m>", "<m a='" + bad + "'/>", "<m" + bad + "/>",
                             "<m><x xmlns='" + bad + "'/></m>", "<m " + bad + "='1'/>"})
      EXPECT_EQ(condition_of(kHeader + text), "not-well-formed") << text;
  }
}

// AB-006
TEST(Parser, BrokenStructure_IsNotWellFormed) {
  for (const auto* element : {"<a></b>",
                              "<a><b></a></b>",
                              "<m a='1' a='2'/>",
                              "<m xmlns:p='u' xmlns:q='u' p:a='1' q:a='2'/>",
                              "<p:m/>",
                              "<m p:a='1'/>",
                              "<m xmlns:xml='urn:x'/>",
                              "<m xmlns:xmlns='urn:x'/>",
                              "<m xmlns:p='http://www.w3.org/2000/xmlns/'/>",
                              "<m xmlns:q='http://www.w3.org/XML/1998/namespace'/>",
                              "<m xmlns:p=''/>",
                              "<m a=1/>",
                              "<m a='<'/>",
                              "<m>]]></m>",
                              "<m a='1'b='2'/>",
                              "<:m/>",
                              "<m:/>",
                              "<a:b:c/>",
                              "</m>",
                              "< m/>",
                              "<m><x></m>",
                              "<1/>"})
    EXPECT_EQ(condition_of(kHeader + element), "not-well-formed") << element;
}

// AB-007
TEST(Parser, NamespaceWithSeparatorLookAlikes_IsOrdinaryData) {
  const Outcome outcome =
      parse(kHeader +
            "<m xmlns='http://etherx.jabber.org/streams|error'/><m xmlns='http://etherx.jabber.org/streams error'/>"
            "<m xmlns='http://etherx.jabber.org/streams\xC3\xBF"
            "error'/><m xmlns='a&#10;b'/>");
  ASSERT_EQ(outcome.calls.size(), 5u);
  EXPECT_THAT(outcome.calls[2].values, testing::StartsWith("m|http://etherx.jabber.org/streams error|"));
  EXPECT_EQ(condition_of(kHeader + "<m xmlns='http://etherx.jabber.org/streams\xFF"
                                   "error'/>"),
            "not-well-formed");
}

// AB-009
TEST(Parser, MisplacedDeclaration_IsNotWellFormed) {
  for (const auto& text :
       {kHeader + "<?xml version='1.0'?>", "<?xml version='1.0'?>"s + "<?xml version='1.0'?>" + kHeader,
        " <?xml version='1.0'?>" + kHeader, kHeader + "<m><?xml version='1.0'?></m>",
        "\n<?xml version='1.0' encoding='UTF-8'?>" + kHeader})
    EXPECT_EQ(condition_of(text), "not-well-formed") << text;
}

// AB-017
TEST(Parser, OtherProtocols_AreNotWellFormed) {
  for (const auto& text :
       {"GET / HTTP/1.1\r\n\r\n"s, "SSH-2.0-OpenSSH\r\n"s, "EHLO x\r\n"s, "\x16\x03\x01\x02"s, "garbage"s})
    EXPECT_EQ(condition_of(text), "not-well-formed") << text;
}

TEST(Parser, TextBetweenElements_IsBadFormat) {
  for (const auto* text : {"x", "<a/>x", " \n x", "<a/>é", "<a/>&amp;<b/>", "<![CDATA[x]]>", "<a/>&#65;<b/>"})
    EXPECT_EQ(condition_of(kHeader + text), "bad-format") << text;
  EXPECT_EQ(condition_of(kHeader + " \t\r\n <a/>\r\n\r\n<b/>\n"), "");
}

Limits small() { return {.stanza_size = 200, .depth = 5, .attributes = 4, .start_tag = 120, .name = 20}; }
const std::string kSmall = "<s xmlns='j' xmlns:p='u'>";

// AB-010
TEST(Parser, StanzaOverTheLimit_IsRefusedWhenItIsPassed) {
  const std::string fits = "<m>" + std::string(193, 'x') + "</m>";
  ASSERT_EQ(fits.size(), 200u);
  EXPECT_EQ(condition_of(kSmall + fits + fits, small()), "");
  EXPECT_EQ(condition_of(kSmall + "<m>x" + fits.substr(3), small()), "policy-violation");
  for (const auto* start : {"<m>", "<m><![CDATA[", "<m><x>>>", "<m>&amp;", "<m a='b'>é"}) {
    Parser parser(small());
    Recorder recorder;
    feed_through(parser, kSmall + start, recorder);
    const std::size_t left = 200 - std::string_view(start).size();
    EXPECT_EQ(feed_through(parser, std::string(left, 'x'), recorder).state, Fed::State::more);
    EXPECT_EQ(parser.buffered(), 200u);
    const Fed fed = feed_through(parser, "x" + std::string(100'000, 'x'), recorder);
    ASSERT_EQ(fed.state, Fed::State::failed);
    EXPECT_EQ(fed.fault->error, StreamError::policy_violation);
    EXPECT_EQ(fed.fault->text, "a stanza of more than 200 bytes");
    EXPECT_EQ(parser.buffered(), 0u);
  }
}

// AB-010
TEST(Parser, LimitRaisedAfterProof_LetsLargerStanzasPass) {
  Parser parser{Limits{}};
  Recorder recorder;
  feed_through(parser, kHeader, recorder);
  parser.set_stanza_size(512 * 1024, Oversize::ends_the_stream);
  const std::string large = "<m><body>" + std::string(400'000, 'x') + "</body></m>";
  for (std::size_t i = 0; i < large.size(); i += 1400)
    ASSERT_EQ(feed_through(parser, large.substr(i, 1400), recorder).state, Fed::State::more);
  EXPECT_EQ(recorder.calls.back().bytes, large);
  EXPECT_EQ(feed_through(parser, "<m>" + std::string(600'000, 'x'), recorder).fault->text,
            "a stanza of more than 524288 bytes");
}

Limits tolerant() {
  Limits limits = small();
  limits.oversize = Oversize::costs_itself;
  return limits;
}

// AB-010
TEST(Parser, StanzaOverTheLimitOfAProvenStream_CostsItself) {
  const std::string x300(300, 'x'), start = "<m to='b' id='1'>",
                                    tag = "<m a='" + std::string(60, 'x') + "' b='" + std::string(40, 'x') + "'";
  for (const auto& large :
       {start + x300 + "</m>", start + "<a>" + x300 + "</a><b/></m>", start + "<![CDATA[" + x300 + ">>]]></m>",
        start + x300 + "<a><b q='>'>" + x300 + "</b></a></m>", start + std::string(60, '>') + x300 + "</m>",
        start + std::string(50, '<').replace(0, 50, "<p:a/><p:a/><p:a/><p:a/>") + x300 + "<p:a/></m>"}) {
    SCOPED_TRACE(large);
    const Outcome whole = parse(kSmall + "<a/>" + large + "<b/>" + large + "<c/></s>", tolerant());
    ASSERT_EQ(whole.state, Fed::State::closed);
    ASSERT_EQ(whole.calls.size(), 7u);
    EXPECT_EQ(whole.calls[2].bytes, "");
    EXPECT_EQ(whole.calls[2].values, "m|j|b|(none)|1|(none)|(none)|0|too big");
    EXPECT_EQ(whole.calls[3].bytes, "<b/>");
    for (const std::size_t size : {1, 2, 7, 199, 200, 201})
      EXPECT_EQ(parse_in_pieces(kSmall + "<a/>" + large + "<b/>" + large + "<c/></s>", size, tolerant()), whole);
  }
  // Also one whose start tag alone is over the limit.
  Limits narrow = tolerant();
  narrow.stanza_size = 50;
  for (const auto& large : {tag + "/>", tag + ">" + x300 + "</m>"}) {
    const Outcome whole = parse(kSmall + large + "<b/></s>", narrow);
    ASSERT_EQ(whole.calls.size(), 4u);
    EXPECT_EQ(whole.calls[1].bytes, "");
    EXPECT_EQ(parse_in_pieces(kSmall + large + "<b/></s>", 1, narrow), whole);
  }
}

// AB-010: what is discarded is neither kept nor believed unread.
TEST(Parser, DiscardedStanza_IsNotHeldAndStillJudged) {
  Parser parser(tolerant());
  Recorder recorder;
  feed_through(parser, kSmall + "<m from='a'>", recorder);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(feed_through(parser,
                           i % 3 == 0   ? "<a>"
                           : i % 3 == 1 ? std::string(90, 'x')
                                        : "</a>",
                           recorder)
                  .state,
              Fed::State::more);
    ASSERT_EQ(parser.is_discarding(), i >= 4);
    ASSERT_LE(parser.buffered(), 200u);
  }
  EXPECT_EQ(parser.buffered(), 0u);
  feed_through(parser, "</a></m><n/>", recorder);
  ASSERT_EQ(recorder.calls.size(), 3u);
  EXPECT_FALSE(parser.is_discarding());
  EXPECT_EQ(recorder.calls.back().bytes, "<n/>");
  const std::string filler(300, 'x');
  for (const auto* bad : {"&no;", "<!-- -->", "<?pi?>", "</n>", "<q:a/>", "\x01", "<a><a><a><a><a>"})
    EXPECT_NE(condition_of(kSmall + "<m>" + filler + bad, tolerant()), "") << bad;
  EXPECT_EQ(text_of(kSmall + "<m>" + filler + "<" + filler, tolerant()), "a start tag of more than 120 bytes");
}

// AB-010: not for ever, and not at the cost of a memory of all its names.
TEST(Parser, DiscardedStanza_IsBounded) {
  Limits limits = tolerant();
  limits.discarded = 1000;
  limits.discarded_names = 10;
  const auto stanza = [](std::size_t size) { return kSmall + "<m>" + std::string(size - 7, 'x') + "</m>"; };
  EXPECT_EQ(condition_of(stanza(1000), limits), "");
  EXPECT_EQ(text_of(stanza(1001), limits), "a stanza of more than 1000 bytes");
  std::string names;
  for (int i = 0; i < 5; ++i) names += "<a b='c'/>";
  const std::string filler(300, 'x');
  EXPECT_EQ(condition_of(kSmall + "<m>" + names + filler + names + "</m>", limits), "");
  EXPECT_EQ(condition_of(kSmall + "<m>" + names + filler + names + "<a/></m>", limits), "policy-violation");
}

// AB-010: the fault that stands first in the bytes is the one reported.
TEST(Parser, FaultBeforeTheLimit_IsReportedFirst) {
  const std::string filler(150, 'x');
  EXPECT_EQ(condition_of(kSmall + "<m>" + filler + "&no;" + filler + "</m>", small()), "restricted-xml");
  EXPECT_EQ(condition_of(kSmall + "<m>" + filler + filler + "&no;</m>", small()), "policy-violation");
  EXPECT_EQ(condition_of(kSmall + "<m>" + filler + "\x01" + filler, small()), "not-well-formed");
}

// AB-011
TEST(Parser, OversizedTokens_AreRefused) {
  Limits wide = small();
  wide.stanza_size = 100'000;
  EXPECT_EQ(condition_of(kSmall + "<m a='" + std::string(111, 'x') + "'/>", wide), "");
  EXPECT_EQ(text_of(kSmall + "<m a='" + std::string(112, 'x') + "'/>", wide), "a start tag of more than 120 bytes");
  EXPECT_EQ(condition_of(kSmall + "<m a='" + std::string(3'000, 'x'), wide), "policy-violation");
  EXPECT_EQ(condition_of(kSmall + "<m><" + std::string(3'000, 'x'), wide), "policy-violation");
  EXPECT_EQ(condition_of("<" + std::string(3'000, 'x'), wide), "policy-violation");
  EXPECT_EQ(condition_of("<s a='" + std::string(3'000, '>'), wide), "policy-violation");
  EXPECT_EQ(condition_of("<?xml " + std::string(3'000, ' '), wide), "policy-violation");
  EXPECT_EQ(condition_of(kSmall + "<" + std::string(20, 'n') + "/>", wide), "policy-violation");
  EXPECT_EQ(text_of(kSmall + "<m " + std::string(20, 'n') + "='1'/>", wide), "a name of more than 20 bytes");
  EXPECT_EQ(condition_of(kSmall + "<m a='' b='' c='' d=''/>", wide), "");
  EXPECT_EQ(text_of(kSmall + "<m a='' b='' c='' d='' e=''/>", wide),
            "a start tag of more than 4 attributes and namespace declarations");
  EXPECT_EQ(condition_of(kSmall + "<m a='' b='' xmlns:c='c' xmlns:d='d' xmlns='e'/>", wide), "policy-violation");
}

// AB-011, AB-013
TEST(Parser, ManyAttributesOrDeclarations_AreRefused) {
  std::string attributes = kHeader + "<m", declarations = kHeader + "<m", root = "<s";
  for (int i = 0; i < 20'000; ++i) {
    attributes += " a" + std::to_string(i) + "=''";
    declarations += " xmlns:p" + std::to_string(i) + "='u'";
    root += " xmlns:p" + std::to_string(i) + "='u'";
  }
  const Limits proven{.stanza_size = 1 << 20};
  for (const auto& text : {attributes, declarations, root}) {
    EXPECT_EQ(text_of(text + "/>", proven), "a start tag of more than 65536 bytes");
    EXPECT_THAT(text_of(text.substr(0, 30'000).substr(0, text.rfind(' ', 30'000)) + "/>", proven),
                HasSubstr("more than 256 attributes"));
  }
}

// AB-012
TEST(Parser, Depth_IsBoundedWithoutRecursion) {
  std::string deep, end;
  for (int i = 0; i < 127; ++i) deep += "<a>", end += "</a>";
  EXPECT_EQ(condition_of(kHeader + deep + end), "");
  EXPECT_EQ(condition_of(kHeader + deep + "<a/>" + end), "policy-violation");
  EXPECT_EQ(text_of(kHeader + deep + "<a>"), "a nesting of more than 128 elements");
  std::string bottomless = kHeader;
  for (int i = 0; i < 100'000; ++i) bottomless += "<a>";
  EXPECT_EQ(parse(bottomless, {.stanza_size = 1 << 20}).fault->error, StreamError::policy_violation);
}

// AB-012: the parser and its destructor need little stack, however deep the input is meant to be.
TEST(Parser, DeepInput_FitsASmallStack) {
  std::string bottomless = kHeader;
  for (int i = 0; i < 100'000; ++i) bottomless += "<a>";
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 * 1024);  // 64 KiB of it are thread-local storage under sanitizers
  pthread_t thread;
  const auto work = [](void* text) -> void* {
    parse(*static_cast<std::string*>(text), {.stanza_size = 1 << 20, .depth = 90'000});
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, work, &bottomless), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

// AB-013, P7: expat remembers every name it saw; a long stream of new names must not grow us.
TEST(Parser, EndlessNewNames_DoNotGrowMemory) {
  Parser parser{Limits{}};
  Recorder recorder;
  feed_through(parser, kHeader, recorder);
  const auto held_after = [&](int first, int last) {
    std::string text;
    for (int i = first; i < last; ++i) {
      const std::string number = std::to_string(i);
      text += "<n" + number + " a" + number + "='' xmlns:p" + number + "='u'/>";
      if (text.size() > 8'000) {
        EXPECT_EQ(feed_through(parser, text, recorder).state, Fed::State::more);
        text.clear();
        recorder = {};
      }
    }
    return mallinfo2().uordblks;
  };
  const std::size_t before = held_after(0, 20'000);
  const std::size_t after = held_after(20'000, 200'000);
  EXPECT_LT(after, before + 4'000'000);
}

// The elements around the place where a new expat takes over are as all others.
TEST(Parser, LongStream_GivesEveryElementOnceAndTheSame) {
  const std::string stanza = "<m to='u@b.example'><db:x/><body>" + std::string(100, 'x') + "</body></m>\n";
  std::string text = kHeader;
  for (int i = 0; i < 6'000; ++i) text += stanza;
  for (const std::size_t size : {std::size_t{1'000}, std::size_t{65'536}, text.size()}) {
    for (const bool stops : {false, true}) {
      const Outcome outcome = parse_in_pieces(text, size, {}, stops);
      ASSERT_EQ(outcome.calls.size(), 6'001u);
      for (std::size_t i = 1; i < outcome.calls.size(); ++i)
        ASSERT_EQ(outcome.calls[i].bytes, stanza.substr(0, stanza.size() - 1));
      EXPECT_EQ(outcome.calls[6'000], outcome.calls[1]);
    }
  }
}

// AB-014
TEST(Parser, WhiteSpaceAndEmptyElements_HoldNothing) {
  Parser parser{Limits{}};
  Recorder recorder;
  feed_through(parser, kHeader, recorder);
  for (int i = 0; i < 1'000; ++i) {
    feed_through(parser, std::string(1'000, ' '), recorder);
    EXPECT_EQ(parser.buffered(), 0u);
  }
  EXPECT_EQ(recorder.calls.size(), 1u);
  feed_through(parser, "<r/><r/> <r/>", recorder);
  EXPECT_EQ(parser.buffered(), 0u);
}

// XML-02, AB-008: damaged streams, too, end alike however they are cut.
TEST(Parser, DamagedStreams_EndAlikeAtAnyCut) {
  std::mt19937 random(20'241);
  const std::string alphabet = "<>&;'\"=/!?-[]: ax\n\x01\xC3\xFF";
  for (int round = 0; round < 2'000; ++round) {
    std::string text = kRich.substr(0, kRich.size() - 16);
    for (int i = 0; i < 2; ++i) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = alphabet[random() % alphabet.size()];
          break;
        case 1:
          text.erase(at, random() % 4 + 1);
          break;
        case 2:
          text.insert(at, 1, alphabet[random() % alphabet.size()]);
          break;
      }
    }
    text += "'>\">' ?>-->]]></m></stream:stream>";
    const Outcome whole = parse(text);
    EXPECT_EQ(parse_in_pieces(text, 1), whole) << text;
    EXPECT_EQ(parse_in_pieces(text, random() % 40 + 2, {}, true), whole) << text;
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace ligase::xml
