// JSON text, written straight into a string: a list of two million pairs needs no tree in between. Whatever a peer put
// into a value stays inside its string: controls and direction controls are \u escapes, broken UTF-8 becomes U+FFFD.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace ligase::report {

// Appends `text` as a JSON string, quotes included (RFC 8259 §7).
void append_json_string(std::string& out, std::string_view text);

// Writes one document. Commas are its business, balance is the caller's.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(double number);  // not finite: 0, since JSON has no such number
  JsonWriter& value(const std::optional<std::string>& text);
  JsonWriter& value(const std::optional<WallTime>& time);  // RFC 3339
  JsonWriter& null();

  template <class T>
  JsonWriter& field(std::string_view name, const T& what) {
    return key(name).value(what);
  }
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string out_;
  bool needs_comma_ = false;
};

// The `error` document of the contract's schema: `reason` is a Reason's name.
std::string error_document(std::string_view reason, std::string_view message);

}  // namespace ligase::report
