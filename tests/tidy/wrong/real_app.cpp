// A wrong include, which must not compile: the real world does not know the programs.
#include "cmd/cli.hpp"
