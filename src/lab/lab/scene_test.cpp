#include "lab/scene.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "lab/child.hpp"

namespace ligase::lab {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class LabScene : public ::testing::TestWithParam<Way> {
 protected:
  static Plan plan(Way way) { return make_plan({.domains_one = 2, .domains_two = 3, .proof = way}); }
  // A program in the place of ligase.
  static std::string program(const Scene& scene, const std::string& script) {
    const std::string path = scene.plan().folder + "/program";
    EXPECT_TRUE(write_file(path, "#!/bin/sh\n" + script + "\n", 0700));
    return path;
  }
  Loop loop_;
};

TEST_P(LabScene, WhatAGatewayNeeds_LiesThere_AndGoesWithTheScene) {
  if (plan(GetParam()).needs_web() && !WebServer::bind()) GTEST_SKIP() << "port 443 is not for this user";
  std::string folder;
  {
    const auto set = Scene::set(plan(GetParam()));
    ASSERT_TRUE(set) << set.error().detail;
    const Scene& scene = **set;
    folder = scene.plan().folder;
    for (const Provider& provider : scene.plan().providers) {
      const auto text = read_file(provider.file("ligase.toml"));
      ASSERT_TRUE(text);
      EXPECT_THAT(*text, HasSubstr("hostname  = \"" + provider.host + "\""));
      EXPECT_THAT(*text, HasSubstr("127.0.0.1@" + std::to_string(scene.plan().dns_port)));
      EXPECT_THAT(*text, HasSubstr("\"127.0.0.1:" + std::to_string(provider.s2s_port) + "\""));
      for (const std::string& file : scene.certificate_files(provider)) EXPECT_TRUE(read_file(file)) << file;
      struct stat facts {};
      ASSERT_EQ(stat(provider.file(provider.host + ".key").c_str(), &facts), 0);
      EXPECT_EQ(facts.st_mode & 0777u, 0600u);
    }
    EXPECT_THAT(read_file(scene.plan().root_anchor_file()).value(), HasSubstr("DS"));
    EXPECT_NE(scene.plan().web_address.empty(), scene.plan().needs_web());
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}
INSTANTIATE_TEST_SUITE_P(EachWay, LabScene,
                         ::testing::Values(Way::dane, Way::dnssec, Way::pkix, Way::posh, Way::dialback, Way::mixed),
                         [](const auto& way) { return std::string(name_of(way.param)); });

TEST_F(LabScene, GatewaysThatSayReady_AreStarted_AndEndWhenAsked) {
  const auto set = Scene::set(plan(Way::dnssec));
  ASSERT_TRUE(set);
  const auto started = (*set)->start_gateways(
      program(**set, "trap 'exit 0' TERM; echo \"$*\"; echo event=ready >&2; while :; do sleep 0.01; done"), loop_);
  ASSERT_TRUE(started) << started.error().detail;
  EXPECT_FALSE((*set)->dead_gateway());
  const Provider& one = (*set)->plan().providers[0];
  EXPECT_THAT(read_file((*set)->log_file(one)).value(), HasSubstr("serve --config " + one.file("ligase.toml")));
  (*set)->end_gateways(loop_, 10s);
}

TEST_F(LabScene, GatewayThatIsRestarted_EndsAndBeginsAnew) {
  const auto set = Scene::set(plan(Way::dnssec));
  ASSERT_TRUE(set);
  const std::string like_ligase =
      program(**set, "trap 'echo ended; exit 0' TERM; echo event=ready $$ >&2; while :; do sleep 0.01; done");
  ASSERT_TRUE((*set)->start_gateways(like_ligase, loop_));
  const Provider& two = (*set)->plan().providers[1];
  const auto before = read_file((*set)->log_file(two));
  const auto restarted = (*set)->restart_gateway(1, like_ligase, loop_, 10s);
  ASSERT_TRUE(restarted) << restarted.error().detail;
  EXPECT_FALSE((*set)->dead_gateway());
  EXPECT_THAT(read_file((*set)->log_file(two)).value(),
              ::testing::AllOf(HasSubstr("event=ready"), ::testing::Ne(*before)));
  EXPECT_THAT(read_file((*set)->log_file(two) + ".before").value(), HasSubstr("ended"));
  (*set)->end_gateways(loop_, 10s);
}

TEST_F(LabScene, CertificateThatIsToExpire_LiesThereAndDoes) {
  const auto set = Scene::set(make_plan({.domains_one = 1, .domains_two = 1, .break_what = "cert-expired"}), 7s);
  ASSERT_TRUE(set);
  const auto now = std::chrono::system_clock::now();
  ASSERT_TRUE((*set)->broken_expires());
  EXPECT_LE(*(*set)->broken_expires(), now + 7s);
  EXPECT_EQ((*set)->certificate_files((*set)->plan().providers[0]).size(), 1u);
  EXPECT_EQ((*set)->certificate_files((*set)->plan().providers[1]).size(), 2u);
}

TEST_F(LabScene, GatewayThatEnds_IsAnErrorWithTheEndOfItsLog) {
  const auto set = Scene::set(plan(Way::dnssec));
  ASSERT_TRUE(set);
  const auto started = (*set)->start_gateways(program(**set, "echo 'no such key' >&2; exit 78"), loop_);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().detail, HasSubstr("ended: exit code 78; its log ends:\nno such key"));
}

TEST_F(LabScene, SignalWhileTheyStart_EndsTheWaiting) {
  const auto set = Scene::set(plan(Way::dnssec));
  ASSERT_TRUE(set);
  raise(SIGINT);
  const auto started = (*set)->start_gateways(program(**set, "exec sleep 1000"), loop_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().reason, Reason::cancelled);
  (*set)->end_gateways(loop_, 10s);
}

}  // namespace
}  // namespace ligase::lab
