// What a claim may cost others' name servers.
#include "dns/claim_questions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "dns/evidence.hpp"
#include "support/run_task.hpp"

namespace ligase::dns {
namespace {

using proof::Answer;
using proof::RrType;
using proof::Security;
using test::run;
using testing::HasSubstr;

struct Servers final : seams::Resolver {
  Task<Answer> ask(std::string name, RrType type) override {
    if (!known.contains(name)) ++packets;
    Answer answer;
    answer.security = Security::secure;
    if (type == RrType::srv) answer.rdata = srv;
    if (is_alias && (type == RrType::a || type == RrType::aaaa)) {
      answer.is_aliased = true;
      answer.canonical_name = "real." + name;
      answer.rdata = {type == RrType::a ? Bytes(4, 1) : Bytes(16, 1)};
    }
    co_return answer;
  }
  bool knows(const std::string& name, RrType) const override { return known.contains(name); }
  std::vector<Bytes> srv;
  bool is_alias = false;
  std::set<std::string> known;
  std::size_t packets = 0;
};

Bytes srv_of(char host) { return {0, 0, 0, 0, 0x14, 0x95, 1, static_cast<std::uint8_t>(host), 3, 't', 'l', 'd', 0}; }

TEST(ClaimQuestions, AfterTen_NothingIsAskedAndNothingIsAbsent) {  // AB-195
  Servers servers;
  ClaimQuestions claim(servers, [](std::size_t) { return true; });
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(run(claim.ask("a" + std::to_string(i) + ".tld", RrType::a)).is_denial()) << i;
  const Answer answer = run(claim.ask("one-more.tld", RrType::a));
  EXPECT_EQ(answer.security, Security::indeterminate);
  EXPECT_THAT(answer.why, HasSubstr("ten questions"));
  EXPECT_EQ(servers.packets, 10u);
  servers.known.insert("one-more.tld");  // meanwhile somebody else has asked
  EXPECT_TRUE(run(claim.ask("one-more.tld", RrType::a)).is_denial());
}

TEST(ClaimQuestions, NoMoreBytesThanWereSent) {  // AB-196
  Servers servers;
  std::size_t sent = 100, asked = 0;
  ClaimQuestions claim(servers, [&](std::size_t bytes) {
    if (asked + bytes > sent) return false;
    asked += bytes;
    return true;
  });
  const std::string name(30, 'a');  // 59 octets with what is around it
  EXPECT_TRUE(run(claim.ask(name, RrType::a)).is_denial());
  const Answer answer = run(claim.ask(name, RrType::a));
  EXPECT_EQ(answer.security, Security::indeterminate);
  EXPECT_THAT(answer.why, HasSubstr("has not sent"));
  EXPECT_EQ(servers.packets, 1u);
  sent = 118;
  EXPECT_TRUE(run(claim.ask(name, RrType::a)).is_denial());
  EXPECT_EQ(asked, 118u);
}

// AB-195: the worst zone: sixteen targets, each an alias. What is looked up of the sender leaves two for its authority.
TEST(ClaimQuestions, OfASenderWithManyAliases_EightAtMost) {
  Servers servers;
  servers.is_alias = true;
  for (char host = 'a'; host < 'q'; ++host) servers.srv.push_back(srv_of(host));
  ClaimQuestions claim(servers, [](std::size_t) { return true; });
  const SenderFacts facts = run(look_up_sender(claim, Domain::parse("sender1.tld").value(), nullptr, true, WallTime{}));
  EXPECT_EQ(facts.targets.size(), 2u);
  for (const auto& at : facts.targets) EXPECT_TRUE(at.tlsa);
  EXPECT_EQ(servers.packets, 8u);
}

}  // namespace
}  // namespace ligase::dns
