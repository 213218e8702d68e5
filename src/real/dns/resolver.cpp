#include "dns/resolver.hpp"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unbound-event.h>
#include <unbound.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio.hpp>
#include <chrono>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "dns/anchors.hpp"
#include "dns/answer.hpp"
#include "dns/forwarders.hpp"
#include "dns/unbound_context.hpp"

namespace ligase::dns {
namespace {

using Steady = std::chrono::steady_clock;
constexpr Duration kTrialPatience = 2s;

// Who asked. Completed once, by whichever comes first: the answer, the end of patience, a cancellation, the end.
class Asker {
 public:
  template <class Handler>
  explicit Asker(Handler handler) {
    auto on = boost::asio::get_associated_executor(handler);
    auto kept = std::make_shared<Handler>(std::move(handler));
    resume_ = [on, kept = std::move(kept)](proof::Answer answer) mutable {
      boost::asio::post(on,
                        [kept = std::move(kept), answer = std::move(answer)]() mutable { (*kept)(std::move(answer)); });
    };
  }
  void complete(proof::Answer answer) {  // from any thread
    if (is_done_.exchange(true)) return;
    std::exchange(resume_, nullptr)(std::move(answer));
  }

 private:
  std::atomic<bool> is_done_ = false;
  std::function<void(proof::Answer)> resume_;
};

struct Question {
  std::string name;
  proof::RrType type;
  Steady::time_point until;
  std::shared_ptr<Asker> asker;
};

WallTime wall_now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

// Two sides: `incoming_` is shared under the lock; all below it belongs to the resolver's thread.
class UnboundResolver::Impl {
 public:
  explicit Impl(const ResolverOptions& options) : limits_(options), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Impl() {
    stop();
    if (wake_fd_ >= 0) close(wake_fd_);
  }

  Result<void> start(const std::vector<std::string>& anchors, const std::vector<std::string>& forwarders) {
    base_.reset(event_base_new());
    if (!base_ || wake_fd_ < 0) return fail(Reason::internal, "the resolver gets no event loop");
    auto context = make_context(base_.get(), anchors, forwarders);
    if (!context) return fail(std::move(context).error());
    context_ = *std::move(context);
    wake_.reset(event_new(base_.get(), wake_fd_, EV_READ | EV_PERSIST, &Impl::on_wake, this));
    timer_.reset(event_new(base_.get(), -1, 0, &Impl::on_time, this));
    pump_.reset(event_new(base_.get(), -1, 0, &Impl::on_pump, this));
    if (!wake_ || !timer_ || !pump_ || event_add(wake_.get(), nullptr) != 0) {
      return fail(Reason::internal, "the resolver's event loop takes no events");
    }
    thread_ = std::thread([this] { event_base_dispatch(base_.get()); });
    return {};
  }

  Task<proof::Answer> answer_to(std::string name, proof::RrType type, Duration patience);

 private:
  void ask(Question question, Duration patience) {
    question.until = Steady::now() + std::chrono::duration_cast<Steady::duration>(patience);
    std::shared_ptr<Asker> refused;
    {
      const std::scoped_lock hold(lock_);
      if (count_ >= limits_.most_in_flight + limits_.most_waiting) {
        refused = std::move(question.asker);
      } else {
        ++count_;
        incoming_.push_back(std::move(question));
      }
    }
    if (refused) return refused->complete(no_answer("too many questions to the resolver at once"));
    wake();
  }

  struct FreeEvent {
    void operator()(event* freed) const noexcept { event_free(freed); }
  };
  using Event = std::unique_ptr<event, FreeEvent>;
  struct Open : Question {  // by id, which is also the order of deadlines
    bool is_in_flight = false;
    int unbound_id = 0;
  };
  struct Ticket {  // libunbound's way back to a question; freed by its callback, or with the Impl
    Impl* impl;
    std::uint64_t id;
  };

  void wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);  // full: a wake is due anyway
  }

  void stop() {
    if (thread_.joinable()) {
      is_stopping_ = true;
      wake();
      thread_.join();
    }
    take_incoming();
    for (auto& [id, question] : open_) question.asker->complete(no_answer("the resolver was shut down"));
    open_.clear();
    context_.reset();  // before its loop; the callbacks of its open queries are never called
    pump_.reset();
    timer_.reset();
    wake_.reset();
    base_.reset();
  }

  void take_incoming() {
    std::vector<Question> taken;
    {
      const std::scoped_lock hold(lock_);
      taken.swap(incoming_);
    }
    for (Question& question : taken) {
      open_.emplace(next_id_, Open{std::move(question)});
      waiting_.push_back(next_id_++);
    }
  }

