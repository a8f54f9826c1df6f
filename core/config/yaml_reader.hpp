// ReadYaml: the text of one YAML (or JSON) file as a tree of nodes.
//
//   keys             lower case; a plain dotted key is a path (`http.address: x`), a quoted one
//                    stays one key
//   << and anchors   merged here; the map's own keys win, then the earlier of several maps
//   duplicate keys   a problem that names both lines
//   documents        only the first counts; an empty text is an empty map
//
// Thread: pure. The only code that sees yaml-cpp.
// Fails:  with problems in `report`; then the result is empty. Never throws.
#pragma once

#include <memory>
#include <optional>

#include "core/base/bytes.hpp"
#include "core/config/node.hpp"
#include "core/config/report.hpp"

namespace rr::config {

std::optional<Node> ReadYaml(Bytes text, const std::shared_ptr<const Source>& source,
                             Report& report);

}  // namespace rr::config
