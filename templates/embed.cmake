# SPDX-License-Identifier: Apache-2.0
# Writes the files named in LIST, one path a line, as byte tables into the C
# file OUT, with the lookup function embedded_file. Run by CMakeLists.txt; a
# script rather than a host program, so that onnx2c itself cross-compiles.
file(STRINGS ${LIST} names)
set(tables "")
set(rows "")
set(index 0)
foreach(name IN LISTS names)
  file(READ ${name} hex HEX)
  string(LENGTH "${hex}" size)
  math(EXPR size "${size} / 2")
  # Lines of 16 bytes, so that editors and compilers can stand the file.
  string(REGEX REPLACE "(................................)" "\\1\n" hex
    "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND tables
    "static const unsigned char f${index}[] = {\n${hex}0};\n")
  string(APPEND rows
    "  {\"${name}\", (const char *)f${index}, ${size}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "/* Made by templates/embed.cmake. */
#include \"ir.h\"
#include <string.h>
${tables}
static const struct { const char *name; const char *text; size_t n; } files[] =
{
${rows}  {NULL, NULL, 0}
};
const char *embedded_file(const char *name, size_t *n)
{
  for (size_t i = 0; files[i].name; i++)
    if (!strcmp(files[i].name, name)) {
      if (n) *n = files[i].n;
      return files[i].text;
    }
  return NULL;
}
const char *embedded_name(int i)
{
  return i >= 0 && i < ${index} ? files[i].name : NULL;
}
")
