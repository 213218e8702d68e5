#!/usr/bin/env python3
"""Holds what libligase_core.a asks of the outside against a list: the pure core has no clock, socket, thread or file.

usage: symbols.py LIBRARY. Reads `nm`. A name that is neither defined in the library nor allowed is a fault.
"""
import re
import subprocess
import sys

# C library: memory, strings, numbers, assertions. Nothing that opens, waits, asks the time or the random source.
LIBC = """
abort memchr memcmp memcpy memmove memset memrchr strlen strcmp strncmp strchr strrchr strstr strnlen strtol strtoul
strtoll strtoull strtod strerror strerror_r strncpy __strtol_internal isalnum isdigit tolower toupper __ctype_b_loc __ctype_tolower_loc
__ctype_toupper_loc malloc calloc realloc free bcmp snprintf vsnprintf __snprintf_chk __memcpy_chk __memset_chk
__memmove_chk __libc_single_threaded __stack_chk_fail __stack_chk_guard __assert_fail gmtime_r timegm qsort bsearch stderr fprintf fputs
fputc fwrite __fprintf_chk __tls_get_addr __errno_location inet_pton inet_ntop floor ceil fmod pow log10 ldexp
frexp lround llround modf nextafter round scalbn
""".split()
PREFIXES = (
    "_Z",  # C++: judged below, by its demangled name
    "XML_",  # expat
    "idn2_", "u8_", "u32_",  # names
    "__libc_single_threaded",  # asked by shared_ptr, to count without locking
    "__gxx_", "__cxa_", "_Unwind_", "__dso_handle", "_GLOBAL_OFFSET_TABLE_", "__cpu", "__popcount", "__ubsan", "__asan",
    "__gcov", "__mul", "__udiv", "__umod", "__div", "__mod", "__float", "__fix", "__dynamic_cast",
)
# libcrypto: parsing, digests, verification at a told time. Never SSL_, BIO_ with a socket or file, RAND_ or the time.
CRYPTO = re.compile(
    r"^(X509\w*|i2d_\w+|d2i_\w+|i2a_\w+|OPENSSL_\w+|CRYPTO_(free|malloc|memcmp|zalloc|clear_free)\w*|EVP_\w+|HMAC\w*|SHA\d*\w*|ASN1_\w+"
    r"|OBJ_\w+|GENERAL_NAMES?_\w+|NAME_CONSTRAINTS_\w+|GENERAL_SUBTREE_\w+|EXTENDED_KEY_USAGE_\w+|BN_\w+|ERR_\w+"
    r"|BIO_(new_mem_buf|s_mem|new|free|free_all|read|write|ctrl|puts|gets|printf|s_secmem|method_type)|PEM_(read_bio|write_bio)\w*"
    r"|OTHERNAME_\w+|TLS_FEATURE_\w+|AUTHORITY_\w+|BASIC_CONSTRAINTS_\w+|CRL_\w+|OCSP_(resp|basic|single|cert|check|id|"
    r"response|REQUEST|RESPONSE|BASICRESP|SINGLERESP|CERTID|request|crl)\w*|ISSUING_DIST_POINT_\w+"
    r"|RSA_\w+|EC_\w+|a2i_\w+|s2i_\w+|a2d_\w+|OPENSSL_sk_\w+)$")
NEVER = re.compile(
    r"^(socket|connect|bind|listen|accept4?|send\w*|recv\w*|poll|epoll_\w+|select|getaddrinfo|open(at)?(64)?|fopen(64)?|"
    r"clock_gettime|gettimeofday|time|nanosleep|usleep|sleep|getrandom|rand|random|pthread_\w+|fork|exec\w*|getenv|"
    r"SSL_\w+|RAND_\w+|OCSP_check_validity|BIO_s_(socket|connect|file|accept)|BIO_new_(file|socket|connect))$")
NEVER_CPP = re.compile(
    r"std::chrono::_V2::\w+_clock::now|std::(j?thread|this_thread|mutex|condition_variable|random_device)\b"
    r"|std::filesystem::(?!__cxx11::path\b)"  # joining paths is text; asking for files is not
    r"|std::basic_(i|o)?f(ilebuf|stream)|boost::asio|std::cout|std::cerr")


def undefined(library):
    """The symbols that the archive's members ask for and none of them defines, demangled beside the raw name."""
    text = subprocess.run(["nm", "-P", library], capture_output=True, text=True, check=True).stdout
    asked, defined = set(), set()
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 2 and len(fields[1]) == 1:
            (asked if fields[1] in "Uw" else defined).add(fields[0])
    names = sorted(asked - defined)
    shown = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return list(zip(names, shown.splitlines()))


def fault(name, shown):
    """Why the core may not ask for this symbol, or None."""
    if NEVER.match(name) or NEVER_CPP.search(shown):
        return "reaches into the outside world"
    if name in LIBC or name.startswith(PREFIXES) or CRYPTO.match(name):
        return None
    return "is not on the list in tests/tidy/symbols.py; put it there if it neither waits, asks nor opens anything"


def main(library):
    faults = [(shown, why) for name, shown in undefined(library) if (why := fault(name, shown))]
    for shown, why in faults:
        print(f"{library}: {shown}: {why}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
