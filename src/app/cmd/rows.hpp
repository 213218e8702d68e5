// Which rows of `ligase ctl pairs` and `streams`, and in what order: chosen from the gateway's own document, so that what
// --json prints of a row is what the gateway said (contract, section 5).
#pragma once
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ligase::cmd {

struct RowFilter {
  std::vector<std::string> words = {};                 // each must be in some value of the row
  std::string state = {}, proof = {}, direction = {};  // exactly this; empty: any
  std::string peer = {};                               // in the remote domain, the peer's host or its address
  std::string sort = {};  // a key of the rows, "-" before it: the greatest first; empty: as the table has it
  std::optional<std::uint64_t> limit = {};
  bool is_count = false;         // only how many
  bool is_any() const noexcept;  // anything is asked for
};

// The rows that pass, sorted and cut. Reason::config_invalid: `sort` or another filter names no key of these rows.
Result<boost::json::array> choose_rows(const boost::json::array& rows, const RowFilter& filter);

// Numbers as people read them: "999", "8.4k", "1.2M".
std::string short_number(double number);
// "in 58 min", "3 h ago", "now": from `now` on, both in seconds since 1970.
std::string relative_time(std::int64_t time, std::int64_t now);
// RFC 3339 in whole seconds and UTC, as ligase writes it; nullopt: it is none.
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace ligase::cmd
