// One customer's server: an XEP-0114 component as small as it can be. It shakes hands, writes what it is given, and hands on
// what it reads. It reads always, so it never holds up a gateway, but for one that is to be slow.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "task.hpp"

namespace ligase::lab {

class Component {
 public:
  struct Message {
    std::string_view from, id;
    bool is_error = false;
    std::string error;  // of an error: "remote-server-not-found: why it was so"
  };
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_ready() = 0;  // the handshake was accepted
    virtual void on_message(std::size_t who, const Message& message) = 0;
    virtual std::string next_stanza(std::size_t who) = 0;          // asked while there is room; "": nothing for now
    virtual void on_failed(std::size_t who, std::string why) = 0;  // the connection is gone, though nobody closed it
  };

  // `who` is the owner's number for it; the owner outlives it. Connects to 127.0.0.1:`port`.
  Component(const Executor& executor, std::uint16_t port, std::string domain, std::string secret, std::size_t who,
            Owner& owner);
  ~Component();
  Component(Component&&) noexcept;
  Component& operator=(Component&&) noexcept;  // only of a closed one

  void read_slowly(std::size_t bytes_per_second);  // before start(), from its handshake on
  void start();
  void wake();   // next_stanza() has something again
  void close();  // </stream:stream>; no further calls to the owner

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the operations under way
};

}  // namespace ligase::lab
