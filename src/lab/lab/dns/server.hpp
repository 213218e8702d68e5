// Serves a Tree over UDP and TCP on 127.0.0.1, as a forwarder's target: a resolver that does not validate. Questions
// can be answered badly on purpose, by name. Nothing but loopback is ever bound.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "lab/dns/tree.hpp"
#include "task.hpp"

namespace ligase::lab::dns {

enum class Manner : std::uint8_t {
  honest,
  silent,  // no answer
  servfail,
  refused,
  wrong_question,  // an answer, to another question
  truncated,       // over UDP truncated always, over TCP silent
};

class Server {
 public:
  // Binds a free port, UDP and TCP, and serves from a thread of its own until destroyed. The tree outlives the server.
  // network_closed: no port to be had.
  static Result<std::unique_ptr<Server>> start(const Tree& tree);
  // The same on a loop of the caller's: one thread runs it, and the server goes in that thread, or when
  // the loop has stopped, and before the loop does.
  static Result<std::unique_ptr<Server>> start_on(const Tree& tree, Executor executor);
  ~Server();

  std::uint16_t port() const noexcept;
  std::string forwarder() const;  // "127.0.0.1@PORT", as libunbound writes it

  // For `name` and all below it ("": everything); the most particular one counts. From any thread.
  void set_manner(std::string_view name, Manner manner);

  // Questions that came for exactly this name and type number, over either transport. From any thread.
  std::size_t questions(std::string_view name, std::uint16_t type) const;
  std::size_t questions() const;

 private:
  class Impl;
  struct Own;  // the thread and its loop
  Server(std::unique_ptr<Own> own, std::shared_ptr<Impl> impl);
  static Result<std::unique_ptr<Server>> start_with(const Tree& tree, Executor executor, std::unique_ptr<Own> own);

  std::unique_ptr<Own> own_;  // null: on the caller's loop
  std::shared_ptr<Impl> impl_;
};

}  // namespace ligase::lab::dns
