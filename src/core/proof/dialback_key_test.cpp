#include "proof/dialback_key.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace ligase::proof {
namespace {

Domain domain(std::string_view text) { return Domain::parse(text).value(); }
constexpr std::string_view kSecret = "s3cr3tf0rd14lb4ck";

TEST(DialbackKey, ExampleOfXep0185_GivesItsKey) {  // DB-01
  const DialbackKey key = DialbackKey::derive(kSecret, domain("xmpp.example.com"), domain("example.org"), "D60000229F");
  EXPECT_EQ(key.wire_text(), "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643");
}

TEST(DialbackKey, ExampleOfXep0220_GivesItsKey) {  // DB-01
  const DialbackKey key =
      DialbackKey::derive(kSecret, domain("montague.example"), domain("capulet.example"), "D60000229F");
  EXPECT_EQ(key.wire_text(), "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3");
}

TEST(DialbackKey, KeyUsedForAnythingElse_IsAnotherKey) {  // AB-079
  const Domain target = domain("target1.tld"), sender = domain("sender1.tld");
  const DialbackKey key = DialbackKey::derive(kSecret, target, sender, "b1");
  EXPECT_TRUE(key == DialbackKey::derive(kSecret, target, sender, "b1"));
  EXPECT_FALSE(key == DialbackKey::derive(kSecret, target, sender, "b2"));                 // other stream
  EXPECT_FALSE(key == DialbackKey::derive(kSecret, domain("target2.tld"), sender, "b1"));  // other pair
  EXPECT_FALSE(key == DialbackKey::derive(kSecret, target, domain("sender2.tld"), "b1"));  // other pair
  EXPECT_FALSE(key == DialbackKey::derive(kSecret, sender, target, "b1"));                 // swapped
  EXPECT_FALSE(key == DialbackKey::derive("another secret", target, sender, "b1"));        // after a new secret
}

TEST(DialbackKey, ShiftedConcatenation_IsAnotherKey) {  // AB-079
  const DialbackKey one = DialbackKey::derive(kSecret, domain("example.info"), domain("rm.example.org"), "1");
  EXPECT_FALSE(one == DialbackKey::derive(kSecret, domain("example.in"), domain("form.example.org"), "1"));
}

TEST(DialbackKey, TruncatedOrChangedHex_DoesNotCompareEqual) {  // AB-079
  const DialbackKey key = DialbackKey::derive(kSecret, domain("target1.tld"), domain("sender1.tld"), "b1");
  const std::string text(key.wire_text());
  EXPECT_TRUE(key == DialbackKey::parse(text).value());
  for (std::size_t length = 1; length < text.size(); ++length)
    EXPECT_FALSE(key == DialbackKey::parse(text.substr(0, length)).value()) << length;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_FALSE(key == DialbackKey::parse(changed).value()) << i;
  }
  EXPECT_FALSE(key == DialbackKey::parse(text + "0").value());
}

TEST(DialbackKey, TextOfAPeer_IsBounded) {  // AB-079
  EXPECT_EQ(DialbackKey::parse("\n    b483\n").value().wire_text(), "b483");
  EXPECT_TRUE(DialbackKey::parse(std::string(1024, 'a')));
  EXPECT_EQ(DialbackKey::parse("caf\xC3\xA9").value().wire_text(), "caf\xC3\xA9");  // any text may be a key
  for (const std::string& bad : {std::string(), std::string(" \n\t"), std::string(1025, 'a'), std::string("a\0b", 3),
                                 std::string("a\x7F"), std::string("a\nb"), std::string("\xFF\xFE")}) {
    const Result<DialbackKey> key = DialbackKey::parse(bad);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().reason, Reason::dialback_invalid);
    EXPECT_EQ(key.error().detail.find(bad.empty() ? "\x01" : bad), std::string::npos);  // SEC-02: never echoed
  }
}

// A key cannot become text by accident: no conversion, no default.
static_assert(!std::is_convertible_v<DialbackKey, std::string>);
static_assert(!std::is_convertible_v<DialbackKey, std::string_view>);
static_assert(!std::is_default_constructible_v<DialbackKey>);

}  // namespace
}  // namespace ligase::proof
