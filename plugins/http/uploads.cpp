#include "plugins/http/uploads.hpp"

#include <algorithm>

#include "core/base/json_text.hpp"
#include "plugins/http/canonical.hpp"

namespace rr::http {

bool UploadRules::Accepts(Bytes filename) const {
    size_t slash = filename.rfind('/');
    Bytes last = slash == Bytes::npos ? filename : filename.substr(slash + 1);
    size_t dot = last.rfind('.');
    Bytes extension = dot == Bytes::npos ? Bytes() : last.substr(dot);
    auto is = [extension](const std::string& entry) { return EqualsIgnoreCase(entry, extension); };
    if (std::any_of(forbid.begin(), forbid.end(), is)) {
        return false;
    }
    return allow.empty() || std::any_of(allow.begin(), allow.end(), is);
}

MultipartForm::MultipartForm(const UploadRules& rules, UploadSink& sink)
    : rules_(rules), sink_(sink) {}

BodyFault MultipartForm::OnPart(Bytes name, Bytes filename, Bytes content_type) {
    in_file_ = !filename.empty();
    writing_ = false;
    if (!in_file_) {
        fields_.Begin(name);
        return {};
    }
    size_t index = files_.size();
    Upload& upload = files_.emplace_back();
    upload.name = filename;
    upload.mime = content_type;
    if (!tree_.Add(name, static_cast<uint32_t>(index), false)) {
        return {400,
                "invalid multiple values to key '" + std::string(tree_.conflict()) + "' in tree"};
    }
    if (!rules_.Accepts(filename)) {
        upload.error = UploadError::kExtension;
        return {};
    }
    writing_ = true;
    sink_.OnFile(index);
    return {};
}

void MultipartForm::OnPartData(Bytes data) {
    if (!in_file_) {
        fields_.Append(data);
    } else if (writing_) {
        sink_.OnFileData(files_.size() - 1, data);
    }
}

BodyFault MultipartForm::OnPartEnd() {
    if (!in_file_) {
        return fields_.End();
    }
    if (writing_) {
        writing_ = false;
        sink_.OnFileEnd(files_.size() - 1);
    }
    return {};
}

void MultipartForm::AppendUploadsJson(Buffer& out) const { tree_.AppendJson(*this, out); }

void MultipartForm::WriteLeaf(uint32_t leaf, Buffer& out) const {
    const Upload& upload = files_[leaf];
    out.Append("{\"name\":");
    AppendJsonString(upload.name, out);
    out.Append(",\"mime\":");
    AppendJsonString(upload.mime, out);
    out.Append(",\"size\":");
    AppendDecimal(upload.size, out);
    out.Append(",\"error\":");
    AppendDecimal(static_cast<uint64_t>(upload.error), out);
    out.Append(",\"tmpName\":");
    AppendJsonString(upload.tmp_name, out);
    out.Append('}');
}

}  // namespace rr::http
