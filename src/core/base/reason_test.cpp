// The table of reasons against the document that operators read.
#include "base/reason.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace ligase {
namespace {

struct Section {
  std::string heading, text;
};

std::vector<Section> sections_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<Section> sections;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## "))
      sections.push_back({line.substr(3), {}});
    else if (!sections.empty())
      sections.back().text += line + "\n";
  }
  return sections;
}

TEST(Reasons, EachHasItsSectionInTheDocument_InTheSameOrder) {
  const auto sections = sections_of(LIGASE_SOURCE_DIR "/docs/reasons.md");
  ASSERT_EQ(sections.size(), all_reasons().size());
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const ReasonText& reason = all_reasons()[i];
    EXPECT_EQ(sections[i].heading, reason.name);
    // What the document says of the sender's error and of the remedy is what the program does and says.
    const std::string told = "Sender: `" + std::string(condition_name(reason.condition)) + "`, type `" +
                             std::string(error_type_name(reason.type)) + "`. To do: " + std::string(reason.what_to_do) +
                             ".\n";
    EXPECT_NE(sections[i].text.find(told), std::string::npos) << reason.name << " lacks: " << told;
    EXPECT_FALSE(sections[i].text.starts_with("\n")) << reason.name << " does not say what it means";
  }
}

TEST(Reasons, NoTwoShareAName) {
  std::set<std::string_view> names;
  for (const ReasonText& reason : all_reasons()) EXPECT_TRUE(names.insert(reason.name).second) << reason.name;
}

TEST(Reasons, EachIsDescribedByItsOwnRow) {
  for (const ReasonText& reason : all_reasons()) EXPECT_EQ(describe(reason.reason).name, reason.name);
}

TEST(Reasons, NamesOfConditionsAndTypesAreThoseOfTheRfc) {  // RFC 6120 §8.3.2, §8.3.3
  EXPECT_EQ(condition_name(StanzaError::bad_request), "bad-request");
  EXPECT_EQ(condition_name(StanzaError::remote_server_not_found), "remote-server-not-found");
  EXPECT_EQ(condition_name(StanzaError::remote_server_timeout), "remote-server-timeout");
  EXPECT_EQ(condition_name(StanzaError::unexpected_request), "unexpected-request");
  EXPECT_EQ(error_type_name(ErrorType::auth), "auth");
  EXPECT_EQ(error_type_name(ErrorType::wait), "wait");
}

}  // namespace
}  // namespace ligase
