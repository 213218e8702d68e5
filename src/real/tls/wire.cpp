// BIO_METHOD with read, write and the two controls the library uses. An empty view is "try again"; whether the network
// has ended is not known here.
#include "tls/wire.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace ligase::tls {
namespace {

int read_wire(BIO* bio, char* to, std::size_t size, std::size_t* taken) {
  auto* wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (wire->is_cut != nullptr && *wire->is_cut) return 0;
  if (wire->in.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  *taken = std::min(size, wire->in.size());
  std::memcpy(to, wire->in.data(), *taken);
  wire->in.remove_prefix(*taken);
  return 1;
}

int write_wire(BIO* bio, const char* from, std::size_t size, std::size_t* written) {
  auto* wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (wire->out == nullptr) return 0;
  try {
    wire->out->append(from, size);
  } catch (const std::bad_alloc&) {
    return 0;  // the session fails, the process stays (AB-161)
  }
  *written = size;
  return 1;
}

long control_wire(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ligase wire");
  if (method == nullptr) return nullptr;
  BIO_meth_set_read_ex(method, read_wire);
  BIO_meth_set_write_ex(method, write_wire);
  BIO_meth_set_ctrl(method, control_wire);
  return method;
}

}  // namespace

BIO* make_bio(Wire& wire) {
  static BIO_METHOD* const method = make_method();  // for the process's life
  BIO* bio = method == nullptr ? nullptr : BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &wire);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace ligase::tls
