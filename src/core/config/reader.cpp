// Questions to one table, and the faults they meet.
#include "config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "config/text.hpp"

namespace ligase::config {
namespace {

std::string in_quotes(std::string_view text) { return '"' + escaped(text, 80) + '"'; }

template <class T>
const T* as(const Entry* entry) noexcept {
  return entry == nullptr ? nullptr : std::get_if<T>(&entry->value.is);
}

}  // namespace

std::string listed(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += in_quotes(word);
  }
  return text;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
  if (const std::optional<std::string_view> near = nearest(word, known))
    return fmt::format("did you mean {}?", in_quotes(*near));
  return fmt::format("known here: {}", listed(known));
}

const Entry* Section::find(std::string_view key) const noexcept {
  if (table_ == nullptr) return nullptr;
  const auto found = std::ranges::find(*table_, key, &Entry::key);
  return found == table_->end() ? nullptr : &*found;
}

const Entry* Section::ask(std::string_view key) {
  known_.push_back(key);
  return find(key);
}

unsigned Section::line_of(std::string_view key) const noexcept {
  const Entry* entry = find(key);
  return entry == nullptr ? line_ : entry->line;
}

void Section::wrong_type(const Entry& entry, std::string_view wanted, std::string_view example) {
  findings_.fault(entry.line, fmt::format("{} {} is {}, not {}", title_, entry.key, type_name(entry.value), wanted),
                  fmt::format("write {} = {}", entry.key, example));
}

std::optional<Located> Section::text(std::string_view key) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return std::nullopt;
  if (const auto* text = as<std::string>(entry)) return Located{*text, entry->line};
  wrong_type(*entry, "a string", "\"…\"");
  return std::nullopt;
}

std::optional<Located> Section::required_text(std::string_view key) {
  const bool is_there = has(key);
  std::optional<Located> found = text(key);
  if (!is_there) {
    findings_.fault(line_, fmt::format("{} has no {}", title_, key), fmt::format("add {} = \"…\"", key));
  } else if (found && found->text.empty()) {
    findings_.fault(found->line, fmt::format("{} {} is empty", title_, key), fmt::format("write {} = \"…\"", key));
    return std::nullopt;
  }
  return found;
}

std::optional<bool> Section::boolean(std::string_view key) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return std::nullopt;
  if (const auto* truth = as<bool>(entry)) return *truth;
  wrong_type(*entry, "true or false", "true");
  return std::nullopt;
}

std::optional<std::int64_t> Section::integer(std::string_view key) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return std::nullopt;
  if (const auto* number = as<std::int64_t>(entry)) return *number;
  wrong_type(*entry, "a whole number", "1");
  return std::nullopt;
}

std::optional<std::vector<Located>> Section::texts(std::string_view key) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return std::nullopt;
  const auto* array = as<Array>(entry);
  if (array == nullptr) {
    wrong_type(*entry, "an array of strings", "[\"…\"]");
    return std::nullopt;
  }
  std::vector<Located> texts;
  for (const Value& item : *array) {
    if (const auto* text = std::get_if<std::string>(&item.is)) {
      texts.push_back({*text, item.line});
    } else {
      findings_.fault(item.line, fmt::format("{} {} holds {}, not a string", title_, key, type_name(item)),
                      fmt::format("write {} = [\"…\"]", key));
    }
  }
  return texts;
}

std::optional<std::size_t> Section::one_of(std::string_view key, std::span<const std::string_view> words) {
  const std::optional<Located> word = text(key);
  if (!word) return std::nullopt;
  const auto found = std::ranges::find(words, std::string_view(word->text));
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  findings_.fault(word->line, fmt::format("{} {} cannot be {}", title_, key, in_quotes(word->text)),
                  suggestion(word->text, words));
  return std::nullopt;
}

void Section::duration(std::string_view key, Duration& into, Duration least, Duration most) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return;
  const auto* text = as<std::string>(entry);
  if (text == nullptr) return wrong_type(*entry, "a duration", fmt::format("\"{}\"", duration_text(into)));
  const std::optional<Duration> value = parse_duration(*text);
  if (!value) {
    findings_.fault(entry->line, fmt::format("{} {} cannot be {}", title_, key, in_quotes(*text)),
                    "write a whole number and a unit: \"250ms\", \"30s\", \"5m\", \"1h\", \"1d\"");
  } else if (*value < least || *value > most) {
    findings_.fault(entry->line, fmt::format("{} {} cannot be {}", title_, key, in_quotes(*text)),
                    fmt::format("choose between \"{}\" and \"{}\"", duration_text(least), duration_text(most)));
  } else {
    into = *value;
  }
}

void Section::size(std::string_view key, std::uint64_t& into, std::uint64_t least, std::uint64_t most) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return;
  const auto* text = as<std::string>(entry);
  if (text == nullptr) return wrong_type(*entry, "a size", fmt::format("\"{}\"", size_text(into)));
  const std::optional<std::uint64_t> value = parse_size(*text);
  if (!value) {
    findings_.fault(entry->line, fmt::format("{} {} cannot be {}", title_, key, in_quotes(*text)),
                    "write a whole number and a unit: \"10000B\", \"512KiB\", \"16MiB\", \"1GiB\"");
  } else if (*value < least || *value > most) {
    findings_.fault(entry->line, fmt::format("{} {} cannot be {}", title_, key, in_quotes(*text)),
                    fmt::format("choose between \"{}\" and \"{}\"", size_text(least), size_text(most)));
  } else {
    into = *value;
  }
}

void Section::count(std::string_view key, std::uint64_t& into, std::uint64_t least, std::uint64_t most) {
  const std::optional<std::int64_t> value = integer(key);
  if (!value) return;
  if (*value < 0 || static_cast<std::uint64_t>(*value) < least || static_cast<std::uint64_t>(*value) > most) {
    findings_.fault(line_of(key), fmt::format("{} {} cannot be {}", title_, key, *value),
                    fmt::format("choose between {} and {}", least, most));
  } else {
    into = static_cast<std::uint64_t>(*value);
  }
}

Section Section::table(std::string_view key, std::string title) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return Section(std::move(title), nullptr, 0, findings_);
  const auto* table = as<Table>(entry);
  if (table == nullptr) {
    findings_.fault(entry->line, fmt::format("{} is {}, not a table", key, type_name(entry->value)),
                    fmt::format("begin the section with {}", title));
  }
  return Section(std::move(title), table, entry->line, findings_);
}

std::vector<Section> Section::tables(std::string_view key, std::string title) {
  std::vector<Section> sections;
  const Entry* entry = ask(key);
  if (entry == nullptr) return sections;
  const auto* array = as<Array>(entry);
  if (array == nullptr) {
    findings_.fault(entry->line, fmt::format("{} is {}, not a list of tables", key, type_name(entry->value)),
                    fmt::format("begin each one with {}", title));
    return sections;
  }
  for (const Value& item : *array) {
    if (const auto* table = std::get_if<Table>(&item.is)) {
      sections.emplace_back(title, table, item.line, findings_);
    } else {
      findings_.fault(item.line, fmt::format("{} holds {}, not a table", key, type_name(item)),
                      fmt::format("begin each one with {}", title));
    }
  }
  return sections;
}

void Section::finish() {
  if (table_ == nullptr) return;
  for (const Entry& entry : *table_) {
    if (std::ranges::find(known_, std::string_view(entry.key)) != known_.end()) continue;
    const std::string where = title_.empty() ? "" : " in " + title_;
    findings_.fault(entry.line, fmt::format("unknown key {}{}", in_quotes(entry.key), where),
                    suggestion(entry.key, known_));
  }
}

}  // namespace ligase::config
