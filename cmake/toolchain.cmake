# How every target of the house is compiled: warnings, sanitizers, compiler cache and linker.
add_library(warmline_flags INTERFACE)
target_compile_options(warmline_flags INTERFACE -Wall -Wextra -Wpedantic)
# GCC 12 warns wrongly about std::string + std::string (GCC bug 105329).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(warmline_flags INTERFACE -Wno-restrict)
endif()
if(WARMLINE_WERROR)
  target_compile_options(warmline_flags INTERFACE -Werror)
endif()

set(WARMLINE_SANITIZE "" CACHE STRING "sanitizers to build with, for example address,undefined")
if(WARMLINE_SANITIZE)
  # GCC's own manual: sanitizers make its flow warnings wrong more often.
  target_compile_options(warmline_flags INTERFACE -Wno-maybe-uninitialized)
  add_compile_options(-fsanitize=${WARMLINE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WARMLINE_SANITIZE})
endif()

find_program(WARMLINE_CCACHE ccache)
if(WARMLINE_CCACHE)
  # Paths below the source folder are hashed as relative ones: a second clone finds what the first compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${WARMLINE_CCACHE})
endif()
find_program(WARMLINE_MOLD mold)
if(WARMLINE_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=mold)
endif()
