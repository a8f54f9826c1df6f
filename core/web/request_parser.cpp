#include "core/web/request_parser.hpp"

#include <algorithm>

namespace rr::web {
namespace {

constexpr size_t kLongestField = 32;  // longer names are none that we know
constexpr size_t kMostFields = 100;

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void AppendLower(std::string& out, const char* at, size_t size) {
    for (size_t i = 0; i < size && out.size() < kLongestField; ++i) {
        out += ToLower(at[i]);
    }
}

// Of `http://host/path` the path; other targets as they are.
Bytes PathOf(Bytes target) {
    const size_t scheme = target.find("://");
    if (target.starts_with('/') || scheme == Bytes::npos) {
        return target;
    }
    const size_t path = target.find_first_of("/?", scheme + 3);
    return path == Bytes::npos ? Bytes("/") : target.substr(path);
}

}  // namespace

const llhttp_settings_t& RequestParser::Settings() {
    static const llhttp_settings_t settings = [] {
        llhttp_settings_t fresh;
        llhttp_settings_init(&fresh);
        fresh.on_url = [](llhttp_t* parser, const char* at, size_t size) noexcept {
            Self(parser).target_.append(at, size);
            return 0;
        };
        fresh.on_header_field = [](llhttp_t* parser, const char* at, size_t size) noexcept {
            AppendLower(Self(parser).field_, at, size);
            return 0;
        };
        fresh.on_header_value = [](llhttp_t* parser, const char* at, size_t size) noexcept {
            Self(parser).value_.append(at, size);
            return 0;
        };
        fresh.on_header_value_complete = [](llhttp_t* parser) noexcept {
            Self(parser).OnField();
            return 0;
        };
        fresh.on_headers_complete = [](llhttp_t* parser) noexcept {
            return Self(parser).OnHeadersComplete();
        };
        fresh.on_body = [](llhttp_t* parser, const char*, size_t size) noexcept {
            return Self(parser).OnBody(size);
        };
        fresh.on_message_complete = [](llhttp_t* parser) noexcept {
            return Self(parser).OnMessageComplete();
        };
        return fresh;
    }();
    return settings;
}

RequestParser::RequestParser(Limits limits) : limits_(limits) {
    llhttp_init(&parser_, HTTP_REQUEST, &Settings());
    parser_.data = this;
}

void RequestParser::Begin() {
    phase_ = Phase::kHead;
    head_size_ = 0;
    body_size_ = 0;
    target_.clear();
    field_.clear();
    value_.clear();
    expect_.clear();
    fields_.clear();
    wants_continue_ = false;
    if (complete_) {
        complete_ = false;
        llhttp_resume(&parser_);
    }
}

RequestParser::Status RequestParser::Feed(Bytes in, size_t& used) {
    used = 0;
    while (used < in.size()) {
        if (phase_ == Phase::kBetween) {
            Begin();
        }
        Bytes piece = in.substr(used);
        if (phase_ == Phase::kHead) {
            piece = piece.substr(0, limits_.head - head_size_);
        }
        const bool head = phase_ == Phase::kHead;
        const llhttp_errno_t error = llhttp_execute(&parser_, piece.data(), piece.size());
        if (error != HPE_OK && !complete_) {
            return Judge(error);
        }
        if (complete_) {
            const auto* end = llhttp_get_error_pos(&parser_);
            used += end == nullptr ? piece.size() : static_cast<size_t>(end - piece.data());
            phase_ = Phase::kBetween;
            return Status::kRequest;
        }
        used += piece.size();
        head_size_ += head ? piece.size() : 0;
        if (phase_ == Phase::kHead && head_size_ >= limits_.head) {
            return Status::kHeadTooLarge;
        }
        if (wants_continue_ && used == in.size()) {
            wants_continue_ = false;
            return Status::kContinue;
        }
    }
    return Status::kNeedMore;
}

void RequestParser::OnField() {
    if (field_ == "expect") {
        AppendLower(expect_, value_.data(), value_.size());
    } else if (field_.size() < kLongestField && fields_.size() < kMostFields) {
        fields_.emplace_back(field_, value_);
    }
    field_.clear();
    value_.clear();
}

int RequestParser::OnHeadersComplete() {
    phase_ = Phase::kBody;
    if (parser_.http_major != 1 || parser_.http_minor > 1) {
        fault_ = Status::kVersion;
        return HPE_USER;
    }
    // Nothing is upgraded here: whoever asks gets a plain answer.
    parser_.upgrade = 0;
    if (parser_.content_length > limits_.body && (parser_.flags & F_CONTENT_LENGTH) != 0) {
        fault_ = Status::kBodyTooLarge;
        return HPE_USER;
    }
    const bool body = (parser_.flags & F_CHUNKED) != 0 || parser_.content_length > 0;
    wants_continue_ = body && parser_.http_minor == 1 && expect_ == "100-continue";
    return 0;
}

int RequestParser::OnBody(size_t size) {
    wants_continue_ = false;
    body_size_ += size;
    if (body_size_ > limits_.body) {
        fault_ = Status::kBodyTooLarge;
        return HPE_USER;
    }
    return 0;
}

int RequestParser::OnMessageComplete() {
    const Bytes target = PathOf(target_);
    const size_t question = std::min(target.find('?'), target.size());
    request_.method = llhttp_method_name(static_cast<llhttp_method_t>(parser_.method));
    request_.path = target.substr(0, question);
    request_.query = target.substr(std::min(question + 1, target.size()));
    request_.fields.swap(fields_);
    keep_alive_ = llhttp_should_keep_alive(&parser_) != 0;
    old_version_ = parser_.http_minor == 0;
    complete_ = true;
    return HPE_PAUSED;
}

RequestParser::Status RequestParser::Judge(llhttp_errno_t error) const {
    if (error == HPE_USER || error == HPE_CB_HEADERS_COMPLETE) {
        return fault_;
    }
    return error == HPE_INVALID_VERSION ? Status::kVersion : Status::kMalformed;
}

}  // namespace rr::web
