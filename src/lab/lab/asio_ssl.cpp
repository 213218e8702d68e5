// Boost.Asio's TLS streams, compiled here once for the whole program (BOOST_ASIO_SEPARATE_COMPILATION). Only the lab's web
// server has them: what the gateway does over TLS is real/tls.
#include <boost/asio/ssl/impl/src.hpp>
