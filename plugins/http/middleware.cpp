#include "plugins/http/middleware.hpp"

#include <algorithm>
#include <cstring>

#include "core/config/nearest.hpp"
#include "plugins/http/canonical.hpp"
#include "plugins/http/response.hpp"

namespace rr::http {

namespace {

// Names whose plugin is there only if it was configured, and by what.
struct Known {
    std::string_view name;
    std::string_view needs;
};
constexpr Known kKnown[] = {
    {"static", "the section http.static"},
    {"headers", "the section http.headers"},
    {"gzip", "a build with the plugin gzip"},
    {"sendfile", "a build with the plugin sendfile"},
    {"proxy_ip_parser", "the key http.trusted_subnets"},
    {"otel", "the section otel"},
    {"rate_limit", "the section http.rate_limit"},
    {"cache", "the section http.cache"},
    // The metrics plugin counts without being asked on the way of a request.
    {"http_metrics", "the section metrics"},
};

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
    std::vector<std::string_view> known;
    for (HttpMiddleware* middleware : published) {
        known.push_back(middleware->middleware_name());
    }
    for (const Known& each : kKnown) {
        if (each.name == listed) {
            return std::string(listed) + ": does nothing, it needs " + std::string(each.needs);
        }
        known.push_back(each.name);
    }
    std::string text = "requested middleware does not exist: " + std::string(listed);
    std::string_view near = config::Nearest(listed, known);
    if (!near.empty()) {
        text.append("; did you mean ").append(near).append("?");
        return text;
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    for (std::string_view each : known) {
        text.append(each == known.front() ? "; there are " : ", ").append(each);
    }
    return text;
}

// The answer's head as a middleware sees it.
class MiddlewareRun::Editor final : public HttpResponse {
public:
    Editor(MiddlewareRun& run, AnswerDraft& draft) : run_(run), draft_(draft) {}

    int status() const override { return draft_.status; }
    std::string_view Header(std::string_view name) const override {
        for (const AnswerField& field : draft_.fields) {
            if (EqualsIgnoreCase(field.name, name)) {
                return field.value;
            }
        }
        return {};
    }
    size_t headers() const override { return draft_.fields.size(); }
    HttpField header(size_t i) const override {
        return {draft_.fields[i].name, draft_.fields[i].value};
    }
    void SetHeader(std::string_view name, std::string_view value) override {
        AnswerField field{run_.Copy(name), run_.Copy(value)};  // they may be views onto the old one
        RemoveHeader(name);
        draft_.fields.push_back(field);
    }
    void AddHeader(std::string_view name, std::string_view value) override {
        draft_.fields.push_back({run_.Copy(name), run_.Copy(value)});
    }
    void RemoveHeader(std::string_view name) override {
        std::erase_if(draft_.fields, [name](const AnswerField& field) {
            return EqualsIgnoreCase(field.name, name);
        });
    }

    bool has_body() const override { return draft_.has_body; }
    int64_t body_size() const override { return draft_.body_size; }
    std::string_view body_start() const override { return draft_.body_start; }

    void AddFilter(std::unique_ptr<HttpBodyFilter> filter) override {
        draft_.filters.push_back(std::move(filter));
    }
    void Replace(int status, std::string body, HttpFile file) override {
        draft_.status = status;
        draft_.replaced = true;
        if (!draft_.filters.empty()) {  // what they encoded is gone
            draft_.filters.clear();
            RemoveHeader("Content-Encoding");
        }
        draft_.body = std::move(body);
        draft_.file = std::move(file);
        draft_.body_size = static_cast<int64_t>(draft_.body.size() + draft_.file.size);
        draft_.body_start = draft_.body;
        draft_.has_body = !draft_.head_request && AllowsBody(status) && draft_.body_size > 0;
    }

private:
    MiddlewareRun& run_;
    AnswerDraft& draft_;
};

bool MiddlewareRun::Request(const MiddlewareChain& chain, RequestHead& head, Bytes remote_address,
                            bool debugged) {
    chain_ = &chain;
    debugged_ = debugged;
    states_.resize(chain.size());
    head_ = &head;
    remote_address_ = remote_address;
    for (passed_ = 0; passed_ < chain.size(); ++passed_) {
        current_ = passed_;
        ClearAnswer();  // the one before may have begun one and thought better of it
        if (!chain[passed_]->OnRequest(*this, answer_)) {
            answered_ = true;
            return false;
        }
    }
    return true;
}

void MiddlewareRun::Response(AnswerDraft& draft) {
    Editor editor(*this, draft);
    for (size_t i = passed_; i-- > 0;) {
        current_ = i;
        (*chain_)[i]->OnResponse(*this, editor);
    }
}

void MiddlewareRun::Finished(const HttpOutcome& outcome) {
    if (chain_ == nullptr) {
        return;
    }
    for (size_t i = std::min(passed_ + (answered_ ? 1 : 0), chain_->size()); i-- > 0;) {
        current_ = i;
        (*chain_)[i]->OnFinished(*this, outcome);
    }
}

void MiddlewareRun::Reset() {
    for (auto& state : states_) {
        state.reset();
    }
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
    answer_.pieces.clear();  // files are not kept open
    attributes_.clear();
}

void MiddlewareRun::ClearAnswer() {
    answer_.status = 200;
    answer_.headers.clear();
    answer_.body.clear();
    answer_.pieces.clear();
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
