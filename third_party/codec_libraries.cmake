# SPDX-License-Identifier: Apache-2.0
#
# The libraries that varve's codecs are made of. The build of varve includes this, and so does
# the package that is installed: a program links them, too.

# Codec -> its library's header, the library, and the target of a program that has it already.
set(varve_gzip_library zlib.h z ZLIB::ZLIB)
set(varve_snappy_library snappy.h snappy Snappy::snappy)
set(varve_lz4_library lz4frame.h lz4 LZ4::lz4)
set(varve_zstd_library zstd.h zstd zstd::libzstd)

# Makes the target varve::<codec>_library, if the library is here: in the program's own build, or
# where CMake looks for libraries.
function(varve_find_library codec)
  set(target varve::${codec}_library)
  list(POP_FRONT varve_${codec}_library header name existing)
  if(TARGET ${target})
    return()
  elseif(TARGET ${existing})
    add_library(${target} INTERFACE IMPORTED)
    set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES ${existing})
    return()
  endif()
  find_path(VARVE_${name}_INCLUDE_DIR ${header})
  find_library(VARVE_${name}_LIBRARY ${name})
  mark_as_advanced(VARVE_${name}_INCLUDE_DIR VARVE_${name}_LIBRARY)
  if(VARVE_${name}_INCLUDE_DIR AND VARVE_${name}_LIBRARY)
    add_library(${target} UNKNOWN IMPORTED)
    set_target_properties(${target} PROPERTIES
      IMPORTED_LOCATION ${VARVE_${name}_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${VARVE_${name}_INCLUDE_DIR})
  endif()
endfunction()
