// What ligase says of itself, as data: one event a record (contract, section 4). The text and JSON forms are made here,
// so that a peer's bytes cannot forge a record (AB-110, P14).
#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace ligase::report {

enum class Level : std::uint8_t { debug, info, warning, error };
std::string_view name_of(Level level) noexcept;

struct Event {
  Level level = Level::info;
  std::string_view name;                                         // from the documented list (docs/events.md): a literal
  std::vector<std::pair<std::string_view, std::string>> fields;  // keys are literals; values raw, escaped when written

  Event(Level at, std::string_view event) : level(at), name(event) {}
  Event& with(std::string_view key, std::string_view value) & {
    fields.emplace_back(key, std::string(value));
    return *this;
  }
  Event&& with(std::string_view key, std::string_view value) && {
    fields.emplace_back(key, std::string(value));
    return std::move(*this);
  }
};

// When something was said: finer than what certificates need.
using LogTime = std::chrono::sys_time<std::chrono::milliseconds>;

// The keys of all events, in the order in which each record has those it has (docs/events.md).
struct Key {
  std::string_view name;
  bool is_number = false;  // in the JSON form
};
std::span<const Key> event_keys() noexcept;

// `2026-11-24T21:52:04.125Z info event=pair_proven direction=out local=…`; a value with a space or a quote is quoted.
std::string as_text(const Event& event, LogTime at);
// One JSON object on one line: time, level, event, then the fields.
std::string as_json(const Event& event, LogTime at);

class Log {
 public:
  virtual ~Log() = default;
  virtual bool wants(Level level) const noexcept = 0;
  virtual void write(Event event) = 0;  // never blocks (AB-111)
};

}  // namespace ligase::report
