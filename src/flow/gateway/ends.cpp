// What an operator closes, and the end of all: the drain, in its order, and what comes after it.
#include <fmt/format.h>

#include "gateway/house.hpp"

namespace ligase::gateway {

Result<void> House::close_stream(const std::string& id) {
  const Error why{Reason::stream_closed, "closed by an operator"};
  for (const auto& [ref, session] : streams_.all()) {
    if (session->number() != id || session->is_ending) continue;
    ground_.log(report::Event(report::Level::info, "closed_by_operator").with("stream", id));
    session->close(why);
    return {};
  }
  for (const auto& [number, link] : links_) {
    if (std::to_string(number) != id || link->is_ending) continue;
    ground_.log(report::Event(report::Level::info, "closed_by_operator").with("stream", id));
    link->end({StreamError::reset, "closed by an operator"}, why);
    return {};
  }
  return fail(Reason::stream_closed, fmt::format("no stream {} is open; `ligase ctl streams` lists them", id));
}

Result<void> House::close_pair(const pairs::PairKey& out) {
  bool is_known = false;
  const Error why{Reason::stream_closed, "closed by an operator"};
  if (pairs::OutPair* pair = out_pairs_.find(out)) {
    is_known = true;
    if (const auto* proven = pair->life.as<pair::Life::Proven>())
      if (streams::Stream* rides = streams_.find(proven->stream)) rides->leave(*pair);
    const auto was_draining = pair->life.draining();
    pair->life.close();
    changed(*pair, was_draining);
    pair->renewal.cancel();
    if (pair->backlog) {
      set_up(*pair);
    } else if (is_of_no_use(*pair)) {
      out_pairs_.erase(out);
    }
  }
  const pairs::PairKey in{out.target, out.sender};
  for (const auto& [ref, session] : streams_.all()) {
    const auto found = session->in_pairs.find(in);
    if (session->is_ending || found == session->in_pairs.end()) continue;
    is_known = true;
    for (const pair::Stanza& stanza : router_.take_held(found->second)) router_.bounce_to_remote(stanza, why);
    found->second.life.close();  // with the key of its claim: the peer knows nothing of this
    found->second.renewal.cancel();
  }
  is_known |= refusals_.erase(in) > 0;
  if (is_known) {
    ground_.log(report::Event(report::Level::info, "closed_by_operator")
                    .with("local", out.sender.text())
                    .with("remote", out.target.text()));
    return {};
  }
  return fail(Reason::host_unknown, fmt::format("no pair of {} and {} is known; `ligase ctl pairs` lists them",
                                                out.sender.text(), out.target.text()));
}

void House::stop(std::function<void()> done) {
  if (is_stopping_) return;
  is_stopping_ = true;
  bench_.is_stopping = true;
  door_.close();
  stopped_ = std::move(done);
  stop_timer_ = ground_.world.clock.call_at(now() + ground_.rules.limits().drain_timeout, [this] {
    stop_timer_ = seams::TimerId::none;
    shut_down();
    check_stopped();
  });
  const Error why{Reason::shutdown, "the gateway is stopping"};
  router_.stop(why);
  std::vector<pair::StreamRef> open;
  for (const auto& [ref, session] : streams_.all()) open.push_back(ref);
  for (const pair::StreamRef ref : open)
    if (streams::Stream* found = streams_.find(ref))
      found->wind_down({StreamError::system_shutdown, "the server is being stopped"}, why);
  schedule_burial();
}

// Streams first: what they do not send any more goes back by the links, each of which ends when it has (AB-260).
void House::end_links() {
  std::vector<hosting::ComponentLink*> open;
  for (const auto& [number, link] : links_)
    if (!link->is_ending && !router_.has_waiting(*link)) open.push_back(link.get());
  for (hosting::ComponentLink* link : open)
    link->end({StreamError::system_shutdown, "the server is being stopped"},
              {Reason::shutdown, "the gateway is stopping"});
}

void House::check_stopped() {
  if (!stopped_ || !streams_.all().empty()) return;
  end_links();
  if (!links_.empty()) return;
  if (stop_timer_ != seams::TimerId::none) ground_.world.clock.cancel(stop_timer_);
  std::exchange(stopped_, {})();
}

void House::shut_down() {
  if (stop_timer_ != seams::TimerId::none) ground_.world.clock.cancel(std::exchange(stop_timer_, seams::TimerId::none));
  ground_.scope.close();
  is_stopping_ = bench_.is_stopping = true;
  door_.close();
  std::uint64_t lost = 0;  // P5: who was not done in time is counted
  for (const auto& [ref, session] : streams_.all()) {
    streams::release_waiters(*session, {Reason::shutdown, "the gateway is stopping"});
    session->connection->abort();
    lost += session->connection->take_unsent().bytes.size();
  }
  for (const auto& [number, link] : links_) {
    link->connection->abort();
    lost += link->connection->take_unsent().bytes.size();
  }
  lost += waiting_.used();
  if (lost > 0)
    count_drop(Reason::shutdown, fmt::format("{} bytes that could neither leave nor go back", lost), nullptr);
  for (const auto& [name, domain] : hosted_.all()) domain->session = nullptr;
  streams_.clear();
  links_.clear();
}

}  // namespace ligase::gateway
