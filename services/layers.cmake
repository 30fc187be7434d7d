# The house: each folder under services/ is one library, and this table says whom it may use.
# A link that the table does not allow fails at configure; tests/architecture checks every #include against the same lines.
# Format, read by both: "folder: allowed folders". Dependencies point inwards (DESIGN section 6, docs/adr/0002).
set(WARMLINE_LAYERS
  "base:"
  "domain: base"
  "ranking: base domain"
  "network: base domain"
  "index: base domain ranking network"
  "assignment: base"
  "simulation: base domain index application"
  "admission: base domain"
  "application: base domain ranking network index assignment admission"
  "codec: base domain application"
  "storage: base domain application codec"
  "cache: base domain index application codec"
  "outbox: base domain application codec"
  "telemetry: base domain admission application"
  "api: base domain ranking network index assignment admission application codec"
  "console: base domain application"
  "server: base domain admission application codec storage cache outbox telemetry api console"
  "cli: base domain assignment application codec simulation storage telemetry server"
)

# warmline_layer(<folder> USES <folders...> LINKS <outside libraries...>): the library warmline_<folder>
# from every .cpp under services/<folder>.
function(warmline_layer folder)
  cmake_parse_arguments(ARG "" "" "USES;LINKS" ${ARGN})
  set(allowed "-")
  foreach(line IN LISTS WARMLINE_LAYERS)
    if(line MATCHES "^${folder}:(.*)$")
      separate_arguments(allowed UNIX_COMMAND "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  if(allowed STREQUAL "-")
    message(FATAL_ERROR "services/${folder} is not in the table of services/layers.cmake: add its line there")
  endif()
  foreach(used IN LISTS ARG_USES)
    if(NOT used IN_LIST allowed)
      message(FATAL_ERROR "services/${folder} may not use services/${used}: services/layers.cmake allows it only '${allowed}'")
    endif()
  endforeach()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/services/${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(sources)
    add_library(warmline_${folder} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(warmline_${folder} PRIVATE warmline_flags)
  else()
    add_library(warmline_${folder} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(warmline_${folder} ${scope} ${CMAKE_SOURCE_DIR}/services)
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(warmline_${folder} ${scope} warmline_${used})
  endforeach()
  target_link_libraries(warmline_${folder} ${scope} ${ARG_LINKS})
endfunction()
