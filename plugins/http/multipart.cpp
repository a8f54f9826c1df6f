#include "plugins/http/multipart.hpp"

#include <algorithm>

#include "plugins/http/canonical.hpp"
#include "plugins/http/media_type.hpp"

namespace rr::http {
namespace {

constexpr size_t kLineMost = 4096;  // of a boundary line or a preamble line
constexpr size_t kPartHeadMost = 64 * 1024;
constexpr size_t kBoundaryMost = 1024;
constexpr Bytes kTooLarge = "multipart: message too large";
constexpr Bytes kTruncated = "multipart: NextPart: EOF";

BodyFault Bad(Bytes reason) { return {400, std::string(reason)}; }

// Go's filepath.Base.
Bytes BaseName(Bytes path) {
    if (path.empty()) {
        return path;
    }
    while (path.size() > 1 && path.back() == '/') {
        path.remove_suffix(1);
    }
    size_t slash = path.rfind('/');
    return slash == Bytes::npos || path.size() == 1 ? path : path.substr(slash + 1);
}

// How many bytes at the end of `data` may be the start of `pattern`.
size_t PossibleStart(Bytes data, Bytes pattern) {
    size_t most = std::min(data.size(), pattern.size() - 1);
    for (size_t size = most; size > 0; --size) {
        if (data.substr(data.size() - size) == pattern.substr(0, size)) {
            return size;
        }
    }
    return 0;
}

enum class Judged : uint8_t { kBoundary, kData, kNeedMore };

// What stands behind `--boundary` decides whether it is one.
Judged JudgeBehind(Bytes behind) {
    if (behind.empty()) {
        return Judged::kNeedMore;
    }
    char c = behind[0];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        return Judged::kBoundary;
    }
    if (c != '-') {
        return Judged::kData;
    }
    if (behind.size() == 1) {
        return Judged::kNeedMore;
    }
    return behind[1] == '-' ? Judged::kBoundary : Judged::kData;
}

}  // namespace

MultipartParser::MultipartParser(const MultipartLimits& limits, PartSink& sink)
    : limits_(limits), sink_(sink) {}

BodyFault MultipartParser::Open(Bytes content_type) {
    MediaType type;
    if (!ParseMediaType(content_type, type).empty() || type.type != "multipart/form-data") {
        return Bad("request Content-Type isn't multipart/form-data");
    }
    const std::string* boundary = type.Find("boundary");
    if (boundary == nullptr || boundary->empty() || boundary->size() > kBoundaryMost) {
        return Bad("no multipart boundary param in Content-Type");
    }
    delimiter_ = "\r\n--" + *boundary;
    return {};
}

BodyFault MultipartParser::Feed(Bytes data) {
    if (state_ == State::kEpilogue) {
        return {};
    }
    if (state_ == State::kBad || delimiter_.empty()) {
        return Bad(kTruncated);
    }
    bool carried = !carry_.empty();
    if (carried) {
        carry_.Append(data);
    }
    rest_ = carried ? carry_.view() : data;
    bool stuck = false;
    while (!stuck && state_ != State::kEpilogue) {
        if (BodyFault fault = Step(stuck)) {
            state_ = State::kBad;
            return fault;
        }
    }
    if (state_ == State::kEpilogue) {
        carry_.Clear(0);
    } else if (carried) {
        carry_.Consume(carry_.size() - rest_.size());
    } else {
        carry_.Append(rest_);
    }
    rest_ = {};
    return {};
}

BodyFault MultipartParser::Finish() {
    Bytes left = carry_.view();
    switch (state_) {
        case State::kEpilogue: return {};
        case State::kPreamble:
            return left.substr(0, Dashes().size()) == Dashes() &&
                           IsFinalLine(left.substr(Dashes().size()))
                       ? BodyFault{}
                       : Bad(kTruncated);
        case State::kAfter: return IsFinalLine(left) ? BodyFault{} : Bad(kTruncated);
        case State::kData:
        case State::kHeaders: return Bad("unexpected EOF");
        case State::kBad: break;
    }
    return Bad(kTruncated);
}

BodyFault MultipartParser::Step(bool& stuck) {
    switch (state_) {
        case State::kPreamble: return Preamble(stuck);
        case State::kHeaders: return Headers(stuck);
        case State::kData: return Data(stuck);
        case State::kAfter: return After(stuck);
        case State::kEpilogue:
        case State::kBad: break;
    }
    stuck = true;
    return {};
}

// A line with its end; false if it is not complete.
bool MultipartParser::TakeLine(Bytes& line) {
    size_t lf = rest_.find('\n');
    if (lf == Bytes::npos) {
        return false;
    }
    line = rest_.substr(0, lf + 1);
    rest_.remove_prefix(lf + 1);
    return true;
}

// The rest of a line that begins with the boundary, if a part follows it.
bool MultipartParser::IsPartLine(Bytes rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest == "\n" && parts_ == 0 && !bare_lf_) {
        bare_lf_ = true;
        delimiter_.erase(0, 1);
    }
    return rest == (bare_lf_ ? Bytes("\n") : Bytes("\r\n"));
}

bool MultipartParser::IsFinalLine(Bytes rest) const {
    if (rest.substr(0, 2) != "--") {
        return false;
    }
    rest.remove_prefix(2);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    return rest.empty() || rest == (bare_lf_ ? Bytes("\n") : Bytes("\r\n"));
}

BodyFault MultipartParser::Preamble(bool& stuck) {
    Bytes line;
    if (!TakeLine(line)) {
        stuck = true;
        return rest_.size() > kLineMost ? Bad("multipart: NextPart: bufio: buffer full")
                                        : BodyFault{};
    }
    if (line.substr(0, Dashes().size()) != Dashes()) {
        return {};
    }
    Bytes behind = line.substr(Dashes().size());
    if (IsFinalLine(behind)) {
        state_ = State::kEpilogue;
        return {};
    }
    return IsPartLine(behind) ? NewPart() : BodyFault{};
}

