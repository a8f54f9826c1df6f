// Bytes of a client of a control endpoint, in one piece and in pieces of a size that the first byte
// gives: both ways must find the same requests.
#include <string>

#include "core/base/check.hpp"
#include "core/web/query.hpp"
#include "core/web/request_parser.hpp"

namespace {

using rr::web::RequestParser;

std::string Read(rr::Bytes in, size_t step) {
    RequestParser parser({.head = 256, .body = 64});
    std::string found;
    while (!in.empty()) {
        const rr::Bytes piece = in.substr(0, step);
        size_t used = 0;
        const RequestParser::Status status = parser.Feed(piece, used);
        RR_CHECK(used <= piece.size());
        if (status == RequestParser::Status::kRequest) {
            const rr::web::Request& request = parser.request();
            RR_CHECK(!request.method.empty() && used > 0);
            found.append(request.method).append(" ").append(request.path).append("?");
            found.append(request.query).append(parser.keep_alive() ? " +\n" : " -\n");
            rr::web::QueryValues(request.query, "plugin");
            if (!parser.keep_alive()) {
                return found;
            }
        } else if (status != RequestParser::Status::kNeedMore &&
                   status != RequestParser::Status::kContinue) {
            return found + "fault";
        } else {
            RR_CHECK(used == piece.size());
        }
        in.remove_prefix(used);
    }
    return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) {
        return 0;
    }
    const rr::Bytes in(reinterpret_cast<const char*>(data) + 1, size - 1);
    RR_CHECK(Read(in, SIZE_MAX) == Read(in, 1 + data[0] % 16));
    return 0;
}
