// `ligase ctl`: asks a running gateway over its control socket (contract, section 5).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "cmd/failure.hpp"
#include "cmd/rows.hpp"

namespace ligase::cmd {

struct CtlOptions {
  std::string control;      // a socket; empty: that of `config_file`, else the default
  std::string config_file;  // may be empty
  std::string command;      // one of ctl_commands()
  std::vector<std::string> arguments;
  bool is_pair = false;  // --pair: `arguments` of close are LOCAL REMOTE
  RowFilter filter;      // of pairs and streams
  Output output = Output::text;
};
const std::vector<std::string_view>& ctl_commands();
// The words that `command` takes: "LOCAL REMOTE"; empty: none.
std::string_view ctl_arguments(std::string_view command, bool is_pair);

int ctl(const CtlOptions& options);

struct View {
  std::int64_t now = 0;          // seconds since 1970
  std::size_t width = SIZE_MAX;  // of the terminal
  bool is_sorted = false;        // by whoever asked: the order of the rows stays
};
// The table for people of one answer's JSON; throws boost::system::system_error or std::exception where it is not what
// the schema says (a gateway of another version).
std::string ctl_text(std::string_view command, std::string_view json, const View& view);

// Of an explanation: fine where both directions hold, failed where one is refused, else could_not_tell.
Exit verdict_of(std::string_view explanation);

}  // namespace ligase::cmd
