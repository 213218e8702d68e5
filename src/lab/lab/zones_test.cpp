#include "lab/zones.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace ligase::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Plan plan_of(const Options& options) {
  Plan plan = make_plan(options);
  plan.providers[0].s2s_port = 5269;
  plan.providers[1].s2s_port = 5270;
  return plan;
}

Plan plan_of(Way way) { return plan_of(Options{.domains_one = 1, .domains_two = 2, .proof = way}); }
Plan plan_of(std::string broken) {
  return plan_of(Options{.domains_one = 1, .domains_two = 2, .break_what = std::move(broken)});
}

Identity with_key(Bytes digest) { return {.spki_sha256 = std::move(digest)}; }
std::array<Identities, 2> identities() {
  return {Identities{with_key({0xab, 0x01}), std::nullopt}, Identities{with_key({0xcd, 0x02}), with_key({0xef, 0x03})}};
}

const ZoneText& zone(const std::vector<ZoneText>& zones, std::string_view name) {
  return *std::ranges::find(zones, name, &ZoneText::name);
}

TEST(LabZones, Customer_SaysWhichProviderServesIt_InAZoneOfItsOwn) {
  const auto zones = make_zones(plan_of(Way::dnssec), identities());
  EXPECT_EQ(zones.front().name, "tld");
  EXPECT_EQ(zones.size(), 6u);  // tld, two providers, three customers
  EXPECT_EQ(
      zone(zones, "sender1.tld"),
      (ZoneText{"sender1.tld", true, {"_xmpp-server._tcp.sender1.tld. 3600 IN SRV 0 0 5269 xmpp1.originating.tld."}}));
  EXPECT_EQ(
      zone(zones, "target2.tld"),
      (ZoneText{"target2.tld", true, {"_xmpp-server._tcp.target2.tld. 3600 IN SRV 0 0 5270 xmpp1.receiving.tld."}}));
  EXPECT_THAT(zone(zones, "receiving.tld").records, ElementsAre("xmpp1.receiving.tld. 3600 IN A 127.0.0.1"));
}

TEST(LabZones, ForDane_TheHostPublishesItsKeyAtItsPort) {
  const auto zones = make_zones(plan_of(Way::dane), identities());
  EXPECT_THAT(zone(zones, "receiving.tld").records,
              ElementsAre("xmpp1.receiving.tld. 3600 IN A 127.0.0.1",
                          "_5270._tcp.xmpp1.receiving.tld. 3600 IN TLSA 3 1 1 cd02"));
  EXPECT_TRUE(zone(zones, "receiving.tld").is_signed);
}

TEST(LabZones, Mixed_EachFifthPublishesWhatItIsProvenBy) {
  const Plan plan = plan_of(Options{.domains_one = 5, .domains_two = 6, .proof = Way::mixed});
  const auto zones = make_zones(plan, identities());
  EXPECT_THAT(zone(zones, "receiving.tld").records,
              ElementsAre("xmpp1.receiving.tld. 3600 IN A 127.0.0.1", "xmpp2.receiving.tld. 3600 IN A 127.0.0.1",
                          "_5270._tcp.xmpp1.receiving.tld. 3600 IN TLSA 3 1 1 cd02"));
  for (std::size_t i = 0; i < plan.providers[1].customers.size(); ++i) {
    const ZoneText& of = zone(zones, plan.providers[1].customers[i]);
    const Way way = plan.way_of(i);
    EXPECT_EQ(of.is_signed, way == Way::dane || way == Way::dnssec) << of.name;
    EXPECT_THAT(of.records.front(), HasSubstr(way == Way::dane ? " xmpp1.receiving.tld." : " xmpp2.receiving.tld."));
  }
  EXPECT_EQ(plan.way_of(0), plan.way_of(5));
}

TEST(LabZones, ForPosh_EachCustomerHasAWebServer) {
  Plan plan = plan_of(Way::posh);
  plan.web_address = "127.64.1.2";
  const auto zones = make_zones(plan, identities());
  EXPECT_EQ(zone(zones, "target1.tld"),
            (ZoneText{"target1.tld",
                      false,
                      {"_xmpp-server._tcp.target1.tld. 3600 IN SRV 0 0 5270 xmpp1.receiving.tld.",
                       "target1.tld. 3600 IN A 127.64.1.2"}}));
}

TEST(LabZones, BrokenTlsa_IsOfAHostThatServesNobodyElse) {
  const auto zones = make_zones(plan_of("tlsa"), identities());
  EXPECT_THAT(zone(zones, "receiving.tld").records,
              ElementsAre("xmpp1.receiving.tld. 3600 IN A 127.0.0.1", "xmpp2.receiving.tld. 3600 IN A 127.0.0.1",
                          "_5270._tcp.xmpp1.receiving.tld. 3600 IN TLSA 3 1 1 cd02",
                          "_5270._tcp.xmpp2.receiving.tld. 3600 IN TLSA 3 1 1 ef03"));
  EXPECT_THAT(zone(zones, "target1.tld").records.front(), HasSubstr("xmpp1.receiving.tld."));
  EXPECT_THAT(zone(zones, "target2.tld").records.front(), HasSubstr("xmpp2.receiving.tld."));
}

TEST(LabZones, ForPkixAndDialback_NothingBelowTheTldIsSigned) {
  for (const Way way : {Way::pkix, Way::dialback})
    for (const ZoneText& text : make_zones(plan_of(way), identities())) EXPECT_EQ(text.is_signed, text.name == "tld");
}

}  // namespace
}  // namespace ligase::lab
