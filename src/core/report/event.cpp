// One event, one line: text for people and grep, JSON for collectors. Values are cut at 256 bytes in both (AB-110).
#include "report/event.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/bytes.hpp"
#include "report/json.hpp"

namespace ligase::report {
namespace {

constexpr std::size_t kLongestValue = 256;
constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};

constexpr Key kKeys[] = {
    {"of"},
    {"signal"},
    {"version"},
    {"hostname"},
    {"config"},
    {"direction"},
    {"local"},
    {"remote"},
    {"stream"},
    {"link"},
    {"peer"},
    {"kind"},
    {"address"},
    {"tls"},
    {"external"},
    {"proof"},
    {"evidence"},
    {"was_proof"},
    {"was_evidence"},
    {"certificate"},
    {"name"},
    {"key"},
    {"issuer"},
    {"known_key"},
    {"known_issuer"},
    {"known_since"},
    {"source"},
    {"fingerprints", true},
    {"expires"},
    {"retry_at"},
    {"reason"},
    {"what"},
    {"detail"},
    {"advice"},
    {"file"},
    {"to"},
    {"user"},
    {"text"},
    {"unsent_bytes", true},
    {"uncertain_bytes", true},
    {"seconds", true},
    {"listeners", true},
    {"count", true},
};

std::size_t rank_of(std::string_view key) noexcept {
  return static_cast<std::size_t>(std::ranges::find(kKeys, key, &Key::name) - std::begin(kKeys));
}

// Those of one event in the order of all; what no list names stands last.
std::vector<const std::pair<std::string_view, std::string>*> ordered(const Event& event) {
  std::vector<const std::pair<std::string_view, std::string>*> fields;
  fields.reserve(event.fields.size());
  for (const auto& field : event.fields) fields.push_back(&field);
  std::ranges::stable_sort(fields, {}, [](const auto* field) { return rank_of(field->first); });
  return fields;
}

bool is_number(std::string_view key, std::string_view value) noexcept {
  const std::size_t rank = rank_of(key);
  return rank < std::size(kKeys) && kKeys[rank].is_number && !value.empty() && value.size() <= 19 &&
         std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
}

std::string time_text(LogTime at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  std::string text = rfc3339(second);
  text.pop_back();  // Z
  return fmt::format("{}.{:03}Z", text, (at - second).count());
}

// Bare where a reader cannot mistake it; quoted otherwise.
std::string text_value(std::string_view raw) {
  std::string safe = escaped(raw, kLongestValue);
  const bool is_bare = !safe.empty() && safe.find_first_of(" \"\\=") == std::string::npos;
  return is_bare ? safe : '"' + safe + '"';
}

// Cut between characters, so that the cut itself does not look like broken UTF-8.
std::string cut(std::string_view raw) {
  if (raw.size() <= kLongestValue) return std::string(raw);
  std::size_t end = kLongestValue;
  while (end > kLongestValue - 4 && (static_cast<unsigned char>(raw[end]) & 0xC0u) == 0x80u) --end;
  return std::string(raw.substr(0, end)) + "…";
}

}  // namespace

std::string_view name_of(Level level) noexcept { return kLevels[static_cast<std::size_t>(level)]; }

std::span<const Key> event_keys() noexcept { return kKeys; }

std::string as_text(const Event& event, LogTime at) {
  std::string line = time_text(at);
  line += ' ';
  line += name_of(event.level);
  line += " event=";
  line += event.name;
  for (const auto* field : ordered(event)) {
    line += ' ';
    line += field->first;
    line += '=';
    line += text_value(field->second);
  }
  return line;
}

std::string as_json(const Event& event, LogTime at) {
  JsonWriter json;
  json.begin_object().field("time", time_text(at)).field("level", name_of(event.level)).field("event", event.name);
  for (const auto* field : ordered(event)) {
    if (is_number(field->first, field->second)) {
      json.field(field->first, static_cast<std::uint64_t>(std::stoull(field->second)));
    } else {
      json.field(field->first, cut(field->second));
    }
  }
  json.end_object();
  return json.take();
}

}  // namespace ligase::report
