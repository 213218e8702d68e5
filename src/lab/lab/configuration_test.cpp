#include "lab/configuration.hpp"

#include <gtest/gtest.h>

#include <map>

#include "config/config.hpp"
#include "lab/authority.hpp"

namespace ligase::lab {
namespace {

// The gateway's own reader, on files that exist only here.
class Written final : public config::Files {
 public:
  tl::expected<config::FileFacts, std::string> read(const std::string& path) const override {
    const auto file = files.find(path);
    if (file == files.end()) return tl::unexpected<std::string>("No such file or directory: " + path);
    return config::FileFacts{file->second, path.ends_with(".key") || path.ends_with(".secret") ? 0600u : 0644u};
  }
  std::map<std::string, std::string> files;
};

struct Run {
  const char* name;
  std::optional<Way> proof;
  std::optional<std::string> broken;
  std::size_t proofs;  // that the policy takes
};
class LabConfiguration : public ::testing::TestWithParam<Run> {};

TEST_P(LabConfiguration, IsWhatTheGatewayTakes_WithoutAFaultOrAWarning) {
  Plan plan =
      make_plan({.domains_one = 3, .domains_two = 2, .proof = GetParam().proof, .break_what = GetParam().broken});
  plan.folder = "/lab";
  plan.dns_port = 5353;
  const auto identity = self_signed({.hosts = {"xmpp1.originating.tld"}});
  ASSERT_TRUE(identity);
  Written written;
  written.files["/lab/ca.pem"] = identity->certificate;
  written.files["/lab/ca.crl"] = "a list";
  written.files["/lab/root.ds"] = ". IN DS 20326 8 2 " + std::string(64, 'a') + "\n";
  for (Provider& provider : plan.providers) {
    provider.folder = "/lab/" + provider.name;
    provider.s2s_port = 41001;
    provider.component_port = 41002;
    written.files[provider.file("ligase.toml")] = make_configuration(plan, provider);
    written.files[provider.file("customers.txt")] = make_customer_list(provider);
    written.files[provider.file("component.secret")] = "the component of a test\n";
    written.files[provider.file(provider.host + ".pem")] = identity->certificate;
    written.files[provider.file(provider.host + ".key")] = identity->private_key;
    written.files[provider.file(provider.other_host + ".pem")] = identity->certificate;
    written.files[provider.file(provider.other_host + ".key")] = identity->private_key;
    const auto parsed = config::parse(provider.file("ligase.toml"), written);
    for (const auto& fault : parsed.faults) ADD_FAILURE() << fault.text();
    for (const auto& warning : parsed.warnings) ADD_FAILURE() << warning.text();
    ASSERT_TRUE(parsed.config);
    EXPECT_EQ(parsed.config->hostname.text(), provider.host);
    EXPECT_EQ(parsed.config->control, provider.file("control.sock"));
    ASSERT_EQ(parsed.config->policy.defaults.proofs.size(), GetParam().proofs);
    if (plan.only_that) {
      EXPECT_EQ(proof::name_of(parsed.config->policy.defaults.proofs[0]), name_of(plan.way));
    }
    EXPECT_EQ(parsed.config->tls_for.size(), plan.has_broken_certificate() && provider.name == "two" ? 1u : 0u);
    ASSERT_EQ(parsed.config->links.size(), 1u);
    EXPECT_EQ(std::get<config::ComponentLink>(parsed.config->links[0]).domains.size(), provider.customers.size());
  }
}
INSTANTIATE_TEST_SUITE_P(EachRun, LabConfiguration,
                         ::testing::Values(Run{"dane", Way::dane, {}, 1}, Run{"dnssec", Way::dnssec, {}, 1},
                                           Run{"pkix", Way::pkix, {}, 1}, Run{"dialback", Way::dialback, {}, 1},
                                           Run{"posh", Way::posh, {}, 1}, Run{"by_default", {}, {}, 1},
                                           Run{"mixed", Way::mixed, {}, 5}, Run{"broken", {}, "cert-expired", 5},
                                           Run{"broken_and_strict", Way::dnssec, "cert-expired", 1},
                                           Run{"revoked", {}, "cert-revoked", 5}),
                         [](const auto& run) { return std::string(run.param.name); });

}  // namespace
}  // namespace ligase::lab
