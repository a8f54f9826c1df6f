// Validators of a request, one `Name: value` a line, against a file; dates too.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/base/check.hpp"
#include "core/files/conditions.hpp"
#include "core/files/http_date.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::files;
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    ConditionFields fields;
    while (!in.empty()) {
        const size_t end = std::min(in.find('\n'), in.size());
        const rr::Bytes line = in.substr(0, end);
        in.remove_prefix(std::min(end + 1, in.size()));
        const size_t colon = line.find(": ");
        const rr::Bytes value = colon == rr::Bytes::npos ? line : line.substr(colon + 2);
        if (colon != rr::Bytes::npos) {
            fields.Take(line.substr(0, colon), value);
        }
        if (const auto date = ParseHttpDate(value)) {
            char text[kHttpDateSize];
            WriteHttpDate(*date, text);
            RR_CHECK(ParseHttpDate({text, sizeof text}) == date);
        }
    }
    for (const char* etag : {"", "\"13-4037175136\"", "W/\"1\"", "\"13-"}) {
        Validators file{etag, 784111777};
        if (file.etag == "\"13-") {
            std::swap(file.etag, file.pending);
        }
        const Verdict safe = Judge(fields, file, true);
        const Verdict unsafe = Judge(fields, file, false);
        RR_CHECK(unsafe != Verdict::kNotModified);
        RR_CHECK(safe != Verdict::kPreconditionFailed || unsafe == safe);
        (void)RangeCounts(fields, file);
    }
    return 0;
}
