// Multipart bodies with the boundary `b`: the same parts or the same fault, whatever the pieces.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "plugins/http/multipart.hpp"
#include "plugins/http/uploads.hpp"

namespace {

using namespace rr::http;

class Files final : public UploadSink {
public:
    void OnFile(size_t index) override { text += "[" + std::to_string(index); }
    void OnFileData(size_t, rr::Bytes data) override { text += data; }
    void OnFileEnd(size_t) override { text += "]"; }
    std::string text;
};

std::string Run(rr::Bytes in, size_t piece) {
    UploadRules rules{{".php"}, {}};
    Files files;
    MultipartForm form(rules, files);
    MultipartParser parser({5, 12, 400}, form);
    BodyFault fault = parser.Open("multipart/form-data; boundary=b");
    RR_CHECK(!fault);
    for (size_t at = 0; !fault && at < in.size(); at += piece) {
        fault = parser.Feed(in.substr(at, piece));
    }
    if (!fault) {
        fault = parser.Finish();
    }
    if (fault) {
        RR_CHECK(!fault.reason.empty());
        return fault.reason;
    }
    rr::Buffer out;
    form.fields().AppendJson(out);
    form.AppendUploadsJson(out);
    return files.text + std::string(out.view());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    std::string whole = Run(in, size + 1);
    for (size_t piece : {size_t{1}, size_t{5}}) {
        RR_CHECK(Run(in, piece) == whole);
    }
    return 0;
}
