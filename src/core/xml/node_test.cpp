// Small elements as trees.
#include <gtest/gtest.h>

#include "xml/parser.hpp"

namespace ligase::xml {
namespace {

using namespace std::string_literals;

const std::vector<Declaration> kDeclarations = {
    {"", "jabber:server"}, {"stream", "http://etherx.jabber.org/streams"}, {"odd", "a'b<&>\"\n"}};

TEST(Node, Element_BecomesATreeInItsStreamsContext) {
  const auto node = to_node(
      "<stream:features a='1' xml:lang='de'> x<starttls xmlns='urn:tls'><required/></starttls>y &amp; "
      "<![CDATA[z]]><iq odd:b='&lt;'/></stream:features>",
      kDeclarations);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->name, "features");
  EXPECT_EQ(node->ns, "http://etherx.jabber.org/streams");
  EXPECT_EQ(node->text, " xy & z");
  EXPECT_EQ(node->attribute("a"), "1");
  EXPECT_EQ(node->attribute("lang"), std::nullopt);
  ASSERT_EQ(node->children.size(), 2u);
  ASSERT_NE(node->child("starttls", "urn:tls"), nullptr);
  EXPECT_NE(node->child("starttls", "urn:tls")->child("required", "urn:tls"), nullptr);
  EXPECT_EQ(node->child("starttls", "jabber:server"), nullptr);
  const Node* iq = node->child("iq", "jabber:server");
  ASSERT_NE(iq, nullptr);
  EXPECT_EQ(iq->attributes.at(0).ns, "a'b<&>\"\n");
  EXPECT_EQ(iq->attributes.at(0).value, "<");
  EXPECT_EQ(iq->attribute("b"), std::nullopt);
}

// XML-01
TEST(Node, WhatIsNotOneElement_IsNone) {
  for (const auto* text : {"",
                           " ",
                           "x",
                           "<a>",
                           "</a>",
                           "<a/><b/>",
                           "<a/>x",
                           "x<a/>",
                           "<a></b>",
                           "<p:a/>",
                           "<a>&no;</a>",
                           "<a><!-- --></a>",
                           "<a><?p?></a>",
                           "<a/></context>",
                           "</context><context><a/>",
                           "<a/><",
                           "<a/>&",
                           "<a/></context",
                           "<a/><b",
                           "\xFF",
                           "<a b='\x01'/>"})
    EXPECT_FALSE(to_node(text, kDeclarations)) << text;
}

// AB-012, AB-029
TEST(Node, SizeAndDepth_AreBounded) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "<a>";
    for (int i = 0; i < depth; ++i) text += "</a>";
    return text;
  };
  EXPECT_TRUE(to_node(nested(16), {}));
  EXPECT_FALSE(to_node(nested(17), {}));
  EXPECT_FALSE(to_node(nested(100'000), {}));
  const auto wide = [](int count) {
    std::string text = "<a>";
    for (int i = 0; i < count; ++i) text += "<b/>";
    return text + "</a>";
  };
  EXPECT_TRUE(to_node(wide(255), {}));
  EXPECT_FALSE(to_node(wide(256), {}));
  EXPECT_FALSE(to_node(wide(10'000), {}));
}

}  // namespace
}  // namespace ligase::xml
