m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/scatter.m4: ScatterElements and ScatterND, by codegen/cuda/scatter.c.
  AT FROM   pointers to the indices and to the updates
  ELEMENTS  not empty: an index for each element; else tuples: TUPLE, RANK
  UPDATES   indices or tuples; with lines, those of a line
  WORD WORDS INNER  as in pick.m4

G_CUDA_SCATTER_KERNEL(suffix, head, body)
m4_define(<%G_CUDA_SCATTER_KERNEL%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>$1(G_KERNEL_PARAMETERS,
    int *const fault)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  (void)fault;
  $2 {
$3<%%>m4_dnl
  }
}
%>)
m4_define(<%G_CUDA_SCATTER_GRID%>,
<%for (G_INDEX $1 = (G_INDEX)o2c_thread(); $1 < $2;
       $1 += (G_INDEX)o2c_threads())%>)
m4_define(<%G_CUDA_SCATTER_LAUNCH%>, <%m4_dnl
  O2C_LAUNCH(cu, G_KERNEL_NAME<%%>$1, $2, 256, G_ARGUMENTS,
             o2c_cuda_fault(cu));
%>)

The last update of each place, or -1.
m4_define(<%G_CUDA_SCATTER_LAST%>, <%m4_dnl
G_CUDA_SCATTER_KERNEL(<%_none%>, <%G_CUDA_SCATTER_GRID(e, G_SLOTS)%>, <%m4_dnl
    last[e] = -1;
%>)m4_dnl
G_CUDA_SCATTER_KERNEL(<%_last%>, <%G_CUDA_SCATTER_GRID(e, G_UPDATES)%>, <%m4_dnl
G_IF(G_ELEMENTS, <%m4_dnl
G_INDICES<%%>G_CUDA_OUTSIDE<%%>m4_dnl
    const G_INDEX at = (G_INDEX)o2c_pick(G_AT[e], G_N, fault);
    if (at >= 0)
      o2c_last(last + (G_PLACE), e);
%>, <%m4_dnl
    const G_INDEX k = e;
    G_INDEX at = 0;
G_TUPLE<%%>m4_dnl
    if (at >= 0)
      o2c_last(last + at, e);
%>)m4_dnl
%>)m4_dnl
G_CUDA_SCATTER_KERNEL(<%%>, <%G_CUDA_SCATTER_GRID(e, G_WORDS)%>, <%m4_dnl
    const G_INDEX k = last[e / G_INNER];
    ((G_WORD *)y)[e] = k < 0 ?
        ((const G_WORD *)x)[e] :
        ((const G_WORD *)G_FROM)[k * G_INNER + e % G_INNER];
%>)m4_dnl
G_FUNCTION
{
G_CUDA_SCATTER_LAUNCH(<%_none%>, <%o2c_blocks(G_SLOTS, 256)%>)m4_dnl
G_CUDA_SCATTER_LAUNCH(<%_last%>, <%o2c_blocks(G_UPDATES, 256)%>)m4_dnl
G_CUDA_SCATTER_LAUNCH(<%%>, <%o2c_blocks(G_WORDS, 256)%>)m4_dnl
}
%>)

Update k of line l: `at`, its place along the line, or -1.
m4_define(<%G_CUDA_SCATTER_AT%>, <%m4_dnl
G_IF(G_ELEMENTS, <%m4_dnl
    const G_INDEX at = (G_INDEX)o2c_pick(G_AT[of_updates + k * (G_STEP)], G_N,
                                         fault);
%>, <%m4_dnl
    G_INDEX at = 0;
G_TUPLE<%%>m4_dnl
%>)%>)

  LINES STEP PITCH  how many; from update to update of one, from place to place
  OF_UPDATES OF_PLACES  where line l begins, by INDICES
m4_define(<%G_CUDA_SCATTER_LINE%>, <%m4_dnl
G_INDICES<%%>G_CUDA_OUTSIDE<%%>m4_dnl
    const G_INDEX of_updates = G_OF_UPDATES, of_places = G_OF_PLACES;
%>)
m4_define(<%G_CUDA_SCATTER_PUT%>, <%o2c_ref_scatter_block_<%%>G_TYPE<%%>(
              G_FROM + of_updates + $2 * (G_STEP),
              y + of_places + $1 * (G_PITCH), 1, G_OP);%>)
m4_define(<%G_CUDA_SCATTER_LINES%>, <%m4_dnl
G_CUDA_SCATTER_KERNEL(<%_copy%>, <%G_CUDA_SCATTER_GRID(e, G_WORDS)%>, <%m4_dnl
    ((G_WORD *)y)[e] = ((const G_WORD *)x)[e];
%>)m4_dnl
G_CUDA_SCATTER_KERNEL(<%_threads%>,
                      <%G_CUDA_SCATTER_GRID(l, G_LINES)%>, <%m4_dnl
G_CUDA_SCATTER_LINE<%%>m4_dnl
    for (G_INDEX k = 0; k < G_UPDATES; k++) {
G_CUDA_SCATTER_AT<%%>m4_dnl
      if (at >= 0)
        G_CUDA_SCATTER_PUT(at, k)
    }
%>)m4_dnl
G_CUDA_SCATTER_KERNEL(<%%>,
<%for (G_INDEX l = (G_INDEX)blockIdx.x; l < G_LINES;
       l += (G_INDEX)gridDim.x)%>, <%m4_dnl
    __shared__ G_INDEX place[256];
G_CUDA_SCATTER_LINE<%%>m4_dnl
    for (G_INDEX first = 0; first < G_UPDATES; first += 256) {
      const G_INDEX k = first + (G_INDEX)threadIdx.x;
      place[threadIdx.x] = -1;
      if (k < G_UPDATES) {
G_CUDA_SCATTER_AT<%%>m4_dnl
        place[threadIdx.x] = at;
      }
      __syncthreads();
      for (int i = 0; i < 256; i++)
        if (place[i] >= 0 && place[i] % 256 == (G_INDEX)threadIdx.x)
          G_CUDA_SCATTER_PUT(place[i], (first + i))
      __syncthreads();
    }
%>)m4_dnl
G_FUNCTION
{
G_CUDA_SCATTER_LAUNCH(<%_copy%>, <%o2c_blocks(G_WORDS, 256)%>)m4_dnl
  if (G_LINES < 4096) {
G_CUDA_SCATTER_LAUNCH(<%%>, <%o2c_blocks(G_LINES, 1)%>)m4_dnl
  } else {
G_CUDA_SCATTER_LAUNCH(<%_threads%>, <%o2c_blocks(G_LINES, 256)%>)m4_dnl
  }
}
%>)
m4_divert(0)m4_dnl