BodyFault MultipartParser::NewPart() {
    if (++parts_ > limits_.parts) {
        return Bad(kTooLarge);
    }
    state_ = State::kHeaders;
    field_.clear();
    disposition_.clear();
    content_type_.clear();
    head_bytes_ = 0;
    return {};
}

BodyFault MultipartParser::Headers(bool& stuck) {
    Bytes line;
    if (!TakeLine(line)) {
        stuck = true;
        return head_bytes_ + rest_.size() > kPartHeadMost ? Bad(kTooLarge) : BodyFault{};
    }
    head_bytes_ += line.size();
    form_bytes_ += line.size();
    if (head_bytes_ > kPartHeadMost) {
        return Bad(kTooLarge);
    }
    if (form_bytes_ > limits_.form) {
        return {413, std::string(kTooLarge)};
    }
    line.remove_suffix(1);
    if (!line.empty() && line.back() == '\r') {
        line.remove_suffix(1);
    }
    return HeaderLine(line);
}

BodyFault MultipartParser::HeaderLine(Bytes line) {
    if (!line.empty() && (line[0] == ' ' || line[0] == '\t')) {
        if (field_.empty()) {
            return Bad("malformed MIME header initial line: " + std::string(line));
        }
        field_ += ' ';
        field_ += TrimBlanks(line);
        return {};
    }
    if (BodyFault fault = FieldDone()) {
        return fault;
    }
    if (line.empty()) {
        return StartData();
    }
    field_ = line;
    return {};
}

BodyFault MultipartParser::FieldDone() {
    if (field_.empty()) {
        return {};
    }
    Bytes field = field_;
    size_t colon = std::min(field.find(':'), field.size());
    if (colon == field.size() || !IsToken(field.substr(0, colon))) {
        return Bad("malformed MIME header line: " + field_);
    }
    if (++headers_ > limits_.headers) {
        return Bad(kTooLarge);
    }
    Bytes name = field.substr(0, colon);
    Bytes value = TrimBlanks(field.substr(colon + 1));
    if (disposition_.empty() && EqualsIgnoreCase(name, "Content-Disposition")) {
        disposition_ = value;
    } else if (content_type_.empty() && EqualsIgnoreCase(name, "Content-Type")) {
        content_type_ = value;
    }
    field_.clear();
    return {};
}

BodyFault MultipartParser::StartData() {
    state_ = State::kData;
    data_begins_ = true;
    MediaType disposition;
    bool read = ParseMediaType(disposition_, disposition).empty();
    const std::string* name = disposition.Find("name");
    dropped_ = !read || disposition.type != "form-data" || name == nullptr || name->empty();
    if (dropped_) {
        file_ = false;
        return {};
    }
    const std::string* filename = disposition.Find("filename");
    Bytes base = filename == nullptr ? Bytes() : BaseName(*filename);
    file_ = !base.empty();
    return sink_.OnPart(*name, base, content_type_);
}

BodyFault MultipartParser::Data(bool& stuck) {
    // Right behind the head the boundary needs no line end in front: an empty part.
    if (data_begins_) {
        size_t common = std::min(rest_.size(), Dashes().size());
        if (rest_.substr(0, common) == Dashes().substr(0, common)) {
            Judged judged =
                common < Dashes().size() ? Judged::kNeedMore : JudgeBehind(rest_.substr(common));
            if (judged == Judged::kNeedMore) {
                stuck = true;
                return {};
            }
            if (judged == Judged::kBoundary) {
                rest_.remove_prefix(common);
                state_ = State::kAfter;
                return dropped_ ? BodyFault{} : sink_.OnPartEnd();
            }
        }
        data_begins_ = false;
    }
    size_t at = rest_.find(delimiter_);
    if (at == Bytes::npos) {
        size_t keep = PossibleStart(rest_, delimiter_);
        BodyFault fault = Emit(rest_.substr(0, rest_.size() - keep));
        rest_.remove_prefix(rest_.size() - keep);
        stuck = true;
        return fault;
    }
    Judged judged = JudgeBehind(rest_.substr(at + delimiter_.size()));
    size_t data = judged == Judged::kData ? at + delimiter_.size() : at;
    BodyFault fault = Emit(rest_.substr(0, data));
    rest_.remove_prefix(data);
    if (fault || judged == Judged::kData) {
        return fault;
    }
    if (judged == Judged::kNeedMore) {
        stuck = true;
        return {};
    }
    rest_.remove_prefix(delimiter_.size());
    state_ = State::kAfter;
    return dropped_ ? BodyFault{} : sink_.OnPartEnd();
}

BodyFault MultipartParser::Emit(Bytes data) {
    if (data.empty() || dropped_) {
        return {};
    }
    if (!file_) {
        form_bytes_ += data.size();
        if (form_bytes_ > limits_.form) {
            return {413, std::string(kTooLarge)};
        }
    }
    sink_.OnPartData(data);
    return {};
}

BodyFault MultipartParser::After(bool& stuck) {
    Bytes line;
    if (!TakeLine(line)) {
        stuck = true;
        return rest_.size() > kLineMost ? Bad("multipart: NextPart: bufio: buffer full")
                                        : BodyFault{};
    }
    if (IsFinalLine(line)) {
        state_ = State::kEpilogue;
        return {};
    }
    return IsPartLine(line) ? NewPart() : Bad("multipart: unexpected line in Next()");
}

}  // namespace rr::http
