// FastCGI: records are the same whole and byte by byte; what is said of pairs and parameters holds.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "plugins/http/fcgi_params.hpp"
#include "plugins/http/fcgi_records.hpp"

namespace {

using namespace rr;
using namespace rr::http;

// Everything that comes out of the reader as one text; params collects PARAMS.
std::string Read(Bytes in, size_t step_size, Buffer& params) {
    FcgiReader reader;
    std::string out;
    while (!in.empty()) {
        Bytes part = in.substr(0, step_size);
        in.remove_prefix(part.size());
        while (true) {
            FcgiReader::Step step = reader.Next(part);
            RR_CHECK(step.consumed <= part.size());
            part.remove_prefix(step.consumed);
            if (step.event == FcgiReader::Event::kNeedMore) {
                RR_CHECK(part.empty());
                break;
            }
            if (step.event == FcgiReader::Event::kBad) {
                return out + "bad";
            }
            if (step.event == FcgiReader::Event::kRecord) {
                out += "record " + std::to_string(static_cast<int>(reader.type())) + ' ' +
                       std::to_string(reader.id()) + ' ' + std::to_string(reader.size()) + ':';
            }
            if (step.event == FcgiReader::Event::kEnd) {
                out += "end\n";
            }
            out.append(step.content);
            if (reader.type() == FcgiType::kParams) {
                params.Append(step.content);
            }
        }
    }
    return out;
}

void ReadParams(Buffer& params) {
    Bytes rest = params.view();
    FcgiPair pair;
    Buffer again;
    while (TakeFcgiPair(rest, pair)) {
        AppendFcgiPair(pair.name, pair.value, again);
    }
    Bytes copy = again.view();
    size_t pairs = 0;
    while (TakeFcgiPair(copy, pair)) {
        ++pairs;
    }
    RR_CHECK(copy.empty());

    HeadLimits limits;
    limits.headers = 8;
    limits.target = 64;
    limits.head = 256;
    RequestHead head;
    std::string peer = "none";
    int status = ReadFcgiParams(params, limits, head, peer);
    RR_CHECK(status == 0 || status == 400 || status == 414 || status == 431);
    RR_CHECK(!peer.empty());
    RR_CHECK(head.fields.size() <= limits.headers);
    RR_CHECK(head.target.size() <= limits.target);
    if (status == 0) {
        RR_CHECK(IsToken(head.method) && !head.target.empty() && IsHostText(head.host));
        RR_CHECK(rest.empty());
        for (const HeaderField& field : head.fields) {
            RR_CHECK(IsToken(field.name));
            RR_CHECK(field.value.find_first_of(Bytes("\r\n\0", 3)) == Bytes::npos);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Bytes in(reinterpret_cast<const char*>(data), size);
    Buffer params;
    Buffer same;
    std::string whole = Read(in, SIZE_MAX, params);
    RR_CHECK(whole == Read(in, 1, same));
    RR_CHECK(params.view() == same.view());
    ReadParams(params);
    Buffer bare;
    bare.Append(in);
    ReadParams(bare);
    return 0;
}
