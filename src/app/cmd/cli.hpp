// The command line: one executable, subcommands (contract, section 2).
#pragma once

namespace ligase::cmd {

// Exit codes: 0 fine, 1 fine with warnings, 2 broken / refused / failed, 3 could not tell, 64 usage, 78 configuration.
int run(int argc, char** argv);

}  // namespace ligase::cmd
