// Encodings against the vectors of RFC 4648, and what makes a stranger's bytes safe to show.
#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace ligase {
namespace {

TEST(Base64, VectorsOfTheRfc_BothWays) {  // RFC 4648 §10
  const std::pair<std::string, std::string> vectors[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                                                         {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64(as_bytes(plain)), encoded);
    Bytes decoded;
    ASSERT_TRUE(from_base64(encoded, decoded)) << encoded;
    EXPECT_EQ(as_text(decoded), plain);
  }
}

TEST(Base64, EveryByteValue_SurvivesTheRoundTrip) {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  Bytes decoded;
  ASSERT_TRUE(from_base64(base64(all), decoded));
  EXPECT_EQ(decoded, all);
}

TEST(Base64, AnythingButTheStrictForm_IsRefused) {
  for (const char* text :
       {"Zg", "Zg=", "Zg===", "Z", "Zm9v=", "Zm9v Zm9v", "Zm9v\n", "Zm-_", "=m9v", "Zg==Zg==", "Z===", "Zm=v"}) {
    Bytes decoded;
    EXPECT_FALSE(from_base64(text, decoded)) << text;
  }
}

TEST(Base64, BitsBehindTheEnd_AreRefused) {  // two encodings of one value would be two keys for one cache
  Bytes decoded;
  EXPECT_FALSE(from_base64("Zh==", decoded));
  EXPECT_FALSE(from_base64("Zm9=", decoded));
}

TEST(Hex, IsLowerCaseAndPadded) { EXPECT_EQ(hex(Bytes{0x00, 0x0f, 0xa0, 0xff}), "000fa0ff"); }

TEST(ConstantTime, EqualOnlyIfEveryByteIs) {  // AB-108
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("Secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secret1"));
  EXPECT_FALSE(equal_in_constant_time("secret", ""));
  EXPECT_FALSE(equal_in_constant_time(std::string("a\0b", 3), std::string("a\0c", 3)));
}

TEST(Utf8, FormsThatMeanOneCharacterOnly_AreTaken) {
  for (const char* text : {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xF4\x8F\xBF\xBF", "\xC2\x80", "\xE0\xA0\x80", "\xF0\x90\x80\x80"})
    EXPECT_TRUE(is_utf8(text)) << hex(as_bytes(text));
}

TEST(Utf8, OverlongSurrogateTooHighOrCut_IsRefused) {  // AB-005
  for (const char* text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xF0\x80\x80\x80",
                           "\xF0\x8F\xBF\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
                           "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "a\xC3z", "\xE2\x28\xA1"})
    EXPECT_FALSE(is_utf8(text)) << hex(as_bytes(text));
}

TEST(Escaped, PlainTextAndOtherScripts_StayAsTheyAre) {
  EXPECT_EQ(escaped("target1.tld"), "target1.tld");
  EXPECT_EQ(escaped("b\xC3\xBC"
                    "cher.example"),
            "b\xC3\xBC"
            "cher.example");
}

TEST(Escaped, WhatCouldForgeARecord_IsShownAsCode) {  // AB-110
  for (const std::string& text :
       {std::string("a\r\nevent=ready"), std::string("a\x1b[2J"), std::string("a\0b", 3), std::string("a\x7f"),
        std::string("a\xE2\x80\xAE"
                    "b"),
        std::string("a\xE2\x81\xA6"
                    "b"),
        std::string("a\xC2\x85"
                    "b")}) {
    const std::string shown = escaped(text);
    EXPECT_NE(shown.find("\\x"), std::string::npos) << hex(as_bytes(text));
    EXPECT_TRUE(std::none_of(shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
    EXPECT_EQ(shown.find("\xE2\x80\xAE"), std::string::npos);
    EXPECT_EQ(shown.find("\xE2\x81\xA6"), std::string::npos);
    EXPECT_EQ(shown.find("\xC2\x85"), std::string::npos);
  }
  EXPECT_EQ(escaped("a\"b\\c"), "a\\\"b\\\\c");
}

TEST(Escaped, InvalidUtf8_IsShownAsCode_NeverPassedOn) {
  EXPECT_TRUE(is_utf8(escaped("a\xC0\x80\xFFz")));
  EXPECT_NE(escaped("a\xFFz").find("\\xff"), std::string::npos);
}

TEST(Escaped, TooLong_IsCutBetweenCharacters) {  // AB-110: 10 KB in a field
  const std::string shown = escaped(std::string(10'000, 'x'), 256);
  EXPECT_LE(shown.size(), 256u + 3);
  EXPECT_TRUE(shown.ends_with("…"));
  std::string wide;
  for (int i = 0; i < 5'000; ++i) wide += "\xC3\xA9";
  EXPECT_TRUE(is_utf8(escaped(wide, 255)));
}

}  // namespace
}  // namespace ligase
