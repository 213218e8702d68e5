// `ligase ctl`: asks a running gateway over its control socket (contract, section 5).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "cmd/failure.hpp"

namespace ligase::cmd {

struct CtlOptions {
  std::string control;      // a socket; empty: that of `config_file`, else the default
  std::string config_file;  // may be empty
  std::string command;      // one of ctl_commands()
  std::vector<std::string> arguments;
  bool is_pair = false;  // --pair: `arguments` of close are LOCAL REMOTE
  Output output = Output::text;
};
const std::vector<std::string_view>& ctl_commands();
// The words that `command` takes: "LOCAL REMOTE"; empty: none.
std::string_view ctl_arguments(std::string_view command, bool is_pair);

int ctl(const CtlOptions& options);

// The table for people of one answer's JSON; throws boost::system::system_error or std::exception where it is not what
// the schema says (a gateway of another version).
std::string ctl_text(std::string_view command, std::string_view json);

}  // namespace ligase::cmd
