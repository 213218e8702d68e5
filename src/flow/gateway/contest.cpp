// Two components for one domain: the one that is up keeps it as long as its machine is there (COMP-01, AB-102, AB-229).
#include "gateway/house.hpp"

namespace ligase::gateway {
namespace {

// An acknowledgement takes a round trip and at most 40 ms; a machine that is there has given it long before the end.
constexpr Duration kLook = 250ms, kPatience = 3s;

}  // namespace

void House::on_contested(hosting::ComponentLink& newcomer) {
  const hosting::HostedDomain* domain = hosted_.find(*newcomer.machine.domain());
  if (domain == nullptr || domain->session == nullptr) return newcomer.settle();
  const std::uint64_t heard = domain->session->connection->heard();
  domain->session->probe();
  contest(newcomer.number, domain->session->number, heard, now() + kPatience);
}

void House::contest(std::uint64_t newcomer, std::uint64_t holder, std::uint64_t heard, Instant end) {
  ground_.scope.call_at(now() + kLook, [this, newcomer, holder, heard, end] {
    const auto comes = links_.find(newcomer), holds = links_.find(holder);
    if (comes == links_.end() || comes->second->is_ending) return;
    if (holds != links_.end() && !holds->second->is_ending && holds->second->connection->heard() == heard) {
      if (now() < end) return contest(newcomer, holder, heard, end);
      holds->second->give_up(
          {Reason::stream_dead, "its machine acknowledges nothing, and the component connects anew"});
    }
    comes->second->settle();
  });
}

}  // namespace ligase::gateway
