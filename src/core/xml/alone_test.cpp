#include "xml/alone.hpp"

#include <gtest/gtest.h>

namespace ligase::xml {
namespace {

// XML-04, AB-182
TEST(StandsAlone, OneWholeElement_AndNothingElse) {
  for (const auto* good :
       {"<m/>", "<m a='>'>x<b/></m>", "<m xmlns:p='u'><p:a/></m>", "<m xml:lang='en'><![CDATA[</m>]]></m>"})
    EXPECT_TRUE(stands_alone(good, "jabber:server")) << good;
  for (const auto* bad : {"", " ", "<m>", "<m/><m/>", "<m/> ", "x<m/>", "<m><p:a/></m>", "<m a='1' a='2'/>",
                          "<m>&no;</m>", "<m></n>", "<m/></stream>", "<!-- --><m/>", "<m/><n", "<m>\xFF</m>"})
    EXPECT_FALSE(stands_alone(bad, "jabber:server")) << bad;
}

#ifdef LIGASE_CHECK_OUTPUT
TEST(StandsAlone, DebugBuild_StopsWhatDoesNot) {
  ensure_stands_alone("<m/>", "jabber:server");
  EXPECT_DEATH(ensure_stands_alone("<m><p:a/></m>", "jabber:server"), "well-formed by itself");
}
#endif

}  // namespace
}  // namespace ligase::xml
