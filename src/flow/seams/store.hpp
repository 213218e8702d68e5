// What is worth knowing again after a restart, from outside: a file, or a map. It is a memory and no record: a memo may
// be lost (a crash, a full disk), and nothing that is read from one proves anything by itself.
#pragma once
#include <string>

#include "base/time.hpp"

namespace ligase::seams {

struct Memo {
  std::string kind;   // whose it is: "peer", "key", "labels", "hosted", "posh", "ocsp", "staple"; at most 16 bytes
  std::string key;    // unique within the kind; at most 1 KiB
  std::string value;  // text or bytes that only the kind's owner reads; at most 64 KiB
  WallTime expires;   // forgotten from here on
  bool operator==(const Memo&) const = default;
};

// Both calls return at once; what they say is durable soon, and the latest word on a (kind, key) is the one that stays.
// A memo over its bounds is not remembered. What was remembered is in Settings::memos when the gateway is made.
class Store {
 public:
  virtual ~Store() = default;
  virtual void put(Memo memo) = 0;
  virtual void erase(std::string kind, std::string key) = 0;
};

}  // namespace ligase::seams
