// A wrong include, which must not compile: core never sees a procedure or a seam.
#include "seams/clock.hpp"
