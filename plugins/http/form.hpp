// FormFields: the plain fields of a form, urlencoded or multipart, and their JSON tree.
//
//   a=1&a=2&b[]=x&c[k]=1   ->   {"a":"2","b":["x"],"c":{"k":"1"}}
//
// Thread: a plain object. Owns: the decoded values. Time is linear in the input.
// Fails:  with a BodyFault (400) whose reason is RoadRunner's text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "plugins/http/body_fault.hpp"
#include "plugins/http/name_tree.hpp"

namespace rr::http {

class FormFields final : private NameTree::LeafWriter {
public:
    FormFields() : tree_(NameTree::Keep::kLast) {}

    // One decoded field.
    BodyFault Add(Bytes name, Bytes value);
    // A field whose value comes in pieces: Begin, Append..., End.
    void Begin(Bytes name);
    void Append(Bytes piece);
    BodyFault End();

    // True if no field was added: the body is then sent as AppendEmptyTree does.
    bool empty() const { return tree_.empty(); }
    void AppendJson(Buffer& out) const { tree_.AppendJson(*this, out); }
    void Clear();

private:
    struct Value {
        uint64_t at;
        uint64_t size;
    };
    void WriteLeaf(uint32_t leaf, Buffer& out) const override;

    NameTree tree_;
    std::string name_;   // between Begin and End
    std::string bytes_;  // all values, back to back
    std::vector<Value> values_;
};

// The whole of a urlencoded body. content_type: the request's first Content-Type; query: its query
// string, which is checked too, as in RoadRunner.
BodyFault ParseForm(Bytes content_type, Bytes body, Bytes query, FormFields& fields);

// The checks of a query string that any parsed form request passes: escapes, `;`, at most 10000
// parameters.
BodyFault CheckQuery(Bytes query);

// Decodes `+` and %XX behind the end of `out`. False: a bad escape, which begins at `bad`.
bool DecodeQuery(Bytes text, std::string& out, size_t& bad);

}  // namespace rr::http
