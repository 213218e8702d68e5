// Finds the subcommand and runs it.
#include "cmd/cli.hpp"

#include <cstdio>

namespace ligase::cmd {

int run(int argc, char** argv) {
  if (argc > 1) std::fprintf(stderr, "ligase: error: unknown command \"%s\"; see ligase --help\n", argv[1]);
  return 64;
}

}  // namespace ligase::cmd
