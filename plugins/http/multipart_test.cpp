#include "plugins/http/multipart.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "plugins/http/uploads.hpp"

using namespace rr::http;
using rr::Buffer;
using rr::Bytes;

namespace {

// Notes the parts as text: <name|filename|type>data;
class Notes final : public PartSink {
public:
    BodyFault OnPart(Bytes name, Bytes filename, Bytes type) override {
        text +=
            "<" + std::string(name) + "|" + std::string(filename) + "|" + std::string(type) + ">";
        return {};
    }
    void OnPartData(Bytes data) override { text += data; }
    BodyFault OnPartEnd() override {
        text += ";";
        return {};
    }
    std::string text;
};

std::string Parse(const std::string& body, size_t piece, MultipartLimits limits = {},
                  const std::string& type = "multipart/form-data; boundary=b") {
    Notes notes;
    MultipartParser parser(limits, notes);
    BodyFault fault = parser.Open(type);
    for (size_t at = 0; !fault && at < body.size(); at += piece) {
        fault = parser.Feed(Bytes(body).substr(at, piece));
    }
    if (!fault) {
        fault = parser.Finish();
    }
    return fault ? std::to_string(fault.status) + " " + fault.reason : notes.text;
}

std::string Parse(const std::string& body, MultipartLimits limits = {}) {
    std::string whole = Parse(body, body.size() + 1, limits);
    for (size_t piece : {1, 2, 3, 7, 16}) {
        REQUIRE(Parse(body, piece, limits) == whole);
    }
    return whole;
}

std::string Part(const std::string& disposition, const std::string& data,
                 const std::string& more = "") {
    return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n" + more + "\r\n" + data +
           "\r\n";
}
const std::string kEnd = "--b--\r\n";

// Writes "files" into memory.
class Files final : public UploadSink {
public:
    void OnFile(size_t index) override { text += "[" + std::to_string(index) + ":"; }
    void OnFileData(size_t, Bytes data) override { text += data; }
    void OnFileEnd(size_t) override { text += "]"; }
    std::string text;
};

}  // namespace

TEST_CASE("multipart: fields and files, whatever the pieces they come in") {
    REQUIRE(Parse(Part("name=a", "1") +
                  Part("name=\"f\"; filename=\"dir/x.txt\"", "data\r\n--bx\r\n",
                       "Content-Type: text/plain\r\n") +
                  kEnd) == "<a||>1;<f|x.txt|text/plain>data\r\n--bx\r\n;");
    REQUIRE(Parse(kEnd) == "");
    REQUIRE(Parse("--b--") == "");
    REQUIRE(Parse(Part("name=a", "") + "--b--") == "<a||>;");
}

TEST_CASE("multipart: text before and after is dropped, blanks behind a boundary too") {
    REQUIRE(Parse("pre\r\n--bx\r\n--b \t\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n"
                  "--b-- \r\nepilogue\r\n--b\r\n") == "<a||>v;");
}

TEST_CASE("multipart: a body with bare line feeds") {
    REQUIRE(Parse("--b\nContent-Disposition: form-data; name=a\n\nv\r\n--b\nContent-Disposition: "
                  "form-data; name=c\n\n\n--b--\n") == "<a||>v\r;<c||>;");
}

TEST_CASE("multipart: an empty part may end right behind its head") {
    REQUIRE(Parse("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b--\r\n") == "<a||>;");
    REQUIRE(Parse("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--bc\r\n--b--\r\n") ==
            "<a||>--bc;");
}

TEST_CASE("multipart: near boundaries are data") {
    REQUIRE(Parse(Part("name=a", "\r\n--\r\n--a\r\n-\r\r\n--b-x\r\n") + kEnd) ==
            "<a||>\r\n--\r\n--a\r\n-\r\r\n--b-x\r\n;");
}

TEST_CASE("multipart: heads may be folded; parts without a name are dropped") {
    REQUIRE(Parse("--b\r\ncontent-disposition: form-data;\r\n\tname=a\r\n\r\n1\r\n" +
                  Part("filename=x", "2") +
                  "--b\r\nContent-Disposition: attachment; name=c\r\n\r\n3"
                  "\r\n--b\r\n\r\n4\r\n" +
                  kEnd) == "<a||>1;");
}

TEST_CASE("multipart: base names and empty filenames") {
    REQUIRE(Parse(Part("name=a; filename=\"\"", "v") + kEnd) == "<a||>v;");
    REQUIRE(Parse(Part("name=a; filename=\"../../x\"", "v") + kEnd) == "<a|x|>v;");
    REQUIRE(Parse(Part("name=a; filename=\"C:\\\\d\\\\x.txt\"", "v") + kEnd) ==
            "<a|C:\\d\\x.txt|>v;");
    REQUIRE(Parse(Part("name=a; filename=\"d/\"", "v") + kEnd) == "<a|d|>v;");
}

