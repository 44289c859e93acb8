/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_runtime_api.h of the tests' shim: the same as cuda_runtime.h. */
#include "cuda_runtime.h"
