#include "prove/errand.hpp"

#include <fmt/format.h>

namespace ligase::prove {

void tell(const Errand& errand, std::string what, report::StepResult result, std::string detail, Duration took) {
  if (errand.told != nullptr)
    errand.told->push_back({"out: " + std::move(what), result, std::move(detail), report::milliseconds(took)});
}
void tell_failure(const Errand& errand, std::string what, const Error& why, Duration took) {
  tell(errand, std::move(what), report::StepResult::failed, reason_text(why), took);
}
void tell_stream(const Errand& errand, const streams::Stream& session, std::string_view which, Duration took) {
  tell(errand, "stream", report::StepResult::ok,
       fmt::format("{}, {}, to {} at {}{}{}", which, session.number(), session.peer_host,
                   session.connection->remote().text(), session.machine.is_encrypted() ? ", " : ", without TLS",
                   session.facts.version),
       took);
}

bool is_own(const streams::Stream& session, const pairs::PairKey& pair) {
  return *session.machine.local() == pair.sender && *session.machine.remote() == pair.target;
}

bool shows_own_certificate(const Bench& bench, const streams::Stream& session, const pairs::PairKey& pair) {
  return session.shows_certificate &&
         bench.ground.rules.certificate_of(*session.machine.local()) == bench.ground.rules.certificate_of(pair.sender);
}

}  // namespace ligase::prove