TEST_CASE("multipart: faults in the reference's words") {
    REQUIRE(Parse("") == "400 multipart: NextPart: EOF");
    REQUIRE(Parse("text") == "400 multipart: NextPart: EOF");
    REQUIRE(Parse("--b\r\n") == "400 unexpected EOF");
    REQUIRE(Parse(Part("name=a", "x")) == "400 unexpected EOF");
    REQUIRE(Parse(Part("name=a", "x") + "--b") == "400 unexpected EOF");
    REQUIRE(Parse(Part("name=a", "x") + "--b--x\r\n") ==
            "400 multipart: unexpected line in Next()");
    REQUIRE(Parse("--b\r\nno colon\r\n\r\n") == "400 malformed MIME header line: no colon");
    REQUIRE(Parse("--b\r\n folded\r\n\r\n") == "400 malformed MIME header initial line:  folded");
    auto open = [](const std::string& type) { return Parse(kEnd, 100, {}, type); };
    REQUIRE(open("multipart/form-data") == "400 no multipart boundary param in Content-Type");
    REQUIRE(open("x multipart/form-data") == "400 request Content-Type isn't multipart/form-data");
    REQUIRE(open("multipart/mixed; x=multipart/form-data; boundary=b").substr(0, 3) == "400");
    REQUIRE(open("multipart/form-data; boundary=\"b\"") == "");
}

TEST_CASE("multipart: parts, headers and form bytes are bounded") {
    MultipartLimits limits{2, 4, 200};
    std::string two = Part("name=a", "1") + Part("name=c", "2");
    REQUIRE(Parse(two + kEnd, limits) == "<a||>1;<c||>2;");
    REQUIRE(Parse(two + Part("name=d", "3") + kEnd, limits) == "400 multipart: message too large");
    REQUIRE(Parse(Part("name=a", "1", "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n") + kEnd, limits) ==
            "400 multipart: message too large");
    REQUIRE(Parse(Part("name=a", std::string(300, 'x')) + kEnd, limits) ==
            "413 multipart: message too large");
    REQUIRE(Parse(Part("name=a; filename=f", std::string(300, 'x')) + kEnd, limits).size() > 300);
    REQUIRE(Parse("--b\r\nA: " + std::string(70000, 'x') + "\r\n\r\n", 999) ==
            "400 multipart: message too large");
}

TEST_CASE("multipart: a fault stays") {
    Notes notes;
    MultipartParser parser({}, notes);
    REQUIRE_FALSE(parser.Open("multipart/form-data; boundary=b"));
    REQUIRE(parser.Feed("--b\r\nbad\r\n\r\n"));
    REQUIRE(parser.Feed(kEnd));
    REQUIRE(parser.Finish());
}

TEST_CASE("uploads: fields go into the body tree, files into the uploads tree") {
    UploadRules rules{{".php"}, {}};
    Files sink;
    MultipartForm form(rules, sink);
    MultipartParser parser({}, form);
    REQUIRE_FALSE(parser.Open("multipart/form-data; boundary=b"));
    std::string body = Part("name=a", "1") + Part("name=e; filename=\"\"", "") +
                       Part("name=f; filename=a.txt", "12345", "Content-Type: text/plain\r\n") +
                       Part("name=\"g[]\"; filename=x.png", "p") +
                       Part("name=\"g[]\"; filename=b.PHP", "no", "Content-Type: text/x-php\r\n") +
                       Part("name=\"h[k]\"; filename=h", "h") +
                       Part("name=f; filename=second", "s") + kEnd;
    REQUIRE_FALSE(parser.Feed(body));
    REQUIRE_FALSE(parser.Finish());
    REQUIRE(sink.text == "[0:12345][1:p][3:h][4:s]");
    form.files()[0].size = 5;
    form.files()[0].tmp_name = "/tmp/upload1";
    form.files()[3].error = UploadError::kNoTmpDir;
    Buffer fields;
    form.fields().AppendJson(fields);
    REQUIRE(std::string(fields.view()) == R"({"a":"1","e":""})");
    Buffer uploads;
    form.AppendUploadsJson(uploads);
    REQUIRE(
        std::string(uploads.view()) ==
        R"({"f":{"name":"a.txt","mime":"text/plain","size":5,"error":0,"tmpName":"/tmp/upload1"},)"
        R"("g":[{"name":"x.png","mime":"","size":0,"error":0,"tmpName":""},)"
        R"({"name":"b.PHP","mime":"text/x-php","size":0,"error":8,"tmpName":""}],)"
        R"("h":{"k":{"name":"h","mime":"","size":0,"error":6,"tmpName":""}}})");
}

TEST_CASE("uploads: no file gives an empty object, conflicts are faults") {
    UploadRules rules;
    Files sink;
    MultipartForm form(rules, sink);
    Buffer out;
    form.AppendUploadsJson(out);
    REQUIRE(std::string(out.view()) == "{}");
    REQUIRE_FALSE(form.OnPart("a", "f", ""));
    REQUIRE(form.OnPart("a[b]", "f", "").reason == "invalid multiple values to key 'a' in tree");
}

TEST_CASE("uploads: extensions compare without case, forbid beats allow") {
    UploadRules forbid{{".exe"}, {}};
    REQUIRE_FALSE(forbid.Accepts("a.EXE"));
    REQUIRE(forbid.Accepts("a.exe.txt"));
    REQUIRE(forbid.Accepts("exe"));
    UploadRules allow{{".gif"}, {".png", ".gif"}};
    REQUIRE(allow.Accepts("a.Png"));
    REQUIRE_FALSE(allow.Accepts("a.gif"));
    REQUIRE_FALSE(allow.Accepts("a.txt"));
    REQUIRE_FALSE(allow.Accepts("noext"));
}
