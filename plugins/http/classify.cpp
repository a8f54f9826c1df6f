#include "plugins/http/classify.hpp"

namespace rr::http {

BodyKind ClassifyBody(const RequestHead& head, bool raw_body) {
    if (head.verb == Method::kHead || head.verb == Method::kOptions) {
        return BodyKind::kIgnored;
    }
    if (raw_body) {
        return BodyKind::kRaw;
    }
    // A case-sensitive substring, as in RoadRunner: `Application/X-WWW-...` arrives raw.
    Bytes type = head.Find(HeaderId::kContentType);
    if (type.find("application/x-www-form-urlencoded") != Bytes::npos) {
        bool reads =
            head.verb == Method::kPost || head.verb == Method::kPut || head.verb == Method::kPatch;
        return reads ? BodyKind::kForm : BodyKind::kFormEmpty;
    }
    return type.find("multipart/form-data") != Bytes::npos ? BodyKind::kMultipart : BodyKind::kRaw;
}

}  // namespace rr::http
