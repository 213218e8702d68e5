// Reads, judges, and starts a node; or says everything that is wrong with the configuration.
#include "cmd/serve.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "cmd/failure.hpp"
#include "node/node.hpp"
#include "os/files.hpp"

namespace ligase::cmd {
namespace {

// Remembers what was read: all that a reload will have to read again.
class RememberingFiles final : public config::Files {
 public:
  tl::expected<config::FileFacts, std::string> read(const std::string& path) const override {
    auto facts = files_.read(path);
    if (facts && std::ranges::find(read_, path) == read_.end()) read_.push_back(path);
    return facts;
  }
  const std::vector<std::string>& all() const noexcept { return read_; }

 private:
  os::SystemFiles files_;
  mutable std::vector<std::string> read_;
};

int check(const ServeOptions& options, const config::Parsed& parsed) {
  print_warnings(parsed.warnings);
  print_faults(parsed.faults);
  if (!parsed.faults.empty()) return static_cast<int>(Exit::configuration);
  fmt::print("{}: OK\n", escaped(options.config_file));
  return static_cast<int>(parsed.warnings.empty() ? Exit::fine : Exit::warnings);
}

}  // namespace

int serve(const ServeOptions& options) {
  const os::SystemFiles files;
  const RememberingFiles remembering;
  config::Parsed parsed = config::parse(options.config_file, remembering);
  if (parsed.config) node::judge(*parsed.config, remembering, parsed);
  node::judge_libraries(parsed);
  if (options.is_check) {
    if (parsed.config && parsed.faults.empty()) node::try_out(*parsed.config, remembering.all(), parsed);
    if (parsed.config && parsed.faults.empty()) node::try_resolver(*parsed.config, files, parsed);
    return check(options, parsed);
  }
  const bool is_text = parsed.log_format == config::LogFormat::text;  // else a collector reads, and gets records alone
  if (!parsed.faults.empty()) {
    if (!is_text) {
      node::log_faults(parsed.log_format, parsed.faults);
    } else {
      print_warnings(parsed.warnings);
      print_faults(parsed.faults);
    }
    return static_cast<int>(Exit::configuration);
  }
  const Result<void> ran = node::run(*parsed.config, files, parsed.warnings, remembering.all());
  if (ran) return static_cast<int>(Exit::fine);
  if (is_text) return fail({Exit::failed, ran.error().reason, ran.error().detail, "", "", ""}, Output::text);
  return static_cast<int>(Exit::failed);
}

}  // namespace ligase::cmd
