m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/pick.m4: elements picked, filled and reversed, by codegen/cuda/pick.c. A
word of one or several elements a thread.
  WORD    its type          WORDS  how many the output has
  UNUSED  names of all operands
  INNER   words of a run

G_CUDA_PICK(body): a kernel whose body makes word e of the output; where the
data is wrong, it stores a status in *fault and leaves the word.
m4_define(<%G_CUDA_PICK%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *const fault)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  (void)fault;
  for (G_INDEX e = (G_INDEX)o2c_thread(); e < G_WORDS;
       e += (G_INDEX)o2c_threads()) {
$1<%%>m4_dnl
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_WORDS, G_ARGUMENTS, o2c_cuda_fault(cu));
}
%>)

G_CUDA_X(place): a word of the input.
m4_define(<%G_CUDA_X%>, <%((const G_WORD *)x)[$1]%>)
m4_define(<%G_CUDA_Y%>, <%((G_WORD *)y)[e]%>)

  AT     the indices, a pointer       N      elements of the axis
  COUNT  indices
m4_define(<%G_CUDA_GATHER%>, <%G_CUDA_PICK(<%m4_dnl
    const G_INDEX c = e % G_INNER, run = e / G_INNER;
    const G_INDEX k = run % G_COUNT, o = run / G_COUNT;
    const G_INDEX at = (G_INDEX)o2c_pick(G_AT[k], G_N, fault);
    if (at >= 0)
      G_CUDA_Y = G_CUDA_X((o * G_N + at) * G_INNER + c);
%>)%>)

  INDICES  of element e of the indices     PLACE  where that is in x, by at
  OUTSIDE  it is in no row of x
m4_define(<%G_CUDA_GATHER_ELEMENTS%>, <%G_CUDA_PICK(<%m4_dnl
G_INDICES<%%>G_CUDA_OUTSIDE<%%>m4_dnl
    const G_INDEX at = (G_INDEX)o2c_pick(G_AT[e], G_N, fault);
    if (at >= 0)
      G_CUDA_Y = G_CUDA_X(G_PLACE);
%>)%>)
m4_define(<%G_CUDA_OUTSIDE%>, <%m4_ifelse(G_OUTSIDE, <%%>, <%%>, <%m4_dnl
    if (G_OUTSIDE) {
      *fault = (int)O2C_E_SHAPE;
      continue;
    }
%>)%>)

  RANK  indices of a tuple      TUPLE  from tuple `k` to block `at`, -1: none
m4_define(<%G_CUDA_GATHER_ND%>, <%G_CUDA_PICK(<%m4_dnl
    const G_INDEX c = e % G_INNER, k = e / G_INNER;
    G_INDEX at = k / G_COUNT;
G_TUPLE<%%>m4_dnl
    if (at >= 0)
      G_CUDA_Y = G_CUDA_X(at * G_INNER + c);
%>)%>)
m4_define(<%G_CUDA_TUPLE%>, <%m4_dnl
    if (at >= 0) {
      const G_INDEX i = (G_INDEX)o2c_pick(G_AT[k * G_RANK + $1], $2, fault);
      at = i < 0 ? -1 : at * $2 + i;
    }
%>)

  AXES  indices of `row`, and from them its place `at`, -1 in padding
  MODE  0 to 3 as in ref/pad.h     VALUE  not empty: there is one, else zeros
m4_define(<%G_CUDA_PAD%>, <%G_CUDA_PICK(<%m4_dnl
    const G_INDEX c = e % G_INNER, row = e / G_INNER;
    int64_t at = 0;
    (void)row;
G_AXES<%%>m4_dnl
    if (at >= 0)
      G_CUDA_Y = G_CUDA_X((G_INDEX)at * G_INNER + c);
    else
      G_CUDA_Y = G_IF(G_VALUE, <%*(const G_WORD *)value%>, <%G_WORD<%%>()%>);
%>)%>)
G_CUDA_PAD_AXIS(axis, size, begin, cropped before, cropped behind)
m4_define(<%G_CUDA_PAD_AXIS%>, <%m4_dnl
    if (at >= 0) {
      const int64_t k = o2c_ref_pad_index_<%%>G_TYPE<%%>(
          i$1 - (int64_t)($3) - $4, (int64_t)($2) - $4 - $5, G_MODE);
      at = k < 0 ? -1 : at * ($2) + k + $4;
    }
%>)

