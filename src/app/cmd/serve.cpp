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
  if (!parsed.faults.empty()) {
    print_warnings(parsed.warnings);
    print_faults(parsed.faults);
    return static_cast<int>(Exit::configuration);
  }
  if (options.is_check) {
    print_warnings(parsed.warnings);
    fmt::print("{}: OK\n", escaped(options.config_file));
    return static_cast<int>(parsed.warnings.empty() ? Exit::fine : Exit::warnings);
  }
  const Result<void> ran = node::run(*parsed.config, files, parsed.warnings);
  if (ran) return static_cast<int>(Exit::fine);
  return fail({Exit::failed, ran.error().reason, ran.error().detail, "", "", ""}, Output::text);
}

}  // namespace ligase::cmd
