// Fit: a value that a client sent, made into the type that a method takes. JSON and MessagePack
// differ in how a value is read, not in what fits where: `In` is one value of either.
//
//   Form form() const                     bool flag() const, int64_t integer() const ...
//   bool EachItem(F)                      F(In) for the items of a list, until it returns false
//   bool EachPair(F)                      F(std::string_view key, In) for the pairs of a map
//   bool Bytes(std::string&)              a byte string as this codec writes one
//   static const char* name()             `json`
//
// Rules: null is the zero value; unknown keys are ignored; keys match without regard to case; an
// empty list also stands for an empty map or struct, because PHP has one kind of empty array; a
// number must be whole where a whole one is asked for, and fit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/api/rpc.hpp"

namespace rr::rpc {

enum class Form : uint8_t { kNull, kBool, kInt, kUint, kDouble, kText, kBytes, kList, kMap };

const char* NameOf(Form form);
const char* NameOf(RpcKind kind);
bool SameKey(std::string_view a, std::string_view b);  // ASCII, without regard to case

// The field with that key: as in JSON, or Go's name; -1: none.
int FindField(const RpcShape& shape, std::string_view key);

// Bounds of one argument: a value takes more memory than the byte that it may be on the wire.
inline constexpr int kMaxFitDepth = 64;
inline constexpr size_t kMaxValues = size_t{1} << 20;

template <class In>
class Fitter {
public:
    explicit Fitter(std::string& problem) : problem_(problem) {}

    bool Fit(const In& in, const RpcType& type, RpcValue& out) {
        RpcField whole;
        whole.kind = type.kind;
        whole.list = type.list;
        whole.shape = type.shape;
        return FitField(in, whole, out);
    }

private:
    bool FitField(const In& in, const RpcField& field, RpcValue& out) {
        if (in.form() == Form::kNull) {
            out = RpcValue();
            return true;
        }
        if (field.map) {
            return FitMap(in, field, out);
        }
        return field.list ? FitList(in, field, out) : FitOne(in, field, out);
    }

    bool FitMap(const In& in, const RpcField& field, RpcValue& out) {
        RpcValue::List pairs;
        if (in.form() == Form::kMap) {
            bool good = in.EachPair([&](std::string_view key, const In& value) {
                RpcValue::List pair(2);
                pair[0] = RpcValue(key);
                bool fits = FitOne(value, field, pair[1]);
                pairs.emplace_back(std::move(pair));
                return fits;
            });
            if (!good) {
                return false;
            }
        } else if (!IsEmptyList(in)) {
            return Misfit(in, field, "map");
        }
        out = RpcValue(std::move(pairs));
        return true;
    }

    bool FitList(const In& in, const RpcField& field, RpcValue& out) {
        if (in.form() != Form::kList) {
            return Misfit(in, field, "list");
        }
        RpcValue::List items;
        bool good = in.EachItem([&](const In& item) {
            items.emplace_back();
            return FitOne(item, field, items.back());
        });
        if (good) {
            out = RpcValue(std::move(items));
        }
        return good;
    }

    bool FitOne(const In& in, const RpcField& field, RpcValue& out) {
        if (++count_ > kMaxValues) {
            problem_ = std::string(In::name()) + ": too many values";
            return false;
        }
        if (in.form() == Form::kNull) {
            out = RpcValue();
            return true;
        }
        switch (field.kind) {
            case RpcKind::kNothing: return true;
            case RpcKind::kBool:
                return in.form() == Form::kBool ? Set(out, in.flag()) : Misfit(in, field);
            case RpcKind::kInt: return FitInt(in, field, out);
            case RpcKind::kUint: return FitUint(in, field, out);
            case RpcKind::kDouble:
            case RpcKind::kFloat: return FitDouble(in, field, out);
            case RpcKind::kText:
                return in.form() == Form::kText ? Set(out, in.text()) : Misfit(in, field);
            case RpcKind::kBytes: {
                std::string bytes;
                return in.Bytes(bytes) ? Set(out, std::move(bytes)) : Misfit(in, field);
            }
            case RpcKind::kShape: return FitShape(in, field, out);
        }
        return false;
    }

    bool FitInt(const In& in, const RpcField& field, RpcValue& out) {
        if (in.form() == Form::kInt) {
            return Set(out, in.integer());
        }
        if (in.form() == Form::kUint && in.natural() <= uint64_t{INT64_MAX}) {
            return Set(out, static_cast<int64_t>(in.natural()));
        }
        return Misfit(in, field);
    }

    bool FitUint(const In& in, const RpcField& field, RpcValue& out) {
        if (in.form() == Form::kUint) {
            return Set(out, in.natural());
        }
        if (in.form() == Form::kInt && in.integer() >= 0) {
            return Set(out, static_cast<uint64_t>(in.integer()));
        }
        return Misfit(in, field);
    }

    bool FitDouble(const In& in, const RpcField& field, RpcValue& out) {
        switch (in.form()) {
            case Form::kInt: return Set(out, static_cast<double>(in.integer()));
            case Form::kUint: return Set(out, static_cast<double>(in.natural()));
            case Form::kDouble: return Set(out, in.number());
            default: return Misfit(in, field);
        }
    }

    bool FitShape(const In& in, const RpcField& field, RpcValue& out) {
        if (in.form() != Form::kMap) {
            out = RpcValue();
            return IsEmptyList(in) || Misfit(in, field, "struct");
        }
        if (++depth_ > kMaxFitDepth) {
            problem_ = std::string(In::name()) + ": nested too deep";
            return false;
        }
        const RpcShape& shape = *field.shape;
        RpcValue::List values(shape.fields.size());
        bool good = in.EachPair([&](std::string_view key, const In& value) {
            int index = FindField(shape, key);
            return index < 0 || FitField(value, shape.fields[static_cast<size_t>(index)],
                                         values[static_cast<size_t>(index)]);
        });
        --depth_;
        out = RpcValue(std::move(values));
        return good;
    }

    template <class T>
    bool Set(RpcValue& out, T value) {
        out = RpcValue(std::move(value));
        return true;
    }

    static bool IsEmptyList(const In& in) {
        return in.form() == Form::kList && in.EachItem([](const In&) { return false; });
    }

    bool Misfit(const In& in, const RpcField& field, const char* wanted = nullptr) {
        problem_ = std::string(In::name()) + ": cannot unmarshal " + NameOf(in.form()) + " into ";
        if (!field.name.empty()) {
            problem_.append("field ").append(field.name).append(" of type ");
        } else {
            problem_.append("a value of type ");
        }
        problem_ += wanted != nullptr ? wanted : NameOf(field.kind);
        return false;
    }

    std::string& problem_;
    int depth_ = 0;
    size_t count_ = 0;
};

}  // namespace rr::rpc
