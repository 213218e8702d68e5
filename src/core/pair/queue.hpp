// Stanzas that must wait, kept: bounded in bytes and in age, in the order they came (P6, P7). Their bytes are charged to a budget.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "pair/budget.hpp"
#include "pair/credit.hpp"
#include "stream/machine.hpp"
#include "xml/parser.hpp"

namespace ligase::pair {

// What an error repeats of the stanza: its children, and the prefixes that they use of its start tag, for the error's own. At
// most 1 KiB, else empty.
struct Echo {
  std::string children, declarations;  // "<x:a/>", " xmlns:x='urn:x'"
};
// Empty where the children cannot stand in another stream as they are (AB-182).
Echo echo_of(const xml::ElementView& element);

// A stanza kept beyond the receive block it came in. `bytes` are ready for the stream they wait for.
struct Stanza {
  stream::StanzaKind kind;
  std::string bytes;
  std::string from, to, id, type;  // as they came; empty: absent
  Echo echo;                       // of what is inside, for an error (ROUTE-02); may be empty
  Instant since{};
  Receipt receipt{};  // that it came on credit; it is taken where this stanza ends
  std::size_t size() const noexcept {
    return sizeof *this + bytes.size() + from.size() + to.size() + id.size() + type.size() + echo.children.size() +
           echo.declarations.size();
  }
};

Stanza keep(const xml::ElementView& element, stream::StanzaKind kind, std::string bytes, Instant now);

// The error a sender gets for a stanza that could not be delivered; nullopt where none may be sent: for an error, an iq
// result, and an iq without id (ROUTE-02, AB-122). Its addresses are those of the stanza, swapped.
std::optional<std::string> error_reply(const Stanza& stanza, Reason reason, std::string_view text);

// None may be sent for it (ROUTE-02): it is delivered, or it is gone.
bool is_answerable(const Stanza& stanza) noexcept;

class Queue {
 public:
  explicit Queue(Budget& at) : charge_(at) {}

  // False, and nothing taken, if the queue would hold more than `most` bytes, or its budget has no room.
  bool push(Stanza& stanza, std::uint64_t most);
  // What is owed is kept over every limit: an error, or what was taken already.
  void push_owed(Stanza stanza);
  // Before all that wait, in this order: what came back from where it had been sent to.
  void put_back(std::vector<Stanza> stanzas);
  void wait_at(Budget& other) noexcept { charge_.move_to(other); }
  bool is_empty() const noexcept { return stanzas_.empty(); }
  std::size_t count() const noexcept { return stanzas_.size(); }
  std::uint64_t bytes() const noexcept { return charge_.bytes(); }
  std::uint64_t sent() const noexcept { return sent_; }  // bytes that pop() took, ever
  Budget& budget() const noexcept { return charge_.at(); }
  const Stanza& first() const noexcept { return stanzas_.front(); }  // not empty
  Stanza pop();                                                      // not empty
  std::vector<Stanza> take_older_than(Instant when);                 // in order
  std::vector<Stanza> take_all();

 private:
  std::deque<Stanza> stanzas_;
  Charge charge_;
  std::uint64_t sent_ = 0;
};

}  // namespace ligase::pair
