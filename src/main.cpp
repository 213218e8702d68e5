// ligase: an XMPP federation gateway.
#include "cmd/cli.hpp"

int main(int argc, char** argv) { return ligase::cmd::run(argc, argv); }
