#include <memory>

#include <simdjson.h>

#include "core/rpc/base64.hpp"
#include "core/rpc/json.hpp"
#include "core/rpc/typed.hpp"

namespace rr::rpc {
namespace {

namespace dom = simdjson::dom;

// A parser's memory grows with the longest text; beyond this it is given back.
constexpr size_t kKeepCapacity = size_t{64} << 10;

class JsonIn {
public:
    explicit JsonIn(dom::element element) : element_(element) {}
    static const char* name() { return "json"; }

    Form form() const {
        switch (element_.type()) {
            case dom::element_type::ARRAY: return Form::kList;
            case dom::element_type::OBJECT: return Form::kMap;
            case dom::element_type::INT64: return Form::kInt;
            case dom::element_type::UINT64: return Form::kUint;
            case dom::element_type::DOUBLE: return Form::kDouble;
            case dom::element_type::STRING: return Form::kText;
            case dom::element_type::BOOL: return Form::kBool;
            case dom::element_type::NULL_VALUE: return Form::kNull;
        }
        return Form::kNull;
    }
    bool flag() const { return Get<bool>(); }
    int64_t integer() const { return Get<int64_t>(); }
    uint64_t natural() const { return Get<uint64_t>(); }
    double number() const { return Get<double>(); }
    std::string_view text() const { return Get<std::string_view>(); }
    bool Bytes(std::string& out) const { return form() == Form::kText && ReadBase64(text(), out); }

    template <class F>
    bool EachItem(F&& visit) const {
        dom::array items;
        if (element_.get(items) != simdjson::SUCCESS) {
            return false;
        }
        for (dom::element item : items) {
            if (!visit(JsonIn(item))) {
                return false;
            }
        }
        return true;
    }
    template <class F>
    bool EachPair(F&& visit) const {
        dom::object pairs;
        if (element_.get(pairs) != simdjson::SUCCESS) {
            return false;
        }
        for (dom::key_value_pair pair : pairs) {
            if (!visit(pair.key, JsonIn(pair.value))) {
                return false;
            }
        }
        return true;
    }

private:
    template <class T>
    T Get() const {
        T value{};
        return element_.get(value) == simdjson::SUCCESS ? value : T{};
    }

    dom::element element_;
};

// simdjson reads a little beyond the end of its text: a copy with that room.
class Reader {
public:
    simdjson::error_code Parse(Bytes text, dom::element& root) {
        padded_.Clear();
        padded_.Reserve(text.size() + simdjson::SIMDJSON_PADDING);
        padded_.Append(text);
        std::memset(padded_.tail(), 0, simdjson::SIMDJSON_PADDING);
        if (!parser_) {
            parser_ = std::make_unique<dom::parser>();
        }
        return parser_->parse(padded_.data(), text.size(), false).get(root);
    }

    // Ends the life of what was parsed.
    void Clear() {
        padded_.Clear(kKeepCapacity);
        if (parser_->capacity() > kKeepCapacity) {
            parser_.reset();
        }
    }

private:
    Buffer padded_;
    std::unique_ptr<dom::parser> parser_;
};

}  // namespace

bool ReadJson(Bytes text, const RpcType& type, RpcValue& out, std::string& problem) {
    static thread_local Reader reader;
    dom::element root;
    auto error = reader.Parse(text, root);
    bool good = error == simdjson::SUCCESS && Fitter<JsonIn>(problem).Fit(JsonIn(root), type, out);
    if (error != simdjson::SUCCESS) {
        problem = std::string("json: ") + simdjson::error_message(error);
    }
    reader.Clear();
    return good;
}

}  // namespace rr::rpc
