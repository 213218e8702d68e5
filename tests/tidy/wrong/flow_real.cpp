// A wrong include, which must not compile: flow never sees the real world, only its seams.
#include "os/random.hpp"
