#include "dns/watch.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <exception>

namespace ligase::dns {
namespace {

using proof::Answer;

constexpr Duration kFirstPause = 250ms, kLongestPause = 1s;  // between trials of a resolver that is unfit
// Back for so long before what failed is forgotten: what was asked of it while it was away has ended by then.
constexpr Duration kSettling = 1s;
constexpr Duration kBetweenDoubts = 10s;  // trials that failed answers may cause, which strangers can name
constexpr Duration kUsual = std::chrono::minutes(5);

}  // namespace

std::optional<Error> judge_trial(const Answer& answer) {
  if (!proof::is_failed(answer.security)) return std::nullopt;
  if (answer.security == proof::Security::bogus)
    return Error{Reason::dns_resolver, "the keys of the trust anchor do not come, or do not validate: " + answer.why};
  return Error{Reason::dns_indeterminate, "the resolver does not answer: " + answer.why};
}

// Shared with the trial at work, which may end after the watch is gone.
struct Watch::State : std::enable_shared_from_this<State> {
  State(CachingResolver& c, seams::ResolverTrial& t, seams::Clock& at, Executor on, Told tell)
      : cache(c), trial(t), clock(at), executor(std::move(on)), told(std::move(tell)) {}

  static Task<void> run(std::shared_ptr<State> self) {
    Answer answer;
    try {
      answer = co_await self->trial.try_out();
    } catch (const std::exception& broken) {  // memory, or a loop that ends
      answer.why = broken.what();
    }
    self->is_trying = false;
    if (!self->is_closed) self->settle(judge_trial(answer));
  }

  void try_now() {
    if (is_trying || is_closed) return;
    is_trying = true;
    clock.cancel(std::exchange(timer, seams::TimerId::none));
    last_trial = clock.now();
    try {
      boost::asio::co_spawn(executor, run(shared_from_this()), [](std::exception_ptr) {});
    } catch (const std::exception& broken) {
      if (!std::exchange(is_trying, false)) throw;
      settle(Error{Reason::dns_indeterminate, broken.what()});
    }
  }

  void try_in(Duration pause) {
    timer = clock.call_at(clock.now() + pause, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self == nullptr || self->is_closed) return;
      self->timer = seams::TimerId::none;
      self->try_now();
    });
  }

  void settle(std::optional<Error> found) {
    if (found) {
      const bool is_news = !unfit || unfit->reason != found->reason;
      pause = unfit ? std::min(2 * pause, kLongestPause) : kFirstPause;
      unfit = std::move(found);
      is_known = true;
      is_back = false;
      try_in(pause);
      if (is_news) told(unfit);
      return;
    }
    if (unfit && !is_back) {
      is_back = true;
      return try_in(kSettling);
    }
    const bool is_news = unfit || !is_known;
    if (unfit) cache.forget_failures();
    unfit.reset();
    is_known = true;
    is_back = false;
    try_in(kUsual);
    if (is_news) told(std::nullopt);
  }

  void doubt() {
    if (!unfit && clock.now() - last_trial >= kBetweenDoubts) try_now();
  }

  static Task<Answer> ask(std::shared_ptr<State> self, std::string name, proof::RrType type) {
    Answer answer = co_await self->cache.ask(std::move(name), type);
    if (self->is_closed || !proof::is_failed(answer.security)) co_return answer;
    self->doubt();
    if (self->unfit && self->unfit->reason == Reason::dns_resolver) {
      answer.blamed = Reason::dns_resolver;
      answer.why = self->unfit->detail;
    }
    co_return answer;
  }

  CachingResolver& cache;
  seams::ResolverTrial& trial;
  seams::Clock& clock;
  Executor executor;
  Told told;
  bool is_trying = false, is_closed = false;
  bool is_known = false;       // tried out at least once
  bool is_back = false;        // unfit, but the last trial succeeded
  std::optional<Error> unfit;  // why
  Instant last_trial{};
  Duration pause{};
  seams::TimerId timer = seams::TimerId::none;
};

Watch::Watch(CachingResolver& cache, seams::ResolverTrial& trial, seams::Clock& clock, Executor executor, Told told)
    : cache_(cache), state_(std::make_shared<State>(cache, trial, clock, std::move(executor), std::move(told))) {}

Watch::~Watch() {
  state_->is_closed = true;
  if (state_->timer != seams::TimerId::none) state_->clock.cancel(state_->timer);
}

void Watch::start() { state_->try_now(); }

Task<Answer> Watch::ask(std::string name, proof::RrType type) { return State::ask(state_, std::move(name), type); }

}  // namespace ligase::dns
