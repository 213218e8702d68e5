// A coroutine run to its end on a loop of its own.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "task.hpp"

namespace ligase::test {

template <class T>
T run(Task<T> task) {
  boost::asio::io_context loop{1};
  std::optional<T> result;
  boost::asio::co_spawn(loop, std::move(task), [&](const std::exception_ptr& thrown, T value) {
    if (thrown) std::rethrow_exception(thrown);
    result.emplace(std::move(value));
  });
  loop.run();
  return std::move(result).value();
}

}  // namespace ligase::test
