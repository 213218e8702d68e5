// Reads, judges, and starts a node; or says everything that is wrong with the configuration.
#include "cmd/serve.hpp"

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "cmd/failure.hpp"
#include "node/node.hpp"
#include "os/files.hpp"

namespace ligase::cmd {

int serve(const ServeOptions& options) {
  const os::SystemFiles files;
  config::Parsed parsed = config::parse(options.config_file, files);
  if (parsed.config) node::judge(*parsed.config, files, parsed);
  print_warnings(parsed.warnings);
  if (!parsed.faults.empty()) {
    print_faults(parsed.faults);
    return static_cast<int>(Exit::configuration);
  }
  if (options.is_check) {
    fmt::print("{}: OK\n", escaped(options.config_file));
    return static_cast<int>(parsed.warnings.empty() ? Exit::fine : Exit::warnings);
  }
  return fail({Exit::failed, Reason::internal, "the gateway cannot run", escaped(options.config_file),
               "its node is not in this build", "--check judges the configuration"},
              Output::text);
}

}  // namespace ligase::cmd
