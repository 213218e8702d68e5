// expat as an owner, and what its handlers throw. No exception may pass through a library in C: it is kept, expat stops, and it is
// thrown again to who called expat, when that has returned (AB-161). Internal to xml/.
#pragma once
#include <expat.h>

#include <exception>
#include <memory>
#include <utility>

namespace ligase::xml {

struct FreedByExpat {
  void operator()(XML_Parser parser) const noexcept { XML_ParserFree(parser); }
};
using Expat = std::unique_ptr<XML_ParserStruct, FreedByExpat>;

// Where the event begins, and how long it is. A newer expat (2.9 does) has other names for it, and deprecates the older ones.
template <class Parser = XML_Parser>
std::size_t byte_index(Parser parser) {
  if constexpr (requires { XML_GetCurrentByteIndex64(parser); }) {
    return static_cast<std::size_t>(XML_GetCurrentByteIndex64(parser));
  } else {
    return static_cast<std::size_t>(XML_GetCurrentByteIndex(parser));
  }
}
template <class Parser = XML_Parser>
std::size_t byte_count(Parser parser) {
  if constexpr (requires { XML_GetCurrentByteCount64(parser); }) {
    return static_cast<std::size_t>(XML_GetCurrentByteCount64(parser));
  } else {
    return static_cast<std::size_t>(XML_GetCurrentByteCount(parser));
  }
}

class Thrown {
 public:
  // Runs what a handler of `expat`'s does. Handlers may still be called after one that threw: they change nothing that counts.
  template <class Handler>
  void guard(XML_Parser expat, Handler handler) noexcept {
    try {
      handler();
    } catch (...) {
      failure_ = std::current_exception();
      XML_StopParser(expat, XML_FALSE);
    }
  }
  bool is_kept() const noexcept { return failure_ != nullptr; }
  void clear() noexcept { failure_ = nullptr; }
  void rethrow() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  std::exception_ptr failure_;
};

}  // namespace ligase::xml
