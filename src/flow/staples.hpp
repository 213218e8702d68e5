// Our own certificates' OCSP responses (REV-01): fetched ahead, at half of their life with jitter, kept across restarts, tried
// again with growing rests where the responder fails, and never served once they are over.
#pragma once
#include <memory>
#include <vector>

#include "proof/certificate.hpp"

namespace ligase {

class Hub;

// These are ours from now on: for each whose issuer has a responder, what is fetched goes to RevocationSettings::set_staple. It
// goes on for those that were ours before, and ends for the others, and with the hub.
void keep_staples(const std::shared_ptr<Hub>& hub, std::vector<std::shared_ptr<const proof::Chain>> own);

}  // namespace ligase
