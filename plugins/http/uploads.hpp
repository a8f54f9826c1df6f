// MultipartForm: takes the parts of a multipart body: plain fields into FormFields, files to an
// UploadSink that writes them; afterwards gives the body tree and the uploads tree.
//
// Thread: one per request.
// Owns:   the fields and the list of files. Borrows the sink and the rules.
// Fails:  as PartSink: a BodyFault.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/http/form.hpp"
#include "plugins/http/multipart.hpp"
#include "plugins/http/name_tree.hpp"

namespace rr::http {

// PHP's UPLOAD_ERR_* numbers.
enum class UploadError : uint8_t {
    kOk = 0,
    kNoFile = 4,    // could not be opened
    kNoTmpDir = 6,  // no temporary file could be made
    kCantWrite = 7,
    kExtension = 8,  // forbidden, or not among the allowed
};

struct Upload {
    std::string name;
    std::string mime;
    uint64_t size = 0;
    UploadError error = UploadError::kOk;
    std::string tmp_name;
};

// Writes files. `index` is the file's place in MultipartForm::files(); the sink fills in tmp_name,
// size and error there, at the latest before AppendUploadsJson.
class UploadSink {
public:
    virtual void OnFile(size_t index) = 0;
    virtual void OnFileData(size_t index, Bytes data) = 0;
    virtual void OnFileEnd(size_t index) = 0;

protected:
    ~UploadSink() = default;
};

struct UploadRules {
    std::vector<std::string> forbid;  // extensions with their dot, lower case
    std::vector<std::string> allow;   // empty: all

    // forbid beats allow.
    bool Accepts(Bytes filename) const;
};

class MultipartForm final : public PartSink, private NameTree::LeafWriter {
public:
    MultipartForm(const UploadRules& rules, UploadSink& sink);

    BodyFault OnPart(Bytes name, Bytes filename, Bytes content_type) override;
    void OnPartData(Bytes data) override;
    BodyFault OnPartEnd() override;

    FormFields& fields() { return fields_; }
    std::vector<Upload>& files() { return files_; }

    // `{}` if there are no files.
    void AppendUploadsJson(Buffer& out) const;

private:
    void WriteLeaf(uint32_t leaf, Buffer& out) const override;

    const UploadRules& rules_;
    UploadSink& sink_;
    FormFields fields_;
    NameTree tree_{NameTree::Keep::kFirst};
    std::vector<Upload> files_;
    bool in_file_ = false;
    bool writing_ = false;  // the sink takes the file at hand
};

}  // namespace rr::http
