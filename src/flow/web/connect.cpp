// The next address is tried when the one before fails, or has not answered in its step, and then beside it; the first
// connection wins, the others are dropped when they come.
#include "web/connect.hpp"

#include "ground/gate.hpp"

namespace ligase::web {
namespace {

constexpr Duration kFirstStep = 250ms;  // RFC 8305 §5

struct Race {
  std::optional<Connected> winner;
  std::optional<Error> last;
  std::size_t running = 0;
  bool is_decided = false;
  std::shared_ptr<ground::Gate<bool>> changed;  // opened with true when an attempt ends
};

// Does it say something of the address, and not of what we may or want?
bool is_of_address(Reason reason) {
  return reason == Reason::connect_refused || reason == Reason::connect_timeout || reason == Reason::network_closed;
}

void is_over(Race& race, Result<Connected> connected) {
  --race.running;
  if (!connected) {
    race.last = std::move(connected.error());
  } else if (!race.is_decided) {
    race.is_decided = true;
    race.winner = std::move(*connected);
  }
  if (race.changed) race.changed->open(true);
}

Task<Result<Connected>> try_one(ground::Ground& ground, std::shared_ptr<Race> race, Endpoint endpoint, Instant deadline,
                                Ports ports, ground::Claimant by) {
  Result<std::unique_ptr<ground::Attempts::Attempt>> attempt =
      co_await ground.attempts.enter(endpoint.address, by, deadline);
  if (!attempt) co_return fail(std::move(attempt.error()));
  if (race->is_decided) co_return fail(Reason::cancelled, "another address has answered");
  const Instant until = std::min(deadline, ground.now() + ground.rules.limits().connect_timeout);
  Result<std::unique_ptr<seams::Connection>> connection = co_await ground.world.dialer.connect(endpoint, until, ports);
  if (!connection) {
    if (is_of_address(connection.error().reason)) (*attempt)->failed(connection.error());
    co_return fail(std::move(connection.error()));
  }
  Connected connected{std::move(*connection), std::move(*attempt)};
  co_return std::move(connected);
}

Task<void> run_attempt(ground::Ground& ground, std::shared_ptr<Race> race, Endpoint endpoint, Instant deadline,
                       Ports ports, ground::Claimant by) {
  Result<Connected> connected = co_await try_one(ground, race, endpoint, deadline, ports, by);
  is_over(*race, std::move(connected));
}

}  // namespace

Task<Result<Connected>> connect_any(ground::Ground& ground, std::vector<Address> addresses, std::uint16_t port,
                                    Instant deadline, Ports ports, ground::Claimant by) {
  auto race = std::make_shared<Race>();
  std::size_t next = 0;
  bool step_is_due = true;
  while (!race->winner && ground.now() < deadline && !ground.scope.is_closed()) {
    if (next < addresses.size() && step_is_due) {
      step_is_due = false;
      ground::Scope::Lost lost = [race](const Error& why) { is_over(*race, fail(why)); };
      ++race->running;
      const Endpoint endpoint{addresses[next++], port};
      ground.spawn(run_attempt(ground, race, endpoint, deadline, ports, by), std::move(lost));
    }
    if (race->running == 0 && next == addresses.size()) break;
    race->changed = std::make_shared<ground::Gate<bool>>(ground.world.executor);
    const Instant until = next < addresses.size() ? std::min(deadline, ground.now() + kFirstStep) : deadline;
    co_await race->changed->wait(ground.world.clock, until);
    step_is_due = true;
  }
  race->is_decided = true;
  if (race->winner) co_return std::move(*race->winner);
  co_return fail(race->last.value_or(Error{Reason::connect_timeout, "no address answered in time"}));
}

}  // namespace ligase::web
