// One event, one line: text for people and grep, JSON for collectors. Values are cut at 256 bytes in both (AB-110).
#include "report/event.hpp"

#include "base/bytes.hpp"
#include "report/json.hpp"

namespace ligase::report {
namespace {

constexpr std::size_t kLongestValue = 256;
constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};

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

std::string as_text(const Event& event, WallTime at) {
  std::string line = rfc3339(at);
  line += ' ';
  line += name_of(event.level);
  line += " event=";
  line += event.name;
  for (const auto& [key, value] : event.fields) {
    line += ' ';
    line += key;
    line += '=';
    line += text_value(value);
  }
  return line;
}

std::string as_json(const Event& event, WallTime at) {
  JsonWriter json;
  json.begin_object().field("time", rfc3339(at)).field("level", name_of(event.level)).field("event", event.name);
  for (const auto& [key, value] : event.fields) json.field(key, cut(value));
  json.end_object();
  return json.take();
}

}  // namespace ligase::report
