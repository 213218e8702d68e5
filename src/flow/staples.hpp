// Our own certificates' OCSP responses (REV-01): fetched ahead, at half of their life with jitter, kept across restarts, tried
// again with growing rests where the responder fails, and never served once they are over.
#pragma once
#include <memory>

namespace ligase {

class Hub;

// For each certificate of Settings::revocation.own whose issuer has a responder; what is fetched goes to its set_staple.
// Call it once, when the hub begins; it ends with the hub.
void keep_staples(const std::shared_ptr<Hub>& hub);

}  // namespace ligase
