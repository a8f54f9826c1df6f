#include "core/rpc/msgpack.hpp"

#include <bit>
#include <cstdint>
#include <vector>

#include <msgpack.hpp>

#include "core/rpc/typed.hpp"
#include "core/rpc/value.hpp"

namespace rr::rpc {
namespace {

// One value of the body. A map has its keys and values in turn.
struct Node {
    Form form = Form::kNull;
    bool flag = false;
    int64_t integer = 0;
    uint64_t natural = 0;
    double number = 0;
    Bytes text;  // in the body
    std::vector<Node> items;
};

class MsgpackIn {
public:
    explicit MsgpackIn(const Node& node) : node_(&node) {}
    static const char* name() { return "msgpack"; }

    Form form() const { return node_->form; }
    bool flag() const { return node_->flag; }
    int64_t integer() const { return node_->integer; }
    uint64_t natural() const { return node_->natural; }
    double number() const { return node_->number; }
    std::string_view text() const { return node_->text; }
    bool Bytes(std::string& out) const {
        out = node_->text;
        return form() == Form::kBytes || form() == Form::kText;
    }
    template <class F>
    bool EachItem(F&& visit) const {
        for (const Node& item : node_->items) {
            if (!visit(MsgpackIn(item))) {
                return false;
            }
        }
        return true;
    }
    template <class F>
    bool EachPair(F&& visit) const {
        for (size_t i = 0; i + 1 < node_->items.size(); i += 2) {
            if (!visit(node_->items[i].text, MsgpackIn(node_->items[i + 1]))) {
                return false;
            }
        }
        return true;
    }

private:
    const Node* node_;
};

// Builds the tree. Lists grow with what is there, not with the length they announce.
class Builder : public msgpack::null_visitor {
public:
    explicit Builder(Node& root) { path_.push_back(&root); }

    bool complete() const { return complete_; }

    bool visit_nil() { return Put() != nullptr; }
    bool visit_boolean(bool v) {
        Node* node = Put(Form::kBool);
        return node != nullptr && (node->flag = v, true);
    }
    bool visit_positive_integer(uint64_t v) {
        Node* node = Put(Form::kUint);
        return node != nullptr && (node->natural = v, true);
    }
    bool visit_negative_integer(int64_t v) {
        Node* node = Put(Form::kInt);
        return node != nullptr && (node->integer = v, true);
    }
    bool visit_float32(float v) { return visit_float64(v); }
    bool visit_float64(double v) {
        Node* node = Put(Form::kDouble);
        return node != nullptr && (node->number = v, true);
    }
    bool visit_str(const char* v, uint32_t size) { return Text(Form::kText, v, size); }
    bool visit_bin(const char* v, uint32_t size) { return Text(Form::kBytes, v, size); }
    bool visit_ext(const char*, uint32_t) { return false; }

    bool start_array(uint32_t) { return Open(Form::kList); }
    bool end_array() { return Close(); }
    bool start_map(uint32_t) { return Open(Form::kMap); }
    bool end_map() { return Close(); }

    void parse_error(size_t, size_t) {}
    void insufficient_bytes(size_t, size_t) {}

private:
    // The place of the next value; null: too many of them.
    Node* Put(Form form = Form::kNull) {
        if (++count_ > kMaxValues) {
            return nullptr;
        }
        Node* node = path_.back();
        if (path_.size() > 1) {
            node->items.emplace_back();
            node = &node->items.back();
        } else {
            complete_ = true;
        }
        node->form = form;
        return node;
    }
    bool Text(Form form, const char* v, uint32_t size) {
        Node* node = Put(form);
        return node != nullptr && (node->text = {v, size}, true);
    }
    // The pointers on the path stay good: only the last one's items grow.
    bool Open(Form form) {
        Node* node = path_.size() <= kMaxFitDepth ? Put(form) : nullptr;
        if (node != nullptr) {
            path_.push_back(node);
        }
        return node != nullptr;
    }
    bool Close() {
        path_.pop_back();
        return true;
    }

