/* SPDX-License-Identifier: Apache-2.0 */
/* A libcuda.so.1 for plans.sh: cuDNN's engines that are compiled at run time
 * refuse every graph where no driver is there to load what they compile. This
 * one takes what it is given and never runs it. Its functions are what cuDNN
 * does with what it compiled, of CUDA's driver API. */

typedef int status; /* CUresult; 0: CUDA_SUCCESS */
static long thing;  /* what handles point to */

static status give(void **handle)
{
  *handle = &thing;
  return 0;
}

status cuLibraryLoadData(void **library)
{
  return give(library);
}

status cuLibraryUnload(void *library)
{
  (void)library;
  return 0;
}

status cuLibraryGetKernel(void **kernel)
{
  return give(kernel);
}

status cuKernelGetFunction(void **function)
{
  return give(function);
}

status cuKernelGetAttribute(int *value)
{
  *value = 0;
  return 0;
}

status cuKernelSetAttribute(void)
{
  return 0;
}

status cuFuncSetAttribute(void)
{
  return 0;
}
