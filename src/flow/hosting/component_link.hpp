// One component's connection at work (XEP-0114): whose domain it serves, and what it has sent.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "ground/deadline.hpp"
#include "ground/ground.hpp"
#include "ground/tap.hpp"
#include "link/component.hpp"
#include "seams/network.hpp"
#include "stream/machine.hpp"

namespace ligase::hosting {

class ComponentLink;

// Who takes a link's stanzas, and is told what becomes of it.
class Owner {
 public:
  virtual xml::Take on_stanza(ComponentLink& link, const xml::ElementView& element, stream::StanzaKind kind) = 0;
  virtual void on_up(ComponentLink& link) = 0;
  virtual void on_contested(ComponentLink& newcomer) = 0;  // another is up for its domain; settle() it
  virtual void on_dropped(ComponentLink& link, Reason reason, std::string_view what) = 0;
  virtual void on_writable(ComponentLink& link) = 0;
  virtual void on_over(ComponentLink& link) = 0;
  virtual void on_closed(ComponentLink& link) = 0;  // it is deleted one turn later

 protected:
  ~Owner() = default;
};

class ComponentLink final : public seams::Receiver, public stream::StanzaSink {
 public:
  ComponentLink(ground::Ground& ground, link::Components& components, Owner& owner, std::uint64_t number,
                std::unique_ptr<seams::Connection> connection);
  ~ComponentLink() override;

  void start();
  void write(std::string_view bytes);
  void answer(std::string_view bytes);  // likewise; a component that does not take its answers is not read meanwhile
  void settle();                        // who was contested comes in, or meets a conflict
  void probe();                         // makes its machine acknowledge something
  void give_up(Error why);              // nobody is there any more: at once, without a word
  void end(StreamFault fault, Error why);
  void close(Error why);
  // What would come from it can be neither delivered nor kept: it is not read until it may go on.
  void hold() { tap_.hold(seams::Pause::full); }
  void go_on() { let_go(seams::Pause::full); }  // in a later turn than hold()
  bool is_held() const noexcept { return !tap_.is_open(); }
  bool is_gone() const noexcept { return is_gone_; }  // as of a stream

  void on_bytes(std::string_view bytes) override;
  void on_tls(const Result<seams::TlsFacts>&) override {}  // components speak in clear on loopback
  void on_writable() override;
  void on_closed(const Error& why) override;
  xml::Take stanza(const xml::ElementView& stanza, stream::StanzaKind kind) override;

  const std::uint64_t number;
  std::unique_ptr<seams::Connection> connection;
  link::ComponentMachine machine;
  bool is_ending = false;
  std::optional<Error> ended_by;
  std::uint64_t stanzas_in = 0, stanzas_out = 0;

 private:
  template <class Step>
  void guarded(Step step) noexcept;  // what is thrown costs this link (AB-161)
  void break_off(Reason reason, const char* what) noexcept;
  void perform(link::Actions actions) noexcept;
  void work_off(link::Actions& actions);
  void tell_over();
  void let_go(seams::Pause why);

  ground::Ground& ground_;
  Owner& owner_;
  ground::Deadline deadline_;
  ground::Tap tap_;
  bool is_performing_ = false, is_over_told_ = false, is_gone_ = false;
};

}  // namespace ligase::hosting