  static void on_wake(int fd, short, void* self_) {
    Impl& self = *static_cast<Impl*>(self_);
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t size = read(fd, &count, sizeof count);
    if (self.is_stopping_) {
      event_base_loopbreak(self.base_.get());
      return;
    }
    self.take_incoming();
    self.pump();
    self.set_timer();
  }

  static void on_pump(int, short, void* self_) {
    Impl& self = *static_cast<Impl*>(self_);
    self.pump();
    self.set_timer();
  }

  static void on_time(int, short, void* self_) {
    Impl& self = *static_cast<Impl*>(self_);
    self.is_timer_set_ = false;
    const auto now = Steady::now();
    while (!self.open_.empty() && self.open_.begin()->second.until <= now) {
      self.finish(self.open_.begin(), no_answer("the resolver gave no answer in time"));
    }
    self.pump();
    self.set_timer();
  }

  void set_timer() {
    if (is_timer_set_ || open_.empty()) return;
    const auto left = std::max(open_.begin()->second.until - Steady::now(), Steady::duration::zero());
    const auto micros = std::chrono::ceil<std::chrono::microseconds>(left).count();
    const timeval wait{static_cast<time_t>(micros / 1'000'000), static_cast<suseconds_t>(micros % 1'000'000)};
    is_timer_set_ = event_add(timer_.get(), &wait) == 0;
  }

  // Puts waiting questions to libunbound. Never from inside its callback, which may run inside ub_resolve_event.
  void pump() {
    while (in_flight_ < limits_.most_in_flight && !waiting_.empty()) {
      const std::uint64_t id = waiting_.front();
      waiting_.pop_front();
      const auto found = open_.find(id);
      if (found == open_.end()) continue;  // its time ran out
      found->second.is_in_flight = true;
      ++in_flight_;
      int unbound_id = 0;
      Ticket* ticket = tickets_.emplace(id, std::make_unique<Ticket>(Ticket{this, id})).first->second.get();
      const int code = ub_resolve_event(context_.get(), found->second.name.c_str(),
                                        static_cast<int>(found->second.type), 1, ticket, &Impl::on_answer, &unbound_id);
      const auto still = open_.find(id);  // gone if it was answered on the spot
      if (still == open_.end()) continue;
      still->second.unbound_id = unbound_id;
      if (code != 0) finish(still, no_answer(std::string("libunbound: ") + ub_strerror(code)));
    }
  }

  static void on_answer(void* ticket_, int rcode, void* packet, int size, int sec, char* why, int) {
    const Ticket ticket = *static_cast<Ticket*>(ticket_);
    ticket.impl->take_answer(ticket.id, rcode,
                             {static_cast<const std::uint8_t*>(packet), static_cast<std::size_t>(size)}, sec,
                             why == nullptr ? "" : why);
  }

  void take_answer(std::uint64_t id, int rcode, BytesView packet, int sec, const char* why) {
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    found->second.unbound_id = 0;  // libunbound has done with it
    const Question& question = found->second;
    const Verdict verdict = sec == 2 ? Verdict::secure : sec == 1 ? Verdict::bogus : Verdict::insecure;
    proof::Answer answer = rcode != 0 && verdict != Verdict::bogus
                               ? no_answer("the resolver fails, code " + std::to_string(rcode))
                               : read_answer(packet, question.name, question.type, verdict, why, wall_now());
    finish(found, std::move(answer));
    event_active(pump_.get(), EV_TIMEOUT, 0);
  }

  void finish(std::map<std::uint64_t, Open>::iterator question, proof::Answer answer) {
    if (question->second.is_in_flight) --in_flight_;
    if (question->second.unbound_id != 0) ub_cancel(context_.get(), question->second.unbound_id);
    tickets_.erase(question->first);
    question->second.asker->complete(std::move(answer));
    open_.erase(question);
    const std::scoped_lock hold(lock_);
    --count_;
  }

  const ResolverOptions limits_;
  const int wake_fd_;
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_;

  std::mutex lock_;
  std::vector<Question> incoming_;
  std::size_t count_ = 0;  // incoming and open

  EventBase base_;
  Context context_;
  Event wake_, timer_, pump_;
  bool is_timer_set_ = false;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Open> open_;
  std::deque<std::uint64_t> waiting_;  // not yet put to libunbound
  std::map<std::uint64_t, std::unique_ptr<Ticket>> tickets_;
  std::size_t in_flight_ = 0;
};

