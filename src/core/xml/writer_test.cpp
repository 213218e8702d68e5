// What we write is what was meant: judged by expat and by libxml2, in the context of the stream it goes to.
#include "xml/writer.hpp"
#include "base/work.hpp"
#include "xml/escape.hpp"

#include <expat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <random>

#include "xml/context.hpp"
#include "xml/recorder_for_tests.hpp"

namespace ligase::xml {
namespace {

using namespace std::string_literals;

const std::string kServer =
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
    "xmlns:db='jabber:server:dialback' version='1.0'";
const std::string kComponent =
    "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'";

std::string tag_of(const std::string& start, std::optional<std::string_view> lang) {
  return start + (lang ? " xml:lang='" + escaped(*lang) + "'>" : ">"s);
}

// An element as a text of expanded names, sorted attributes and effective xml:lang: equal if the meaning is equal.
using Attributes = std::vector<std::pair<std::string, std::string>>;
struct Meaning {
  std::string text;
  std::vector<std::string> langs;
  void open(const std::string& name, Attributes attributes) {
    std::string lang = langs.empty() ? "" : langs.back();
    for (const auto& [key, value] : attributes)
      if (key == std::string(kXmlNamespace) + "}lang") lang = value;
    std::erase_if(attributes, [](const auto& one) { return one.first == std::string(kXmlNamespace) + "}lang"; });
    langs.push_back(lang);
    std::ranges::sort(attributes);
    text += "(" + name + "~" + lang;
    for (const auto& [key, value] : attributes) text += "[" + key + "=" + value + "]";
  }
  void close() {
    text += ")";
    langs.pop_back();
  }
};

std::string joined(std::string_view ns, std::string_view name) { return std::string(ns) + "}" + std::string(name); }

// Of the elements of a whole stream, by expat alone.
std::string meaning_by_expat(const std::string& stream) {
  XML_Parser expat = XML_ParserCreate_MM("UTF-8", nullptr, &kSeparator);
  Meaning meaning;
  XML_SetUserData(expat, &meaning);
  XML_SetElementHandler(
      expat,
      [](void* data, const char* tag, const char** attributes) {
        const ExpandedName element = expanded(tag);
        Attributes list;
        for (; *attributes != nullptr; attributes += 2) {
          const ExpandedName attribute = expanded(attributes[0]);
          list.emplace_back(joined(attribute.ns, attribute.name), attributes[1]);
        }
        static_cast<Meaning*>(data)->open(joined(element.ns, element.name), std::move(list));
      },
      [](void* data, const char*) { static_cast<Meaning*>(data)->close(); });
  XML_SetCharacterDataHandler(expat, [](void* data, const char* text, int size) {
    static_cast<Meaning*>(data)->text.append(text, static_cast<std::size_t>(size));
  });
  const XML_Status status = XML_Parse(expat, stream.data(), static_cast<int>(stream.size()), XML_TRUE);
  if (status != XML_STATUS_OK)
    meaning.text = "expat refuses: "s + XML_ErrorString(XML_GetErrorCode(expat)) + " in " + stream;
  XML_ParserFree(expat);
  return meaning.text;
}

std::string text_of(const xmlChar* text) { return text == nullptr ? "" : reinterpret_cast<const char*>(text); }

void read_node(const xmlNode* node, Meaning& meaning) {
  const auto ns_of = [](const xmlNs* ns) { return ns == nullptr ? "" : text_of(ns->href); };
  Attributes list;
  for (const xmlAttr* attribute = node->properties; attribute != nullptr; attribute = attribute->next) {
    xmlChar* value = xmlNodeListGetString(node->doc, attribute->children, 1);
    list.emplace_back(joined(ns_of(attribute->ns), text_of(attribute->name)), text_of(value));
    xmlFree(value);
  }
  meaning.open(joined(ns_of(node->ns), text_of(node->name)), std::move(list));
  for (const xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) read_node(child, meaning);
    if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) meaning.text += text_of(child->content);
  }
  meaning.close();
}

