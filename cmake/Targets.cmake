# How a box of the map (README, "Source tour") becomes a target.
#
#   rr_library(name SOURCES a.cpp ... [TESTS a_test.cpp ...] [NEEDS other boxes and libraries])
#   rr_plugin(name  SOURCES a.cpp ... [TESTS a_test.cpp ...] [NEEDS libraries]
#             [REQUIRES plugins] [OFFERS names])
#
# A box may use what it lists under NEEDS and nothing else: that is the include order of the house.
#
# REQUIRES and OFFERS are for plugins from outside (RR_PLUGINS): they become the columns `needs` and
# `offers` of the plugin's row. The rows of our own plugins stand in cmd/rr/plugins.cpp.

add_library(rr_flags INTERFACE)
target_include_directories(rr_flags INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")
target_compile_options(rr_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
    -Wnull-dereference -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Wrong with coroutine-free GCC 12 at -O2 and above, where it follows impossible paths.
    target_compile_options(rr_flags INTERFACE -Wno-null-dereference -Wno-maybe-uninitialized
        -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    # What GCC's own headers use inside std::stable_sort.
    target_compile_options(rr_flags INTERFACE -Wno-deprecated-declarations)
endif()
if(RR_SANITIZE)
    set(rr_sanitizers "")
    foreach(kind IN LISTS RR_SANITIZE)
        string(REPLACE "addr" "address" kind "${kind}")
        if(kind STREQUAL "ub")
            set(kind undefined)
        endif()
        list(APPEND rr_sanitizers ${kind})
    endforeach()
    list(JOIN rr_sanitizers "," rr_sanitizers)
    add_compile_options(-fsanitize=${rr_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${rr_sanitizers})
endif()

# The one Catch2 main, compiled once. Catch2 itself is neither optimised nor checked: both would
# take it a minute.
add_library(rr_test_main STATIC EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/tests/unit_main.cpp")
target_link_libraries(rr_test_main PUBLIC Catch2::Catch2)
target_compile_options(rr_test_main PRIVATE -O0 $<$<BOOL:${RR_SANITIZE}>:-fno-sanitize=all>)

set_property(GLOBAL PROPERTY rr_all_plugins "")
set_property(GLOBAL PROPERTY rr_outside_rows "")

function(rr_unit_tests name library)
    if(ARGN)
        add_executable(${name}_tests ${ARGN})
        target_link_libraries(${name}_tests PRIVATE ${library} rr_flags rr_test_main)
        # What is tested is optimised; the tests themselves compile in half the time without.
        target_compile_options(${name}_tests PRIVATE -O0)
        add_test(NAME unit_${name} COMMAND ${name}_tests)
        set_tests_properties(unit_${name} PROPERTIES TIMEOUT 120
            ENVIRONMENT "RR_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
    endif()
endfunction()

# The tests of `library` may ask how often they allocated: core/base/allocations_for_test.hpp.
function(rr_count_allocations library)
    target_sources(${library}_tests
        PRIVATE "${PROJECT_SOURCE_DIR}/core/base/allocations_for_test.cpp")
endfunction()

# Gives the tests `target` the descriptors of a .proto file beside them: core/rpc/shape_for_test.hpp.
function(rr_descriptors target proto)
    set(file "${CMAKE_CURRENT_BINARY_DIR}/${proto}.descriptors")
    add_custom_command(OUTPUT "${file}"
        COMMAND protobuf::protoc "--descriptor_set_out=${file}" --include_imports
            "--proto_path=${CMAKE_CURRENT_SOURCE_DIR}" "${proto}"
        DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${proto}" VERBATIM)
    target_sources(${target} PRIVATE "${file}")
    target_compile_definitions(${target} PRIVATE "RR_DESCRIPTORS=\"${file}\"")
    target_link_libraries(${target} PRIVATE protobuf::libprotobuf)
endfunction()

function(rr_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;TESTS;NEEDS" ${ARGN})
    add_library(rr_${name} STATIC ${arg_SOURCES})
    target_link_libraries(rr_${name} PUBLIC ${arg_NEEDS} PRIVATE rr_flags)
    target_include_directories(rr_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
    rr_unit_tests(${name} rr_${name} ${arg_TESTS})
endfunction()

# A plugin sees core/ and the pure-byte codecs of relay/; the include test keeps it to that.
function(rr_plugin name)
    cmake_parse_arguments(arg "" "" "SOURCES;TESTS;NEEDS;REQUIRES;OFFERS" ${ARGN})
    rr_library(plugin_${name} SOURCES ${arg_SOURCES} TESTS ${arg_TESTS}
        NEEDS rr_api rr_config rr_log rr_pool ${arg_NEEDS})
    set_property(GLOBAL APPEND PROPERTY rr_all_plugins ${name})
    if(RR_OUTSIDE_FOLDER)
        list(TRANSFORM arg_REQUIRES REPLACE "(.+)" "\"\\1\"")
        list(TRANSFORM arg_OFFERS REPLACE "(.+)" "\"\\1\"")
        list(JOIN arg_REQUIRES ", " needs)
        list(JOIN arg_OFFERS ", " offers)
        set_property(GLOBAL APPEND_STRING PROPERTY rr_outside_rows
            "RR_OUTSIDE_PLUGIN(${name}, {${needs}}, {${offers}})\n")
    endif()
endfunction()

# Adds the folders of RR_PLUGINS and writes their rows to generated/outside_plugins.inc. A folder has
# a CMakeLists.txt with rr_plugin(name ...) and defines std::unique_ptr<rr::Plugin> rr::name::Make().
function(rr_add_outside_plugins)
    foreach(RR_OUTSIDE_FOLDER IN LISTS RR_PLUGINS)
        get_filename_component(RR_OUTSIDE_FOLDER "${RR_OUTSIDE_FOLDER}" ABSOLUTE)
        if(NOT EXISTS "${RR_OUTSIDE_FOLDER}/CMakeLists.txt")
            message(FATAL_ERROR "RR_PLUGINS: ${RR_OUTSIDE_FOLDER} has no CMakeLists.txt")
        endif()
        string(MD5 id "${RR_OUTSIDE_FOLDER}")
        add_subdirectory("${RR_OUTSIDE_FOLDER}" "${PROJECT_BINARY_DIR}/outside/${id}")
    endforeach()
    get_property(rows GLOBAL PROPERTY rr_outside_rows)
    file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/outside_plugins.inc" CONTENT
        "// Plugins from outside the repository (RR_PLUGINS): name, needs, offers.\n${rows}" @ONLY)
endfunction()
