// A wrong include, which must not compile: core never sees the real world.
#include "os/random.hpp"
