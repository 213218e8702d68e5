#include "proof/posh.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/certificates.hpp"

namespace ligase::proof {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

struct Leaf {
  test::MadeCertificate made = test::make_self_signed({"xmpp1.receiving.tld"});
  std::shared_ptr<const Chain> chain = *Chain::parse({made.der});
  std::string sha256 = base64(test::sha256(made.der)), sha512 = base64(test::sha512(made.der));
};
const Leaf& leaf() {
  static const Leaf made;
  return made;
}
const Leaf& other() {
  static const Leaf made;
  return made;
}

std::string document(const std::string& descriptors, const std::string& expires = "86400") {
  return fmt::format(R"({{"fingerprints":[{}],"expires":{}}})", descriptors, expires);
}
std::string sha256_of(const Leaf& whose) { return fmt::format(R"({{"sha-256":"{}"}})", whose.sha256); }

// The hashes that matched, or why there is no document, or "no match".
std::string verdict(const std::string& json) {
  const Result<PoshDocument> read = parse_posh(json);
  if (!read) {
    EXPECT_EQ(read.error().reason, Reason::posh_failed);
    return read.error().detail;
  }
  return match_posh(std::get<PoshFingerprints>(*read).descriptors, *leaf().chain).value_or("no match");
}
seconds expires_of(const std::string& json) {
  const Result<PoshDocument> read = parse_posh(json);
  EXPECT_TRUE(read) << read.error().detail;
  return read ? std::get<PoshFingerprints>(*read).expires : seconds(-1);
}

TEST(Posh, ALeafIsFoundByItsDigest) {  // POSH-03
  EXPECT_EQ(verdict(document(sha256_of(leaf()))), "sha-256");
  EXPECT_EQ(verdict(document(sha256_of(other()))), "no match");
  EXPECT_EQ(verdict(document(sha256_of(other()) + "," + sha256_of(leaf()))), "sha-256");  // any descriptor
  EXPECT_EQ(verdict(document(fmt::format(R"({{"sha-256":"{}","sha-512":"{}"}})", leaf().sha256, leaf().sha512))),
            "sha-256, sha-512");
  Bytes digest(48);
  EVP_Digest(leaf().made.der.data(), leaf().made.der.size(), digest.data(), nullptr, EVP_sha384(), nullptr);
  EXPECT_EQ(verdict(document(fmt::format(R"({{"sha-384":"{}"}})", base64(digest)))), "sha-384");
}

TEST(Posh, OfOneDescriptorAllKnownHashesMustMatch) {  // POSH-03
  for (const auto& [first, second] : {std::pair{&leaf(), &other()}, std::pair{&other(), &leaf()}})
    EXPECT_EQ(verdict(document(fmt::format(R"({{"sha-256":"{}","sha-512":"{}"}})", first->sha256, second->sha512))),
              "no match");
  EXPECT_EQ(verdict(document(fmt::format(R"({{"sha-1":"AAAA","md5":7,"sha-256":"{}"}})", leaf().sha256))), "sha-256");
}

TEST(Posh, PaddingMayBeLeftOut) {  // POSH-03
  std::string bare = leaf().sha512;
  bare.erase(bare.find('='));
  EXPECT_EQ(verdict(document(fmt::format(R"({{"sha-512":"{}"}})", bare))), "sha-512");
  bare = leaf().sha256;
  bare.erase(bare.find('='));
  EXPECT_EQ(verdict(document(fmt::format(R"({{"sha-256":"{}"}})", bare))), "sha-256");
}

TEST(Posh, WeakAndUnknownHashes_AreNoFingerprints) {  // AB-154
  for (const std::string& descriptor :
       std::vector<std::string>{R"({"sha-1":"2jmj7l5rSw0yVb/vlWAYkK/YBwk="})", R"({"md5":"1B2M2Y8AsgTpgAmY7PhCfg=="})",
                                R"({"sha-224":"AA=="})", R"({"SHA-256":"AA=="})", R"({"tofu":{"a":[1]}})", "{}"})
    EXPECT_THAT(verdict(document(descriptor)), HasSubstr("no fingerprint in it can be used")) << descriptor;
  EXPECT_THAT(verdict(document("")), HasSubstr("\"fingerprints\" is empty"));
}

TEST(Posh, ADigestThatIsNone_SpoilsItsDescriptorAndNoOther) {  // AB-154
  const std::string whole = leaf().sha256;
  const std::vector<std::string> bad{"",
                                     "AAAA",
                                     whole.substr(4),
                                     "AAAA" + whole,
                                     whole + "=",
                                     whole.substr(0, 42) + "==",
                                     "*" + whole.substr(1),
                                     whole.substr(0, 20) + "\\n" + whole.substr(20),
                                     " " + whole,
                                     leaf().sha512};
  for (const std::string& value : bad) {
    const std::string one = fmt::format(R"({{"sha-256":"{}"}})", value);
    EXPECT_THAT(verdict(document(one)), HasSubstr("no fingerprint in it can be used")) << value;
    EXPECT_EQ(verdict(document(one + "," + sha256_of(leaf()))), "sha-256") << value;
    // A good digest beside it does not mend it: all must match.
    const std::string both = fmt::format(R"({{"sha-256":"{}","sha-512":"{}"}})", value, leaf().sha512);
    EXPECT_THAT(verdict(document(both)), HasSubstr("no fingerprint in it can be used")) << value;
  }
  // The padding bits are zero (RFC 4648 §3.5): one digest has one text.
  std::string twin = whole;
  ++twin[42];
  Bytes ignored;
  ASSERT_FALSE(from_base64(twin, ignored));
  EXPECT_THAT(verdict(document(fmt::format(R"({{"sha-256":"{}"}})", twin))), HasSubstr("no fingerprint"));
}

TEST(Posh, OfTenThousandFingerprintsTheFirst64AreLookedAt) {  // AB-154
  std::string many = sha256_of(other());
  for (int i = 1; i < 63; ++i) many += "," + sha256_of(other());
  EXPECT_EQ(verdict(document(many + "," + sha256_of(leaf()))), "sha-256");
  EXPECT_EQ(verdict(document(many + "," + sha256_of(other()) + "," + sha256_of(leaf()))), "no match");
  for (int i = 0; i < 10'000; ++i) many += "," + sha256_of(leaf());
  const Result<PoshDocument> read = parse_posh(document(many));
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<PoshFingerprints>(*read).descriptors.size(), 64u);
  // Those that cannot match count as well: looked at is looked at.
  std::string weak = R"({"sha-1":"AA=="})";
  for (int i = 1; i < 64; ++i) weak += R"(,{"sha-1":"AA=="})";
  EXPECT_THAT(verdict(document(weak + "," + sha256_of(leaf()))), HasSubstr("no fingerprint in it can be used"));
}

TEST(Posh, Expires_IsAnIntegerAboveZero) {  // AB-155
  for (const std::string& bad : std::vector<std::string>{"-1", "-0.0", "1.5", "86400.0", "1e3", "1e999", "\"86400\"",
                                                         "null", "true", "[86400]", "{}"})
    EXPECT_THAT(verdict(document(sha256_of(leaf()), bad)), HasSubstr("expires")) << bad;
  EXPECT_THAT(verdict(document(sha256_of(leaf()), "0")), HasSubstr("\"expires\" is 0"));
  EXPECT_THAT(verdict(document(sha256_of(leaf()), "-0")), HasSubstr("\"expires\" is 0"));
  EXPECT_THAT(verdict(fmt::format(R"({{"fingerprints":[{}]}})", sha256_of(leaf()))),
              HasSubstr("\"expires\" is missing"));
  EXPECT_EQ(verdict(document(sha256_of(leaf()), "1")), "sha-256");
  for (const std::string& huge :
       std::vector<std::string>{"1000000000000000000", "18446744073709551615", "1000000000000000000000000000000"})
    EXPECT_EQ(clamp_posh_expiry(expires_of(document(sha256_of(leaf()), huge))), std::chrono::hours(24)) << huge;
}

TEST(Posh, Expiry_IsClamped) {  // AB-155
  EXPECT_EQ(expires_of(document(sha256_of(leaf()), "604800")), seconds(604'800));
  EXPECT_EQ(clamp_posh_expiry(seconds(1)), std::chrono::minutes(5));
  EXPECT_EQ(clamp_posh_expiry(seconds(3601)), seconds(3601));
  EXPECT_EQ(clamp_posh_expiry(seconds(604'800)), std::chrono::hours(24));
}

TEST(Posh, WhatIsNoDocument_IsRefused) {  // AB-153
  const std::string good = sha256_of(leaf());
  for (const std::string& json :
       std::vector<std::string>{std::string(),
                                std::string("null"),
                                std::string("[]"),
                                std::string("7"),
                                std::string("<html>not JSON</html>"),
                                std::string("\"x\""),
                                std::string("{}"),
                                document(good).substr(0, 40),
                                document(good) + "x",
                                document(good) + "{}",
                                document(good) + " " + document(good),
                                "\xEF\xBB\xBF" + document(good),
                                document(good + ","),
                                "// comment\n" + document(good),
                                R"({"fingerprints":{},"expires":1})",
                                R"({"fingerprints":"x","expires":1})",
                                R"({"fingerprints":[["x"]],"expires":1})",
                                R"({"fingerprints":["x"],"expires":1})",
                                R"({"fingerprints":[null],"expires":1})",
                                R"({"fingerprints":[{"sha-256":7}],"expires":1})",
                                R"({"fingerprints":[{"sha-256":["x"]}],"expires":1})",
                                R"({"fingerprints":[{"sha-256":{}}],"expires":1})",
                                R"({"fingerprints":[{"sha-256":null}],"expires":1})",
                                R"({"url":7,"expires":1})",
                                R"({"url":null,"expires":1})",
                                R"({"url":["https://a.tld/"],"expires":1})",
                                fmt::format(R"({{"fingerprints":[{}],"url":"https://a.tld/","expires":1}})", good)})
    EXPECT_THAT(verdict(json), HasSubstr("no POSH document: ")) << json;
  EXPECT_EQ(verdict(document(good) + " \r\n\t"), "sha-256");  // white space is no data
}

TEST(Posh, DuplicateMembers_AreRefusedAtEveryLevel) {  // AB-153
  const std::string good = sha256_of(leaf()), digest = leaf().sha256;
  for (const std::string& json : std::vector<std::string>{
           fmt::format(R"({{"fingerprints":[{0}],"fingerprints":[{0}],"expires":1}})", good),
           fmt::format(R"({{"fingerprints":[{}],"expires":1,"expires":1}})", good),
           fmt::format(R"({{"fingerprints":[{}],"expires":1,"e\u0078pires":1}})", good),
           fmt::format(R"({{"fingerprints":[{{"sha-256":"{0}","sha-256":"{0}"}}],"expires":1}})", digest),
           fmt::format(R"({{"fingerprints":[{}],"expires":1,"x":{{"a":1,"a":2}}}})", good),
           std::string(R"({"url":"https://a.tld/","url":"https://a.tld/","expires":1})")})
    EXPECT_THAT(verdict(json), HasSubstr("stands there twice")) << json;
  EXPECT_EQ(verdict(fmt::format(R"({{"fingerprints":[{}],"expires":1,"x":{{"a":1}},"y":{{"a":1}}}})", good)),
            "sha-256");
}

TEST(Posh, Depth_IsAtMostEight) {  // AB-153
  const auto nested = [](int levels) {
    return fmt::format(R"({{"fingerprints":[{}],"expires":1,"x":{}1{}}})", sha256_of(leaf()), std::string(levels, '['),
                       std::string(levels, ']'));
  };
  EXPECT_EQ(verdict(nested(7)), "sha-256");  // with the document itself eight
  EXPECT_THAT(verdict(nested(8)), HasSubstr("no POSH document"));
  EXPECT_THAT(verdict(nested(30'000)), HasSubstr("no POSH document"));
}

TEST(Posh, InvalidUtf8_IsRefused) {  // AB-153
  for (const std::string& bad : std::vector<std::string>{"\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80",
                                                         "\\ud800", "\\udc00x"}) {
    EXPECT_THAT(verdict(fmt::format(R"({{"fingerprints":[{}],"expires":1,"x":"{}"}})", sha256_of(leaf()), bad)),
                HasSubstr("no POSH document"))
        << bad;
    EXPECT_THAT(verdict(fmt::format(R"({{"fingerprints":[{}],"expires":1,"{}":1}})", sha256_of(leaf()), bad)),
                HasSubstr("no POSH document"))
        << bad;
  }
}

TEST(Posh, UnknownMembers_AreNobodysBusiness) {  // POSH-02
  EXPECT_EQ(
      verdict(fmt::format(
          R"({{"x":1.5e9,"fingerprints":[{{"note":{{"url":"y"}},"sha-256":"{}"}}],"y":[{{"expires":0}}],"z":null,)"
          R"("expires":600,"w":true,"v":"\u00e9"}})",
          leaf().sha256)),
      "sha-256");
}

TEST(Posh, Reference_IsReadAsWritten) {  // POSH-02
  const Result<PoshDocument> read = parse_posh(R"({"url":"https:\/\/hosting.tld/posh.json","expires":600})");
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(std::get<PoshReference>(*read).url, "https://hosting.tld/posh.json");
  EXPECT_EQ(std::get<PoshReference>(*read).expires, seconds(600));
  EXPECT_FALSE(parse_posh(R"({"url":"https://hosting.tld/","expires":0})"));
  EXPECT_FALSE(parse_posh(R"({"url":"https://hosting.tld/"})"));
}

TEST(Posh, Writer_WritesWhatTheReaderReads) {
  const std::vector<PoshDescriptor> both{posh_descriptor(*other().chain), posh_descriptor(*leaf().chain)};
  EXPECT_EQ(write_posh({both[1]}, seconds(600)),
            fmt::format(R"({{"fingerprints":[{{"sha-256":"{}","sha-512":"{}"}}],"expires":600}})", leaf().sha256,
                        leaf().sha512));
  const Result<PoshDocument> read = parse_posh(write_posh(both, seconds(0)));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(std::get<PoshFingerprints>(*read).descriptors, both);
  EXPECT_EQ(std::get<PoshFingerprints>(*read).expires, seconds(1));
  EXPECT_EQ(match_posh(both, *leaf().chain), "sha-256, sha-512");
  const Result<PoshDocument> reference = parse_posh(write_posh_reference("https://a.tld/\"", seconds(7)));
  ASSERT_TRUE(reference) << reference.error().detail;
  EXPECT_EQ(std::get<PoshReference>(*reference).url, "https://a.tld/\"");
}

}  // namespace
}  // namespace ligase::proof
