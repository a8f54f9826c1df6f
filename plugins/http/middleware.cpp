#include "plugins/http/middleware.hpp"

#include <algorithm>
#include <cstring>

#include "core/config/nearest.hpp"
#include "plugins/http/canonical.hpp"

namespace rr::http {

namespace {

// RoadRunner's; those that no plugin of ours has yet are known all the same.
constexpr std::string_view kRoadRunners[] = {"static",       "headers",         "gzip", "sendfile",
                                             "http_metrics", "proxy_ip_parser", "otel"};

// The metrics plugin counts without being asked on the way of a request.
constexpr std::string_view kMetrics = "http_metrics";

constexpr size_t kKeep = 64 * 1024;  // an answer's body that grew beyond is given back

HttpMiddleware* Find(std::string_view name, const std::vector<HttpMiddleware*>& published) {
    auto found = std::find_if(published.begin(), published.end(),
                              [name](HttpMiddleware* m) { return m->middleware_name() == name; });
    return found == published.end() ? nullptr : *found;
}

}  // namespace

MiddlewareChain SelectMiddleware(const std::vector<std::string>& listed,
                                 const std::vector<HttpMiddleware*>& published) {
    MiddlewareChain chain;
    for (auto name = listed.rbegin(); name != listed.rend(); ++name) {
        HttpMiddleware* found = Find(*name, published);
        if (found != nullptr) {
            chain.push_back(found);
        }
    }
    return chain;
}

std::string MiddlewareWarning(std::string_view listed,
                              const std::vector<HttpMiddleware*>& published) {
    if (Find(listed, published) != nullptr) {
        return {};
    }
    if (listed == kMetrics) {
        return std::string(listed) + ": counts nothing without a metrics section";
    }
    std::vector<std::string_view> known;
    for (HttpMiddleware* middleware : published) {
        known.push_back(middleware->middleware_name());
    }
    known.insert(known.end(), std::begin(kRoadRunners), std::end(kRoadRunners));
    if (std::find(known.begin(), known.end(), listed) != known.end()) {
        return std::string(listed) + ": not served yet";
    }
    std::string text = "requested middleware does not exist: " + std::string(listed);
    std::string_view near = config::Nearest(listed, known);
    if (!near.empty()) {
        text.append("; did you mean ").append(near).append("?");
    }
    return text;
}

// The answer's head as a middleware sees it.
class MiddlewareRun::Editor final : public HttpResponse {
public:
    Editor(MiddlewareRun& run, int status, std::vector<AnswerField>& fields)
        : run_(run), status_(status), fields_(fields) {}

    int status() const override { return status_; }
    std::string_view Header(std::string_view name) const override {
        for (const AnswerField& field : fields_) {
            if (EqualsIgnoreCase(field.name, name)) {
                return field.value;
            }
        }
        return {};
    }
    size_t headers() const override { return fields_.size(); }
    HttpField header(size_t i) const override { return {fields_[i].name, fields_[i].value}; }
    void SetHeader(std::string_view name, std::string_view value) override {
        AnswerField field{run_.Copy(name), run_.Copy(value)};  // they may be views onto the old one
        RemoveHeader(name);
        fields_.push_back(field);
    }
    void AddHeader(std::string_view name, std::string_view value) override {
        fields_.push_back({run_.Copy(name), run_.Copy(value)});
    }
    void RemoveHeader(std::string_view name) override {
        std::erase_if(fields_, [name](const AnswerField& field) {
            return EqualsIgnoreCase(field.name, name);
        });
    }

private:
    MiddlewareRun& run_;
    const int status_;
    std::vector<AnswerField>& fields_;
};

bool MiddlewareRun::Request(const MiddlewareChain& chain, RequestHead& head, Bytes remote_address) {
    chain_ = &chain;
    head_ = &head;
    remote_address_ = remote_address;
    for (passed_ = 0; passed_ < chain.size(); ++passed_) {
        ClearAnswer();  // the one before may have begun one and thought better of it
        if (!chain[passed_]->OnRequest(*this, answer_)) {
            answered_ = true;
            return false;
        }
    }
    return true;
}

void MiddlewareRun::Response(int status, std::vector<AnswerField>& fields) {
    Editor editor(*this, status, fields);
    for (size_t i = passed_; i-- > 0;) {
        (*chain_)[i]->OnResponse(*this, editor);
    }
}

void MiddlewareRun::Reset() {
    copies_.release();
    chain_ = nullptr;
    passed_ = 0;
    head_ = nullptr;
    remote_address_ = {};
    moved_ = false;
    answered_ = false;
    if (answer_.body.capacity() > kKeep) {
        answer_.body = std::string();
    }
    attributes_.clear();
}

void MiddlewareRun::ClearAnswer() {
    answer_.status = 200;
    answer_.headers.clear();
    answer_.body.clear();
}

HttpField MiddlewareRun::header(size_t i) const {
    return {head_->fields[i].name, head_->fields[i].value};
}

void MiddlewareRun::SetHeader(std::string_view name, std::string_view value) {
    Bytes kept_name = Copy(name);  // both may be views onto what goes now
    Bytes kept_value = Copy(value);
    RemoveHeader(kept_name);
    head_->Add(kept_name, kept_value);
    if (IdentifyHeader(kept_name) == HeaderId::kHost) {
        head_->host = kept_value;
    }
}

void MiddlewareRun::AddHeader(std::string_view name, std::string_view value) {
    if (IdentifyHeader(name) == HeaderId::kHost) {
        SetHeader(name, value);  // there is one
        return;
    }
    Bytes kept = Copy(name);
    head_->Add(kept, Copy(value));
}

void MiddlewareRun::RemoveHeader(std::string_view name) {
    std::erase_if(head_->fields,
                  [name](const HeaderField& field) { return EqualsIgnoreCase(field.name, name); });
    if (IdentifyHeader(name) == HeaderId::kHost) {
        head_->host = {};
    }
}

void MiddlewareRun::SetAttribute(std::string_view name, std::string_view value) {
    for (ContextAttribute& attribute : attributes_) {
        if (attribute.name == name) {
            attribute.value = Copy(value);
            return;
        }
    }
    Bytes kept = Copy(name);
    attributes_.push_back({kept, Copy(value)});
}

void MiddlewareRun::SetRemoteAddress(std::string_view text) {
    remote_address_ = Copy(text);
    moved_ = true;
}

Bytes MiddlewareRun::Copy(std::string_view text) {
    if (text.empty()) {
        return {};
    }
    char* memory = static_cast<char*>(copies_.allocate(text.size(), 1));
    std::memcpy(memory, text.data(), text.size());
    return {memory, text.size()};
}

}  // namespace rr::http