    std::vector<Node*> path_;
    size_t count_ = 0;
    bool complete_ = false;
};

struct Out {
    Buffer& buffer;
    void write(const char* data, size_t size) { buffer.Append(Bytes(data, size)); }
};

using Packer = msgpack::packer<Out>;

// The library would write a whole number as an integer, which Go does not do.
template <class T>
void PackReal(char mark, T bits, Buffer& out) {
    out.Append(mark);
    for (size_t i = sizeof(T); i-- > 0;) {
        out.Append(static_cast<char>(bits >> (8 * i) & 0xFF));
    }
}

void PackText(Packer& packer, std::string_view text) {
    packer.pack_str(static_cast<uint32_t>(text.size()));
    packer.pack_str_body(text.data(), static_cast<uint32_t>(text.size()));
}

void PackBytes(Packer& packer, Bytes bytes) {
    packer.pack_bin(static_cast<uint32_t>(bytes.size()));
    packer.pack_bin_body(bytes.data(), static_cast<uint32_t>(bytes.size()));
}

void PackShape(Packer& packer, Buffer& out, const RpcValue& value, const RpcShape& shape);

void PackOne(Packer& packer, Buffer& out, const RpcValue& value, const RpcField& field) {
    switch (field.kind) {
        case RpcKind::kNothing: packer.pack_map(0); return;
        case RpcKind::kBool: value.flag() ? packer.pack_true() : packer.pack_false(); return;
        case RpcKind::kInt: packer.pack_fix_int64(value.integer()); return;
        case RpcKind::kUint: packer.pack_fix_uint64(value.natural()); return;
        case RpcKind::kDouble:
            PackReal('\xcb', std::bit_cast<uint64_t>(value.number()), out);
            return;
        case RpcKind::kFloat:
            PackReal('\xca', std::bit_cast<uint32_t>(static_cast<float>(value.number())), out);
            return;
        case RpcKind::kText: PackText(packer, value.text()); return;
        case RpcKind::kBytes: PackBytes(packer, value.text()); return;
        case RpcKind::kShape: PackShape(packer, out, value, *field.shape); return;
    }
}

void PackAny(Packer& packer, Buffer& out, const RpcValue& value, const RpcField& field) {
    if (!field.list && !field.map) {
        PackOne(packer, out, value, field);
        return;
    }
    if (value.null()) {
        packer.pack_nil();
        return;
    }
    auto count = static_cast<uint32_t>(value.list().size());
    field.map ? packer.pack_map(count) : packer.pack_array(count);
    for (const RpcValue& item : value.list()) {
        if (field.map) {
            PackText(packer, item[0].text());
        }
        PackOne(packer, out, field.map ? item[1] : item, field);
    }
}

void PackShape(Packer& packer, Buffer& out, const RpcValue& value, const RpcShape& shape) {
    packer.pack_map(static_cast<uint32_t>(shape.fields.size()));
    for (size_t i = 0; i < shape.fields.size(); ++i) {
        PackText(packer, GoName(shape.fields[i]));
        PackAny(packer, out, value[i], shape.fields[i]);
    }
}

}  // namespace

bool ReadMsgpack(Bytes body, const RpcType& type, RpcValue& out, std::string& problem) {
    Node root;
    Builder builder(root);
    size_t read = 0;
    bool good = msgpack::parse(body.data(), body.size(), read, builder) && builder.complete();
    if (!good) {
        problem = "msgpack: the bytes are no MessagePack, or hold more than is accepted";
        return false;
    }
    return Fitter<MsgpackIn>(problem).Fit(MsgpackIn(root), type, out);
}

void WriteMsgpack(const RpcValue& value, const RpcType& type, Buffer& out) {
    Out stream{out};
    Packer packer(stream);
    PackAny(packer, out, value, AsField(type));
}

}  // namespace rr::rpc
