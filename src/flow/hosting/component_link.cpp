// A component's connection: the machine's actions carried out.
#include "hosting/component_link.hpp"

#include "base/on_leaving.hpp"
#include "base/overloaded.hpp"
#include "stream/words.hpp"
#include "xml/alone.hpp"

namespace ligase::hosting {
namespace {

constexpr Duration kClosePatience = 5s;

link::Limits limits_of(const config::Limits& limits) {
  return {{limits.stanza_size_unproven, limits.depth, limits.attributes, limits.start_tag, limits.name},
          limits.stanza_size,
          limits.unproven_timeout,
          limits.keep_alive};
}

}  // namespace

template <class Step>
void ComponentLink::guarded(Step step) noexcept {
  try {
    step();
  } catch (const std::bad_alloc&) {
    break_off(Reason::memory, "no memory");
  } catch (const std::exception& fault) {
    break_off(Reason::internal, fault.what());
  }
}

ComponentLink::ComponentLink(ground::Ground& ground, link::Components& components, Owner& owner, std::uint64_t n,
                             std::unique_ptr<seams::Connection> c)
    : number(n),
      connection(std::move(c)),
      machine(
          limits_of(ground.rules.limits()), components, [&ground] { return ground.world.new_id(); }, ground.now()),
      ground_(ground),
      owner_(owner),
      deadline_(ground.world.clock, [this] { guarded([&] { perform(machine.on_time(ground_.now())); }); }),
      tap_(*connection) {}

ComponentLink::~ComponentLink() = default;

void ComponentLink::start() {
  guarded([&] {
    connection->start(*this);
    deadline_.move_to(machine.deadline());
  });
}

void ComponentLink::break_off(Reason reason, const char* what) noexcept {
  ground_.scope.attempt(
      [&] { ground_.log(report::Event(report::Level::error, "internal_fault").with("detail", what)); });
  try {
    connection->abort();
    on_closed({reason, what});
  } catch (const std::exception&) {  // not even that: it is looked for in the table (is_gone())
  }
}

void ComponentLink::perform(link::Actions actions) noexcept {
  guarded([&] { work_off(actions); });
}

void ComponentLink::work_off(link::Actions& actions) {
  const bool is_outermost = !is_performing_;
  is_performing_ = true;
  const OnLeaving over([this, is_outermost] { is_performing_ = !is_outermost; });
  for (;;) {
    for (link::Action& action : actions)
      std::visit(Overloaded{
                     [&](link::Send& send) { connection->write(send.bytes); },
                     [&](link::Connected&) { owner_.on_up(*this); },
                     [&](link::Contested&) {
                       connection->pause_reading();
                       owner_.on_contested(*this);
                     },
                     [&](link::Dropped& dropped) { owner_.on_dropped(*this, dropped.reason, dropped.what); },
                     [&](link::Ended& ended) {
                       if (!ended_by) ended_by = ended.why;
                       is_ending = true;
                       connection->close(kClosePatience);
                       tell_over();
                     },
                 },
                 action);
    if (!is_outermost || is_ending || is_held() || !machine.has_more()) break;
    actions = machine.resume(*this, ground_.now());
  }
  if (is_outermost && !is_ending) deadline_.move_to(machine.deadline());
}

void ComponentLink::write(std::string_view bytes) {
  xml::ensure_stands_alone(bytes, ns::kComponent);
  machine.sent_something(ground_.now());
  connection->write(bytes);
}
void ComponentLink::settle() {
  connection->resume_reading();
  guarded([&] { perform(machine.settle(ground_.now())); });
}
void ComponentLink::probe() {
  machine.sent_something(ground_.now());
  connection->write(" ");
}
void ComponentLink::give_up(Error why) {
  connection->abort();
  on_closed(why);
}
void ComponentLink::end(StreamFault fault, Error why) {
  guarded([&] { perform(machine.fail(std::move(fault), std::move(why))); });
}
void ComponentLink::close(Error why) {
  guarded([&] { perform(machine.close(std::move(why))); });
}

void ComponentLink::answer(std::string_view bytes) {
  write(bytes);
  if (connection->queued() > seams::kHighMark && !tap_.is_held(seams::Pause::answers)) tap_.hold(seams::Pause::answers);
}

void ComponentLink::let_go(seams::Pause why) {
  tap_.let_go(why);
  if (is_ending) return;
  if (!is_held() && machine.has_more()) guarded([&] { perform(machine.resume(*this, ground_.now())); });
  if (!is_ending) tap_.settle();
}

void ComponentLink::on_bytes(std::string_view bytes) {
  if (is_ending) return;
  guarded([&] { perform(machine.feed(bytes, *this, ground_.now())); });
}

void ComponentLink::on_writable() {
  if (is_ending) return;
  owner_.on_writable(*this);
  if (!is_ending && tap_.is_held(seams::Pause::answers)) let_go(seams::Pause::answers);
}

void ComponentLink::on_closed(const Error& why) {
  is_gone_ = is_ending = true;
  if (!ended_by) ended_by = why;
  tell_over();
  owner_.on_closed(*this);
}

void ComponentLink::tell_over() {
  if (is_over_told_) return;
  owner_.on_over(*this);
  is_over_told_ = true;
}

xml::Take ComponentLink::stanza(const xml::ElementView& element, stream::StanzaKind kind) {
  ++stanzas_in;
  return owner_.on_stanza(*this, element, kind);
}

}  // namespace ligase::hosting
