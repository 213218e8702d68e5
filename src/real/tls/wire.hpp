// The library's view of the network: a BIO that reads from a view and appends to a string, both lent for one call.
#pragma once
#include <openssl/bio.h>

#include <string>
#include <string_view>

namespace ligase::tls {

struct Wire {
  std::string_view in;
  std::string* out = nullptr;    // null: nothing can be sent now
  const bool* is_cut = nullptr;  // where set and true, no further byte is read, whatever `in` holds
};

// A new BIO on `wire`, which outlives it. Null: no memory.
BIO* make_bio(Wire& wire);

}  // namespace ligase::tls
