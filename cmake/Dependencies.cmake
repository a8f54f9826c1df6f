# Libraries, all from Debian packages (tools/packages.txt names them), and llhttp.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(tl-expected REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(simdjson REQUIRED)
find_package(msgpack CONFIG REQUIRED)
find_package(Protobuf REQUIRED)
find_package(Catch2 2 REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(LMDB REQUIRED IMPORTED_TARGET lmdb)
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlienc)
pkg_check_modules(BROTLI_DECODER REQUIRED IMPORTED_TARGET libbrotlidec)  # for tests
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate)
# Its CMake package would want the libraries of its own HTTP server and client.
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)

# llhttp: the sources that `make build` fetched and checked, else Debian's node-llhttp in strict
# mode. Our guard over the raw head stands in front of either, so both refuse the same requests.
if(RR_LLHTTP AND EXISTS "${RR_LLHTTP}/include/llhttp.h")
    add_library(llhttp STATIC
        "${RR_LLHTTP}/src/api.c" "${RR_LLHTTP}/src/http.c" "${RR_LLHTTP}/src/llhttp.c")
    target_include_directories(llhttp SYSTEM PUBLIC "${RR_LLHTTP}/include")
    target_compile_options(llhttp PRIVATE -w)
else()
    add_library(llhttp STATIC
        /usr/share/llhttp/api.c /usr/share/llhttp/http.c /usr/share/llhttp/llhttp.c)
    target_include_directories(llhttp SYSTEM PUBLIC /usr/share/include/llhttp)
    target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
    target_compile_options(llhttp PRIVATE -w)
endif()
