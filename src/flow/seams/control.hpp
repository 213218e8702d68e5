// What may be asked of a running gateway beyond looking at its rows; over the control socket (contract, section 5).
#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"
#include "name/domain.hpp"
#include "report/explanation.hpp"
#include "task.hpp"

namespace ligase::seams {

class Control {
 public:
  virtual ~Control() = default;

  // Why `local` and `remote` reach each other, or do not: a live pair's evidence judged again on its stream; any other
  // pair is tried afresh, if `may_dial`. Errors: host_unknown (`local` is not hosted), limit_reached (too many at once).
  virtual Task<Result<report::Explanation>> explain(Domain local, Domain remote, bool may_dial) = 0;
  // Ends a stream, orderly. Its pairs with something to send are set up anew. Error: stream_closed, where there is none.
  virtual Result<void> close_stream(const std::string& id) = 0;
  // Ends a pair in both directions; its stream and its neighbours stay. The next stanza sets it up anew.
  virtual Result<void> close_pair(const Domain& local, const Domain& remote) = 0;
  // Reads the configuration again, all or nothing. Empty: it is in force; else its faults, and the old one stays.
  virtual std::vector<std::string> reload() = 0;
  virtual void drain() = 0;  // as SIGTERM
};

}  // namespace ligase::seams
