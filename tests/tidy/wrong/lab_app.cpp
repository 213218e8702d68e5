// A wrong include, which must not compile: the lab does not know the programs.
#include "cmd/cli.hpp"
