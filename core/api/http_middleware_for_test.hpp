// A request, and an answer, as a test wants a middleware to see them.
#pragma once

#include <iterator>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "core/api/http_text.hpp"

namespace rr {

// Headers of either.
class FieldsForTest {
public:
    using Pairs = std::list<std::pair<std::string, std::string>>;  // views onto them stay valid
    explicit FieldsForTest(Pairs pairs) : pairs_(std::move(pairs)) {}

    std::string_view Get(std::string_view name) const {
        for (const auto& [each, value] : pairs_) {
            if (http_text::Equal(each, name)) {
                return value;
            }
        }
        return {};
    }
    size_t Count(std::string_view name) const {
        size_t count = 0;
        for (const auto& pair : pairs_) {
            count += http_text::Equal(pair.first, name) ? 1 : 0;
        }
        return count;
    }
    size_t size() const { return pairs_.size(); }
    HttpField at(size_t i) const {
        auto pair = std::next(pairs_.begin(), static_cast<std::ptrdiff_t>(i));
        return {pair->first, pair->second};
    }
    void Set(std::string_view name, std::string_view value) {
        std::pair<std::string, std::string> pair{name, value};  // may be views onto the old one
        Remove(name);
        pairs_.push_back(std::move(pair));
    }
    void Add(std::string_view name, std::string_view value) { pairs_.emplace_back(name, value); }
    void Remove(std::string_view name) {
        std::erase_if(pairs_,
                      [name](const auto& pair) { return http_text::Equal(pair.first, name); });
    }

private:
    Pairs pairs_;
};

struct RequestForTest final : HttpRequest {
    explicit RequestForTest(FieldsForTest::Pairs pairs = {}) : fields(std::move(pairs)) {}
    std::string_view method() const override { return method_text; }
    std::string_view target() const override { return target_text; }
    std::string_view host() const override { return host_text; }
    std::string_view protocol() const override { return "HTTP/1.1"; }
    bool secure() const override { return over_tls; }
    bool debugged() const override { return in_debugger; }
    std::string_view remote_address() const override { return remote; }
    std::string_view Header(std::string_view name) const override { return fields.Get(name); }
    size_t headers() const override { return fields.size(); }
    HttpField header(size_t i) const override { return fields.at(i); }
    void SetHeader(std::string_view name, std::string_view value) override {
        fields.Set(name, value);
    }
    void AddHeader(std::string_view name, std::string_view value) override {
        fields.Add(name, value);
    }
    void RemoveHeader(std::string_view name) override { fields.Remove(name); }
    void SetAttribute(std::string_view name, std::string_view value) override {
        attributes.emplace_back(name, value);
    }
    void SetRemoteAddress(std::string_view text) override { remote = text; }
    std::unique_ptr<HttpState>& state() const override { return kept; }
    uint64_t& note() const override { return noted; }

    std::string method_text = "GET";
    std::string target_text = "/";
    std::string host_text = "host";
    std::string remote = "127.0.0.1";
    bool over_tls = false;
    bool in_debugger = false;
    FieldsForTest fields;
    FieldsForTest::Pairs attributes;
    mutable std::unique_ptr<HttpState> kept;
    mutable uint64_t noted = 0;
};

struct ResponseForTest final : HttpResponse {
    explicit ResponseForTest(FieldsForTest::Pairs pairs = {}) : fields(std::move(pairs)) {}
    int status() const override { return code; }
    std::string_view Header(std::string_view name) const override { return fields.Get(name); }
    size_t headers() const override { return fields.size(); }
    HttpField header(size_t i) const override { return fields.at(i); }
    void SetHeader(std::string_view name, std::string_view value) override {
        fields.Set(name, value);
    }
    void AddHeader(std::string_view name, std::string_view value) override {
        fields.Add(name, value);
    }
    void RemoveHeader(std::string_view name) override { fields.Remove(name); }
    bool has_body() const override { return body_comes; }
    int64_t body_size() const override { return size; }
    std::string_view body_start() const override { return start; }
    void AddFilter(std::unique_ptr<HttpBodyFilter> filter) override {
        filters.push_back(std::move(filter));
    }
    void Replace(int status, std::string body, HttpFile part) override {
        code = status;
        file = std::move(part);
        filters.clear();
        size = static_cast<int64_t>(body.size() + file.size);
        start = std::move(body);
        body_comes = size > 0;
    }

    // What `in` becomes in all filters; a failing one leaves nothing and `failed`.
    std::string Run(std::string_view in, HttpBodyFilter::Step step = HttpBodyFilter::Step::kLast) {
        Buffer from;
        from.Append(in);
        for (auto& filter : filters) {
            Buffer to;
            if (!filter->Filter(from.view(), step, to)) {
                failed = true;
                return {};
            }
            from = std::move(to);
        }
        return std::string(from.view());
    }

    int code = 200;
    bool body_comes = true;
    int64_t size = -1;
    std::string start;
    HttpFile file;  // behind `start`
    bool failed = false;
    FieldsForTest fields;
    std::vector<std::unique_ptr<HttpBodyFilter>> filters;
};

}  // namespace rr
