// The documents operators rely on name what the program has: every event it writes, every key it reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "report/event.hpp"

namespace ligase {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot = LIGASE_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The program's own sources, without tests.
std::vector<fs::path> sources(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    const bool is_test = name.ends_with("_test.cpp") || name.ends_with("_fuzz.cpp") || name.ends_with("_bench.cpp");
    if (name.ends_with(".cpp") && !is_test) found.push_back(entry.path());
  }
  return found;
}

std::set<std::string> words(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

TEST(EventsDocument, NamesExactlyTheEventsThatAreWritten) {
  // Event(Level::info, "name") and Event(is ? … : …, is ? "one" : "other").
  const std::regex construction(R"((?:Event|event|Event event)\(([^;]*?Level::[^;]*?)\))");
  const std::regex name("\"([a-z_]+)\"");
  std::set<std::string> written;
  for (const fs::path& source : sources(kRoot / "src")) {
    const std::string text = read(source);
    for (const std::string& arguments : words(text, construction)) written.merge(words(arguments, name));
  }
  EXPECT_TRUE(written.contains("pair_proven"));
  EXPECT_TRUE(written.contains("ready"));
  EXPECT_TRUE(written.contains("link_refused"));
  EXPECT_EQ(words(read(kRoot / "docs/events.md"), std::regex(R"((?:^|\n)\| `([a-z_]+)` \|)")), written);
}

TEST(EventsDocument, EveryKeyThatIsWritten_HasItsPlaceInTheOrder) {  // AB-208
  const std::regex key(R"(\.with\("([a-z_0-9]+)\")");
  std::set<std::string> known;
  for (const report::Key& each : report::event_keys()) known.emplace(each.name);
  const std::string document = read(kRoot / "docs/events.md");
  for (const fs::path& source : sources(kRoot / "src"))
    for (const std::string& name : words(read(source), key))
      EXPECT_TRUE(known.contains(name)) << name << " in " << source;
  for (const std::string& name : known) EXPECT_NE(document.find("`" + name + "`"), std::string::npos) << name;
}

TEST(ConfigurationDocument, NamesEveryKeyThatIsRead) {
  const std::regex key(R"((?:text|boolean|integer|texts|one_of|duration|size|count|table|tables)\("([a-z_]+)\")");
  const std::regex limit("\\{\"([a-z_]+)\", &Limits::");
  const std::string document = read(kRoot / "docs/configuration.md");
  std::set<std::string> keys;
  for (const fs::path& source : sources(kRoot / "src/core/config")) {
    keys.merge(words(read(source), key));
    keys.merge(words(read(source), limit));
  }
  EXPECT_GT(keys.size(), 60u);
  for (const std::string& name : keys) {
    const bool is_section =
        document.find("[" + name + "]") != std::string::npos || document.find("." + name + "]]") != std::string::npos;
    EXPECT_TRUE(is_section || document.find("`" + name + "`") != std::string::npos ||
                document.find("`" + name + " = ") != std::string::npos)
        << name;
  }
}

}  // namespace
}  // namespace ligase
