// The target of a request as the name of a file: it never climbs, and encoded it is the same again.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "core/files/url_path.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::files;
    const rr::Bytes target(reinterpret_cast<const char*>(data), size);
    std::string scratch;
    const UrlPath path = ParseUrlPath(target, scratch);
    if (path.kind == UrlPath::Kind::kUp || path.kind == UrlPath::Kind::kNone) {
        RR_CHECK(path.name.empty());
        return 0;
    }
    const std::string name(path.name);
    RR_CHECK(name.find('\0') == std::string::npos && name.find('\\') == std::string::npos);
    RR_CHECK(name.empty() || (name.front() != '/' && name.back() != '/'));
    for (const char* never : {"..", "//", "/./"}) {
        RR_CHECK(name.empty() || ("/" + name + "/").find(never) == std::string::npos);
    }
    std::string again_scratch;
    const std::string encoded = EncodeUrlPath(name);
    const UrlPath again = ParseUrlPath(encoded, again_scratch);
    RR_CHECK(again.name == name);
    RR_CHECK(ExtensionOf(name).find('/') == rr::Bytes::npos);
    return 0;
}
