m4_divert(-1)
SPDX-License-Identifier: 0BSD
package.m4: what --package writes beside a model. Texts are written by
codegen/package.c.
m4_define(<%G_PACKAGE_CMAKE%>, <%m4_dnl
# SPDX-License-Identifier: 0BSD
# The model in G_SOURCE_FILE as a static library, `G_NAME`. Build it alone, or
# add this folder by add_subdirectory and link `G_NAME`. Made by onnx2c.
G_IF(G_DEVICE, <%cmake_minimum_required(VERSION 3.18)
# GPUs to compile for: code for 8.0 and 9.0, and PTX for later ones.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
endif()
project(G_NAME LANGUAGES C CXX CUDA)
%>, <%cmake_minimum_required(VERSION 3.10)
project(G_NAME LANGUAGES C)
%>)<%%>m4_dnl
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
add_library(G_NAME STATIC
G_PACKAGE_SOURCES<%%>m4_dnl
)
target_include_directories(G_NAME PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_features(G_NAME PUBLIC c_std_99)
if(UNIX)
  target_link_libraries(G_NAME PUBLIC m)
endif()
G_IF(G_PACKAGE_THREADS, <%# o2c_threads.c: threads for o2c_config.par.
find_package(Threads REQUIRED)
target_link_libraries(G_NAME PUBLIC Threads::Threads)
%>)<%%>m4_dnl
G_IF(G_DEVICE, <%target_compile_features(G_NAME PRIVATE cuda_std_17)
find_package(CUDAToolkit REQUIRED)
find_path(CUDNN_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR}
  PATH_SUFFIXES lib64 lib)
if(NOT CUDNN_INCLUDE OR NOT CUDNN_LIBRARY)
  message(FATAL_ERROR "cuDNN 9 is not found: set CUDNN_INCLUDE to its folder "
    "of headers and CUDNN_LIBRARY to its library")
endif()
target_include_directories(G_NAME PRIVATE ${CUDNN_INCLUDE}
  ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(G_NAME PUBLIC CUDA::cudart CUDA::cublasLt
  ${CUDNN_LIBRARY})
%>)<%%>m4_dnl
%>)
m4_divert(0)m4_dnl
