// `ligase serve`: the gateway in the foreground, or with --check only the judgement of its configuration.
#pragma once
#include <string>

namespace ligase::cmd {

constexpr const char* kDefaultConfig = "/etc/ligase/ligase.toml";

struct ServeOptions {
  std::string config_file = kDefaultConfig;
  bool is_check = false;
};
int serve(const ServeOptions& options);

}  // namespace ligase::cmd