struct UnboundResolver::State {
  ResolverOptions options;
  std::vector<std::string> anchors;
  std::string anchored;                  // whose keys the trust anchor is for: "." of the root
  std::unique_ptr<Impl> used, on_trial;  // null: the resolver is gone; there is no trial
  bool is_closed = false;
  bool is_unfit = false;  // by the last trial

  Result<std::unique_ptr<Impl>> make() const {
    auto forwarders = read_forwarders(options.forwarders, read_file(options.resolv_conf));
    if (!forwarders) return fail(std::move(forwarders).error());
    auto made = std::make_unique<Impl>(options);
    if (auto started = made->start(anchors, *forwarders); !started) return fail(std::move(started).error());
    return made;
  }
};

namespace {

// The root before any other, since everything hangs on it.
std::string anchored_name(const std::vector<std::string>& anchors) {
  std::string name;
  for (const std::string& line : anchors) {
    std::string owner = line.substr(0, line.find_first_of(" \t"));
    if (owner == ".") return owner;
    if (name.empty()) name = std::move(owner);
  }
  return name.empty() ? "." : name;
}

}  // namespace

Result<std::unique_ptr<UnboundResolver>> UnboundResolver::create(const ResolverOptions& options) {
  auto state = std::make_shared<State>();
  state->options = options;
  if (!options.trust_anchor.empty()) {
    auto read = read_trust_anchors(options.trust_anchor);
    if (!read) return fail(std::move(read).error());
    state->anchors = *std::move(read);
  }
  state->anchored = anchored_name(state->anchors);
  auto made = state->make();
  if (!made) return fail(std::move(made).error());
  state->used = std::move(*made);
  return std::unique_ptr<UnboundResolver>(new UnboundResolver(std::move(state)));
}

UnboundResolver::UnboundResolver(std::shared_ptr<State> state) : state_(std::move(state)) {}
UnboundResolver::~UnboundResolver() {
  state_->is_closed = true;
  state_->used.reset();
  state_->on_trial.reset();
}

Task<proof::Answer> UnboundResolver::Impl::answer_to(std::string name, proof::RrType type, Duration patience) {
  auto initiate = [this, name = std::move(name), type, patience](auto handler) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    auto asker = std::make_shared<Asker>(std::move(handler));
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(asker)](boost::asio::cancellation_type) {
        if (const auto cancelled = weak.lock()) cancelled->complete(no_answer("the question was cancelled"));
      });
    }
    ask({name, type, {}, std::move(asker)}, patience);
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void(proof::Answer)>(
      std::move(initiate), boost::asio::use_awaitable);
}

namespace {

// A coroutine, so that the context is looked up when the question is put, not when the task is made.
template <class State>
Task<proof::Answer> ask_in_use(std::shared_ptr<State> state, std::string name, proof::RrType type, Duration patience) {
  if (state->is_closed) co_return no_answer("the resolver was shut down");
  Task<proof::Answer> asked = state->used->answer_to(std::move(name), type, patience);
  co_return co_await std::move(asked);
}

}  // namespace

Task<proof::Answer> UnboundResolver::ask(std::string name, proof::RrType type) {
  return ask_in_use(state_, std::move(name), type, state_->options.patience);
}

Task<proof::Answer> UnboundResolver::try_out() { return try_out(state_); }

Task<proof::Answer> UnboundResolver::try_out(std::shared_ptr<State> state) {
  if (state->is_closed || state->on_trial) co_return no_answer("a trial is at work already");
  Result<std::unique_ptr<Impl>> made = state->make();
  if (!made) co_return no_answer(made.error().detail);
  state->on_trial = std::move(*made);
  Task<proof::Answer> tried = state->on_trial->answer_to(state->anchored, proof::RrType::dnskey, kTrialPatience);
  proof::Answer answer = co_await std::move(tried);
  const bool was_unfit = std::exchange(state->is_unfit, proof::is_failed(answer.security));
  bool is_replaced = was_unfit;  // what is in use has remembered failures
  if (!state->is_closed && !state->is_unfit && !was_unfit) {
    Task<proof::Answer> asked = ask_in_use(state, state->anchored, proof::RrType::dnskey, kTrialPatience);
    const proof::Answer in_use = co_await std::move(asked);
    is_replaced = proof::is_failed(in_use.security);
  }
  if (!state->is_closed && !state->is_unfit && is_replaced) state->used = std::move(state->on_trial);
  state->on_trial.reset();
  co_return answer;
}

}  // namespace ligase::dns
