# Targets: costack::costack (shared library), costack::costack_static.
get_filename_component(_costack_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET costack::costack)
    add_library(costack::costack SHARED IMPORTED)
    set_target_properties(costack::costack PROPERTIES
        IMPORTED_LOCATION "${_costack_prefix}/lib/libcostack.so"
        IMPORTED_SONAME "libcostack.so.@MAJOR@"
        INTERFACE_INCLUDE_DIRECTORIES "${_costack_prefix}/include")

    add_library(costack::costack_static STATIC IMPORTED)
    set_target_properties(costack::costack_static PROPERTIES
        IMPORTED_LOCATION "${_costack_prefix}/lib/libcostack.a"
        INTERFACE_INCLUDE_DIRECTORIES "${_costack_prefix}/include"
        INTERFACE_LINK_LIBRARIES "@SYSTEM_LIBRARIES@")
endif()

set(costack_FOUND TRUE)
unset(_costack_prefix)
