// Reads one table of the configuration: every key asked for is a known key, so the list of known keys cannot drift from
// the code; what was never asked for is reported as unknown, with the nearest known one (AB-163). Faults are collected,
// never thrown, so that one run shows them all.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/tree.hpp"

namespace ligase::config {

struct Located {  // a text and where it stands
  std::string text;
  unsigned line = 0;
};

// Where faults and warnings go.
class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}
  void fault(unsigned line, std::string what, std::string advice) {
    fault_in(file_, line, std::move(what), std::move(advice));
  }
  void fault_in(std::string file, unsigned line, std::string what, std::string advice) {
    faults.push_back({std::move(file), line, std::move(what), std::move(advice)});
  }
  void warn(unsigned line, std::string what, std::string advice) {
    warnings.push_back({file_, line, std::move(what), std::move(advice)});
  }
  void in_vain(std::string key, unsigned line) { keys_in_vain.push_back({std::move(key), line}); }
  const std::string& file() const noexcept { return file_; }

  std::vector<Fault> faults, warnings;
  std::vector<InVain> keys_in_vain;

 private:
  std::string file_;
};

class Section {
 public:
  // `title`: as written, "[gateway]" or "[[listen]]". `table` null: the section is not there. Both outlive the Section.
  Section(std::string title, const Table* table, unsigned line, Findings& findings)
      : title_(std::move(title)), table_(table), line_(line), findings_(findings) {}

  // Each answers nullopt, or leaves `into` as it is, where the key is absent; a wrong type or form is a fault.
  std::optional<Located> text(std::string_view key);
  std::optional<Located> required_text(std::string_view key);  // absent or empty: a fault
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key);
  std::optional<std::vector<Located>> texts(std::string_view key);  // an array of strings
  // The index of the word written in `words`.
  std::optional<std::size_t> one_of(std::string_view key, std::span<const std::string_view> words);
  void duration(std::string_view key, Duration& into, Duration least, Duration most);
  void size(std::string_view key, std::uint64_t& into, std::uint64_t least, std::uint64_t most);
  void count(std::string_view key, std::uint64_t& into, std::uint64_t least, std::uint64_t most);

  Section table(std::string_view key, std::string title);                // "[key]"
  std::vector<Section> tables(std::string_view key, std::string title);  // "[[key]]"

  // Reports every key that nobody asked for. Call once, after the last question.
  void finish();

  bool has(std::string_view key) const noexcept { return find(key) != nullptr; }
  unsigned line() const noexcept { return line_; }
  unsigned line_of(std::string_view key) const noexcept;  // the section's, where the key is absent
  const std::string& title() const noexcept { return title_; }

 private:
  const Entry* find(std::string_view key) const noexcept;
  const Entry* ask(std::string_view key);
  void wrong_type(const Entry& entry, std::string_view wanted, std::string_view example);

  std::string title_;
  const Table* table_;
  unsigned line_;
  Findings& findings_;
  std::vector<std::string_view> known_;
};

// "a, b, c", quoted.
std::string listed(std::span<const std::string_view> words);
// `did you mean "hostname"?`, or `known here: …`.
std::string suggestion(std::string_view word, std::span<const std::string_view> known);

}  // namespace ligase::config
