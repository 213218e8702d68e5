#include "lab/pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proof/posh.hpp"

namespace ligase::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class LabPages : public ::testing::Test {
 protected:
  void make(const Options& options) {
    plan = make_plan(options);
    const auto authority = Authority::make();
    ASSERT_TRUE(authority);
    identities = *make_identities(plan, *authority);
    const auto made = make_pages(plan, identities);
    ASSERT_TRUE(made) << made.error().detail;
    pages = *made;
  }
  const Page* page(const std::string& host, const std::string& path = "/.well-known/posh/xmpp-server.json") const {
    for (const Page& each : pages)
      if (each.host == host && each.path == path) return &each;
    return nullptr;
  }
  static bool lists(const Page& of, const Identity& identity) {
    const auto document = proof::parse_posh(of.body);
    if (!document) return false;
    const auto* fingerprints = std::get_if<proof::PoshFingerprints>(&*document);
    return fingerprints != nullptr &&
           proof::match_posh(fingerprints->descriptors, **proof::Chain::parse_pem(identity.certificate)).has_value();
  }

  Plan plan;
  std::array<Identities, 2> identities;
  std::vector<Page> pages;
};

TEST_F(LabPages, EachCustomer_PublishesItsProvidersCertificate) {
  make({.domains_one = 1, .domains_two = 2, .proof = Way::posh});
  EXPECT_THAT(web_hosts(plan), ElementsAre("sender1.tld", "target1.tld", "target2.tld"));
  ASSERT_THAT(pages, SizeIs(3));
  EXPECT_TRUE(lists(*page("sender1.tld"), identities[0].own));
  EXPECT_TRUE(lists(*page("target2.tld"), identities[1].own));
  EXPECT_FALSE(lists(*page("target2.tld"), identities[0].own));
}

TEST_F(LabPages, Mixed_OnlyTheFifthThatIsProvenByThem) {
  make({.domains_one = 5, .domains_two = 8, .proof = Way::mixed});
  EXPECT_THAT(web_hosts(plan), ElementsAre("sender3.tld", "target3.tld", "target8.tld"));
  EXPECT_THAT(pages, SizeIs(3));
  EXPECT_FALSE(make_plan({.domains_one = 2, .domains_two = 2, .proof = Way::mixed}).needs_web());
}

TEST_F(LabPages, Loop_IsOfTwoReferences) {
  make({.domains_one = 1, .domains_two = 2, .break_what = "posh-loop"});
  ASSERT_THAT(pages, SizeIs(4));
  EXPECT_THAT(page("target2.tld")->body, HasSubstr("https://target2.tld/again.json"));
  EXPECT_THAT(page("target2.tld", "/again.json")->body,
              HasSubstr("https://target2.tld/.well-known/posh/xmpp-server.json"));
  EXPECT_TRUE(lists(*page("target1.tld"), identities[1].own));
}

TEST_F(LabPages, Expired_IsAGoodDocumentButForItsExpiry) {
  make({.domains_one = 1, .domains_two = 2, .break_what = "posh-expired"});
  const auto document = proof::parse_posh(page("target2.tld")->body);
  ASSERT_FALSE(document);
  EXPECT_THAT(document.error().detail, HasSubstr("\"expires\" is 0"));
  EXPECT_TRUE(lists(*page("target1.tld"), identities[1].own));
}

TEST_F(LabPages, Mismatch_ListsACertificateThatNobodyShows) {
  make({.domains_one = 1, .domains_two = 2, .break_what = "posh-mismatch"});
  EXPECT_FALSE(lists(*page("target2.tld"), identities[1].own));
  EXPECT_TRUE(lists(*page("target2.tld"), *identities[1].broken));
}

}  // namespace
}  // namespace ligase::lab
