// The next address is tried when the one before fails, or has not answered in its step, and then beside it; the first
// connection wins, the others are dropped when they come.
#include "connect.hpp"

#include "wait.hpp"

namespace ligase {
namespace {

constexpr Duration kFirstStep = 250ms;  // RFC 8305 §5

struct Race {
  std::unique_ptr<seams::Connection> winner;
  std::optional<Error> last;
  std::size_t running = 0;
  bool is_decided = false;
  std::shared_ptr<Gate<bool>> changed;  // opened with true when an attempt ends
};

Task<void> run_attempt(std::shared_ptr<Hub> hub, std::shared_ptr<Race> race, Endpoint endpoint, Instant deadline,
                       Ports ports) {
  Result<std::unique_ptr<seams::Connection>> connected = co_await hub->world.dialer.connect(endpoint, deadline, ports);
  --race->running;
  if (!connected) {
    race->last = connected.error();
  } else if (!race->is_decided) {
    race->is_decided = true;
    race->winner = std::move(*connected);
  }
  if (race->changed) race->changed->open(true);
}

}  // namespace

Task<Result<std::unique_ptr<seams::Connection>>> connect_any(std::shared_ptr<Hub> hub, std::vector<Address> addresses,
                                                             std::uint16_t port, Instant deadline, Ports ports) {
  auto race = std::make_shared<Race>();
  std::size_t next = 0;
  bool step_is_due = true;
  while (!race->winner && hub->now() < deadline && !hub->is_shut_down) {
    if (next < addresses.size() && step_is_due) {
      step_is_due = false;
      ++race->running;
      const Endpoint endpoint{addresses[next++], port};
      const Instant until = std::min(deadline, hub->now() + hub->settings.limits.connect_timeout);
      hub->spawn(run_attempt(hub, race, endpoint, until, ports));
    }
    if (race->running == 0 && next == addresses.size()) break;
    race->changed = std::make_shared<Gate<bool>>(hub->world.executor);
    const Instant until = next < addresses.size() ? std::min(deadline, hub->now() + kFirstStep) : deadline;
    co_await wait_until(hub, race->changed, until, false);
    step_is_due = true;
  }
  race->is_decided = true;
  if (race->winner) co_return std::move(race->winner);
  co_return fail(race->last.value_or(Error{Reason::connect_timeout, "no address answered in time"}));
}

}  // namespace ligase