std::string meaning_by_libxml2(const std::string& stream) {
  xmlDoc* document = xmlReadMemory(stream.data(), static_cast<int>(stream.size()), "", "UTF-8",
                                   XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  if (document == nullptr) return "libxml2 refuses " + stream;
  Meaning meaning;
  read_node(xmlDocGetRootElement(document), meaning);
  xmlFreeDoc(document);
  return meaning.text;
}

// One stream's namespace read as another's, in element names and attribute names, root's own attributes aside.
std::string with_namespace(std::string meaning, const std::string& from, const std::string& to) {
  for (const char* open : {"(", "["}) {
    const std::string old_name = open + from + "}";
    for (std::size_t at = 0; (at = meaning.find(old_name, at)) != std::string::npos; at += to.size())
      meaning.replace(at, old_name.size(), open + to + "}");
  }
  return meaning;
}
std::string without_root(const std::string& meaning) {
  const std::size_t second = meaning.find('(', 1);
  return second == std::string::npos ? meaning : meaning.substr(second);
}

struct Passed {
  std::string bytes, as_read, as_meant, as_read_by_libxml2;
  bool is_unchanged = false;
};
struct Passer : Sink {
  Passage passage;
  std::string out;
  bool is_unchanged = false;
  std::string own_ns;
  std::optional<Reason> cannot_pass;
  std::optional<Header> seen;
  Take header(const Header& header) override {
    seen = header;
    return Take::more;
  }
  Take element(const ElementView& element) override {
    passage.from = &*seen;
    append_passed(out, element, passage);
    is_unchanged = passes_unchanged(element, passage);
    own_ns = element.own_ns;
    cannot_pass = element.cannot_pass;
    return Take::more;
  }
  void close() override {}
};

Passed pass(const std::string& element, bool to_component = true, std::optional<std::string_view> from_lang = {},
            std::optional<std::string_view> to_lang = {}) {
  const std::string source = tag_of(kServer, from_lang);
  const std::string target = tag_of(to_component ? kComponent : kServer, to_lang);
  Parser parser({.stanza_size = 1 << 20});
  Passer passer;
  passer.passage.content_ns = to_component ? "jabber:component:accept" : "jabber:server";
  passer.passage.to_lang = to_lang;
  const Fed fed = parser.feed(source + element, passer);
  if (fed.fault) ADD_FAILURE() << fed.fault->text << " in " << element;
  Passed passed;
  passed.bytes = passer.out;
  passed.is_unchanged = passer.is_unchanged;
  const std::string ns(passer.passage.content_ns);
  passed.as_meant =
      with_namespace(without_root(meaning_by_expat(source + element + "</stream:stream>")), passer.own_ns, ns);
  passed.as_read = without_root(meaning_by_expat(target + passer.out + "</stream:stream>"));
  passed.as_read_by_libxml2 = without_root(meaning_by_libxml2(target + passer.out + "</stream:stream>"));
  EXPECT_EQ(passed.as_read, passed.as_meant) << element << "\n" << passer.out;
  EXPECT_EQ(passed.as_read_by_libxml2, passed.as_meant) << element << "\n" << passer.out;
  return passed;
}

const std::string kBodies[] = {
    "<message to='a@b' id='1'><body>x &amp; y ]]&gt; &#13; &lt;</body></message>",
    "<message><body>a\r\nb\tc\n</body><x xmlns='u' a='&#10;&#9;&#13; &quot;&apos;&lt;&gt;' b=\"'\" c='\"'/></message>",
    "<message><![CDATA[ <x> & ]] > \"']]><y><![CDATA[]]></y>]]&gt;</message>",
    "<message xmlns='jabber:server'><body>x</body></message>",
    "<message><body xmlns='jabber:server'>x</body><y xmlns='u'><z xmlns='jabber:server'/><z xmlns=''/></y></message>",
    "<a:message xmlns:a='jabber:server' a:x='1'><a:body xmlns:a='u'/><a:body/></a:message>",
    "<message><stream:error xmlns='u'><x/></stream:error><db:result/></message>",
    "<message><db:a db:b='1'><db:c xmlns:db='u'/><db:d/></db:a><db:e/></message>",
    "<message db:a='1'><x xmlns:db='jabber:server' db:b='2'><db:y/></x></message>",
    "<db:result from='a' to='b'>key</db:result>",
    "<iq xmlns='jabber:client' xmlns:s='jabber:server'><s:x s:y='1'/></iq>",
    "<message xml:lang='de'><body xml:lang=''>x</body><body xml:space='preserve'> </body></message>",
    "<message/>",
    "<message  />",
    "<message\n\tto='x'/>",
    "<message></message>",
    "<message>Grüße 你好 😀<é:ü xmlns:é='u' é:ß='1'/></message>",
    "<message><x xmlns='jabber:component:accept' xmlns:j='jabber:component:accept' j:a='1'/></message>",
    "<message><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' "
    "to='x'><body>y</body></message></forwarded></message>",
};

// XML-04, XML-06, AB-033, AB-034
TEST(Writer, PassedElements_MeanTheSame) {
  for (const std::string& body : kBodies) {
    pass(body, true);
    pass(body, false);
  }
}

// XML-05, XML-06
TEST(Writer, InheritedLanguage_IsKept) {
  const std::optional<std::string_view> langs[] = {std::nullopt, "", "en", "x'&<"};
  for (const std::string& body : kBodies)
    for (const auto& from : langs)
      for (const auto& to : langs) pass(body, true, from, to);
}

// XML-04
TEST(Writer, UnchangedMeaning_UnchangedBytes) {
  for (const auto* same : {"<message to='a'><body>x</body></message>", "<m  a = \"1\"/>", "<m><![CDATA[x]]>&#65;</m>",
                           "<m><x xmlns='u' xmlns:p='v' p:a='1'/></m>"}) {
    const Passed passed = pass(same);
    EXPECT_EQ(passed.bytes, same);
    EXPECT_TRUE(passed.is_unchanged);
  }
  EXPECT_FALSE(pass("<m xmlns='jabber:server'/>").is_unchanged);
  EXPECT_FALSE(pass("<m/>", true, "en").is_unchanged);
  EXPECT_TRUE(pass("<m xml:lang='de'/>", true, "en").is_unchanged);
  EXPECT_TRUE(pass("<m/>", true, "en", "en").is_unchanged);
}

// XML-05
TEST(Writer, MissingLanguage_IsOneInsertion) {
  EXPECT_EQ(pass("<message to='a'><body>x</body></message>", true, "en").bytes,
            "<message xml:lang='en' to='a'><body>x</body></message>");
  EXPECT_EQ(pass("<message/>", true, "en").bytes, "<message xml:lang='en'/>");
  EXPECT_EQ(pass("<message\n/>", true, "a'b").bytes, "<message xml:lang='a&apos;b'\n/>");
  EXPECT_EQ(pass("<message/>", true, {}, "en").bytes, "<message xml:lang=''/>");
}

// XML-04, COMP-03, AB-033
TEST(Writer, NamespaceNamed_IsReplacedAlone) {
  EXPECT_EQ(pass("<m xmlns='jabber:server' a='jabber:server'><b>jabber:server</b><c xmlns='jabber:client'/></m>").bytes,
            "<m xmlns='jabber:component:accept' a='jabber:server'><b>jabber:server</b><c xmlns='jabber:client'/></m>");
  EXPECT_EQ(pass("<m><db:x/><db:y/></m>").bytes, "<m xmlns:db='jabber:server:dialback'><db:x/><db:y/></m>");
  EXPECT_EQ(pass("<m><stream:x/><![CDATA[<>&]]></m>").bytes,
            "<m xmlns:stream='http://etherx.jabber.org/streams'><stream:x/><![CDATA[<>&]]></m>");
}

// COMP-03: what bridges send behind other servers' component ports.
TEST(Writer, ContentNamespaceOfItsOwn_IsTheOneTranslated) {
  EXPECT_EQ(pass("<message xmlns='jabber:client' to='a'><body>x</body></message>").bytes,
            "<message xmlns='jabber:component:accept' to='a'><body>x</body></message>");
  EXPECT_EQ(pass("<c:iq xmlns:c='jabber:client'><x xmlns='u'/></c:iq>", false).bytes,
            "<c:iq xmlns:c='jabber:server'><x xmlns='u'/></c:iq>");
}

// AB-180: what a stanza becomes is at most its own size and one constant, whatever its header declares and however often it
// uses that. Where the constant would not do, the parser says so, and nobody passes it on.
TEST(Writer, WhatIsPassedOn_IsBoundedByItsOwnSize) {
  const std::string header =
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:p='" +
      std::string(3800, 'n') + "' xml:lang='de'>";
  std::size_t passed = 0, refused = 0;
  for (const std::string child : {"<p:a/>", "<b xmlns='jabber:server'/>", "<b p:x='1'>\"\"''&#39;</b>", "<c/>"}) {
    for (const std::size_t times : {0, 1, 5, 400}) {
      std::string element = "<message>";
      for (std::size_t i = 0; i < times; ++i) element += child;
      element += "</message>";
      Parser parser({.stanza_size = 1 << 20});
      Passer passer;
      passer.passage.content_ns = "jabber:component:accept";
      ASSERT_FALSE(parser.feed(header + element, passer).fault);
      ASSERT_FALSE(passer.out.empty());
      if (passer.cannot_pass) {
        ++refused;
        EXPECT_EQ(*passer.cannot_pass, Reason::stanza_invalid);
      } else {
        ++passed;
        EXPECT_LE(passer.out.size(), element.size() + 4096) << child << " " << times;
      }
    }
  }
  EXPECT_EQ(refused, 1u);  // 400 times the content namespace by name, on top of that header
  EXPECT_EQ(passed, 15u);
}

// AB-013, AB-180: the cost of rewriting grows with the stanza, not with its square.
TEST(Writer, ManyPrefixes_CostByTheirNumber) {
  const auto cost = [](std::size_t n) {
    const std::string element = with_many_prefixes("message", n, "<db:a/>");
    work_done = 0;
    Parser parser({.stanza_size = 1 << 20});
    Passer passer;
    passer.passage.content_ns = "jabber:component:accept";
    EXPECT_FALSE(parser.feed(tag_of(kServer, {}) + element, passer).fault);
    EXPECT_FALSE(passer.out.empty());
    return work_done;
  };
  const auto once = cost(40), twice = cost(80);
  EXPECT_GT(once, 4000u);
  EXPECT_LT(twice, 3 * once);
}

// AB-033: a peer must not be able to make us send what ends the component's stream.
TEST(Writer, AttributesThatWouldBecomeTheSame_AreWrittenOnce) {
  const std::string element = "<m xmlns:a='jabber:server' xmlns:b='jabber:component:accept' a:x='1' b:x='2' a:y='3'/>";
  Parser parser{Limits{}};
  Passer passer;
  passer.passage.content_ns = "jabber:component:accept";
  parser.feed(tag_of(kServer, {}) + element, passer);
  EXPECT_EQ(without_root(meaning_by_expat(tag_of(kComponent, {}) + passer.out + "</stream:stream>")),
            "(jabber:component:accept}m~[jabber:component:accept}x=1][jabber:component:accept}y=3]))");
}

// AB-034, XML-06
TEST(Writer, RandomElements_MeanTheSame) {
  std::mt19937 random(7'120);
  const auto one_of = [&](std::initializer_list<const char*> choices) {
    return choices.begin()[random() % choices.size()];
  };
  for (int round = 0; round < 3'000 && !testing::Test::HasFailure(); ++round) {
    std::string element, end;
    const int levels = static_cast<int>(random() % 4) + 1;
    for (int level = 0; level < levels; ++level) {
      // A prefix "q" is declared on each first-level element, so that it may be used.
      const std::string name = one_of({"m", "stream:m", "db:m", "q:m", "x"});
      element += "<" + name;
      if (level == 0) element += " xmlns:q='"s + one_of({"u", "jabber:server", "v"}) + "'";
      if (random() % 3 == 0) element += " xmlns='"s + one_of({"", "u", "jabber:server", "jabber:client"}) + "'";
      if (random() % 4 == 0) element += " xmlns:db='"s + one_of({"u", "jabber:server"}) + "'";
      if (random() % 3 == 0) element += " a='"s + one_of({"&#13;", "\n", "&lt;>", "&quot;\"", "]]>", "é"}) + "'";
      if (random() % 4 == 0) element += " stream:a='1'";
      if (random() % 4 == 0) element += " xml:lang='"s + one_of({"", "de"}) + "'";
      element += ">"s + one_of({"", "x", "\r\n", "&#13;\t", "<![CDATA[<&>]]>", "]]&gt;", "<e xmlns=''/>", "<db:e/>"});
      end = "</" + name + ">" + one_of({"", "y", "<stream:e/>", "<q:e/>"}) + end;
      if (level + 1 == levels) break;
    }
    // What stands behind the first-level element's own end is cut off.
    const std::size_t last = end.rfind("</");
    end = end.substr(0, end.find('>', last) + 1);
    pass(element + end, random() % 2 == 0, random() % 2 ? std::optional("en") : std::nullopt,
         random() % 4 == 0 ? std::optional("fr") : std::nullopt);
  }
}

// AB-034
TEST(Writer, EscapedText_IsReadAsItWas) {
  const std::string text = "<&>\"'\r\n\t]]> é 😀 \x7F";
  EXPECT_EQ(escaped("<&>\"'"), "&lt;&amp;&gt;&quot;&apos;");
  for (const std::string& document :
       {"<r>" + escaped(text) + "</r>", "<r a='" + escaped(text) + "'/>", "<r a=\"" + escaped(text) + "\"/>"}) {
    EXPECT_THAT(meaning_by_expat(document), testing::HasSubstr(text));
    EXPECT_THAT(meaning_by_libxml2(document), testing::HasSubstr(text));
  }
}

// AB-005: what XML cannot carry is replaced, so that what we write is always well-formed.
TEST(Writer, CharactersOutsideOfXml_AreReplaced) {
  EXPECT_EQ(escaped("a\0b\x01\x1F"s),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(escaped("\xC3"), "\xEF\xBF\xBD");
  EXPECT_EQ(escaped("\xEF\xBF\xBF!"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD!");
  std::string all;
  for (int c = 0; c < 256; ++c) all += std::string(1, static_cast<char>(c)) + "x\xED\xA0\x80\xC3\xA9";
  EXPECT_THAT(meaning_by_expat("<r a='" + escaped(all) + "'>" + escaped(all) + "</r>"), testing::StartsWith("(}r"));
}

}  // namespace
}  // namespace ligase::xml