Slice and Pad by data: shapes DIM and OUT of RANK axes. STARTS ENDS ALONG BY:
operands, or NULL; COUNT numbers each, those of axes of WIDTH bytes.
m4_define(<%G_CUDA_BY_DATA%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *const fault)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  const int64_t dim[] = { G_DIM }, out[] = { G_OUT };
$1<%%>m4_dnl
  for (G_INDEX e = (G_INDEX)o2c_thread(); e < G_WORDS;
       e += (G_INDEX)o2c_threads()) {
    int64_t rest = e, from = 0, scale = 1;
    for (int j = G_RANK - 1; j >= 0; j--) {
      const int64_t i = rest % out[j];
      rest /= out[j];
$2<%%>m4_dnl
      scale *= dim[j];
    }
$3<%%>m4_dnl
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_WORDS, G_ARGUMENTS, o2c_cuda_fault(cu));
}
%>)
m4_define(<%G_CUDA_SLICE%>, <%G_CUDA_BY_DATA(<%m4_dnl
  int64_t start[G_RANK], step[G_RANK];
  for (int j = 0; j < G_RANK; j++)
    if (o2c_ref_slice_cut_<%%>G_TYPE<%%>(
          G_STARTS, G_ENDS, G_ALONG, G_BY, G_WIDTH, G_COUNT, G_RANK, j, dim[j],
          &start[j], &step[j]) != out[j]) {
      *fault = (int)O2C_E_SHAPE;
      return;
    }
%>, <%m4_dnl
      from += (start[j] + i * step[j]) * scale;
%>, <%m4_dnl
    G_CUDA_Y = G_CUDA_X(from);
%>)%>)
m4_define(<%G_CUDA_PAD_DATA%>, <%G_CUDA_BY_DATA(<%m4_dnl
  int64_t begin[G_RANK], end[G_RANK];
  if (o2c_ref_pad_ends_<%%>G_TYPE<%%>(pads, G_ALONG, G_WIDTH, G_COUNT, G_MODE,
                                      G_RANK, dim, out, begin, end) != O2C_OK) {
    *fault = (int)O2C_E_SHAPE;
    return;
  }
%>, <%m4_dnl
      const int64_t low = begin[j] < 0 ? -begin[j] : 0;
      const int64_t high = end[j] < 0 ? -end[j] : 0;
      const int64_t at = o2c_ref_pad_index_<%%>G_TYPE<%%>(
        i - begin[j] - low, dim[j] - low - high, G_MODE);
      from = at < 0 || from < 0 ? -1 : from + (at + low) * scale;
%>, <%m4_dnl
    G_CUDA_Y = from >= 0 ? G_CUDA_X(from) :
      G_IF(G_VALUE, <%*(const G_WORD *)value%>, <%G_WORD<%%>()%>);
%>)%>)

m4_define(<%G_CUDA_ONE_HOT%>, <%G_CUDA_PICK(<%m4_dnl
    const G_INDEX c = e % G_INNER, run = e / G_INNER;
    const G_INDEX d = run % G_DEPTH, o = run / G_DEPTH;
    const int64_t at = o2c_ref_one_hot_at_<%%>G_TYPE<%%>(
        x[o * G_INNER + c], G_DEPTH);
    G_CUDA_Y = ((const G_WORD *)G_VALUES)[at == d];
%>)%>)

m4_define(<%G_CUDA_RANGE%>, <%G_CUDA_PICK(<%m4_dnl
m4_ifelse(G_CHECKED, <%%>, <%%>, <%m4_dnl
    if (e == 0 &&
        o2c_ref_range_check_<%%>G_TYPE<%%>(G_START, G_LIMIT, G_DELTA,
                                           G_WORDS) != O2C_OK)
      *fault = (int)O2C_E_SHAPE;
%>)m4_dnl
    y[e] = o2c_ref_range_at_<%%>G_TYPE<%%>(G_START, G_DELTA, e);
%>)%>)

m4_define(<%G_CUDA_FILL%>, <%G_CUDA_PICK(<%m4_dnl
    G_CUDA_Y = G_BITS;
%>)%>)

m4_define(<%G_CUDA_LIST%>, <%G_CUDA_PICK(<%m4_dnl
    const int64_t value[] = { G_VALUES };
    y[e] = (G_WORD)value[e];
%>)%>)

m4_define(<%G_CUDA_EYE%>, <%G_CUDA_PICK(<%m4_dnl
    G_CUDA_Y = e % G_COLUMNS - e / G_COLUMNS == G_DIAGONAL ? G_BITS : (G_WORD)0;
%>)%>)

  FIRST SECOND  axes: time and batch, TIME_FIRST or not
m4_define(<%G_CUDA_REVERSE%>, <%G_CUDA_PICK(<%m4_dnl
    const G_INDEX c = e % G_INNER, run = e / G_INNER;
    const G_INDEX second = run % G_SECOND, first = run / G_SECOND;
G_IF(G_TIME_FIRST, <%m4_dnl
    const G_INDEX t = first, b = second, steps = G_FIRST;
%>, <%m4_dnl
    const G_INDEX t = second, b = first, steps = G_SECOND;
%>)m4_dnl
    const int64_t n = G_AT[b];
    if (n < 0 || n > steps) {
      *fault = (int)O2C_E_DATA;
      continue;
    }
    const G_INDEX from = t < n ? (G_INDEX)n - 1 - t : t;
    G_CUDA_Y = G_CUDA_X(G_IF(G_TIME_FIRST, <%(from * G_SECOND + b)%>,
                             <%(b * G_SECOND + from)%>) * G_INNER + c);
%>)%>)

  UPDATES  a pointer     START  first row that they replace   ROWS  of them
m4_define(<%G_CUDA_TENSOR_SCATTER%>, <%G_CUDA_PICK(<%m4_dnl
    const G_INDEX c = e % G_INNER, run = e / G_INNER;
    const G_INDEX row = run % G_N, plane = run / G_N, b = plane / G_OUTER;
    int64_t first = G_START;
    (void)b;
    if (G_ROWS > G_N || first < 0<%%>m4_dnl
m4_ifelse(G_CIRCULAR, <%%>, <% || first > G_N - G_ROWS%>)) {
      *fault = (int)O2C_E_DATA;
      continue;
    }
m4_ifelse(G_CIRCULAR, <%%>, <%%>, <%    first %= G_N;
%>)m4_dnl
    G_INDEX k = row - (G_INDEX)first;
m4_ifelse(G_CIRCULAR, <%%>, <%%>, <%    if (k < 0)
      k += G_N;
%>)m4_dnl
    G_CUDA_Y = k >= 0 && k < G_ROWS ?
        ((const G_WORD *)G_UPDATES)[(plane * G_ROWS + k) * G_INNER + c] :
        G_CUDA_X(e);
%>)%>)
m4_divert(0)m4_dnl
