/* SPDX-License-Identifier: 0BSD */
/* A pointer that becomes one to any type, as those to void do in C. */
#ifndef O2C_ANY_H
#define O2C_ANY_H
struct o2c_any {
  const void *p;
  __device__ explicit o2c_any(const void *from) : p(from) {}
  template <typename T> __device__ operator T *() const
  {
    return static_cast<T *>(const_cast<void *>(p));
  }
};
#endif
