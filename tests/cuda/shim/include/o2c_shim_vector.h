/* SPDX-License-Identifier: Apache-2.0 */
/* o2c_shim_vector.h: CUDA's vector types with their alignments, make_* for
 * each, and dim3. The alignments matter: UBSan then sees a wide load from an
 * address that a GPU would refuse. */
#ifndef O2C_SHIM_VECTOR_H
#define O2C_SHIM_VECTOR_H

#define O2C_SHIM_VECTOR1(name, type) \
  struct name##1 { type x; }; \
  static inline name##1 make_##name##1(type x) { return name##1{ x }; }
#define O2C_SHIM_VECTOR2(name, type) \
  struct alignas(2 * sizeof(type)) name##2 { type x, y; }; \
  static inline name##2 make_##name##2(type x, type y) \
  { \
    return name##2{ x, y }; \
  }
#define O2C_SHIM_VECTOR3(name, type) \
  struct name##3 { type x, y, z; }; \
  static inline name##3 make_##name##3(type x, type y, type z) \
  { \
    return name##3{ x, y, z }; \
  }
/* No vector is aligned to more than 16 bytes. */
#define O2C_SHIM_VECTOR4(name, type) \
  struct alignas(sizeof(type) > 4 ? 16 : 4 * sizeof(type)) name##4 { \
    type x, y, z, w; \
  }; \
  static inline name##4 make_##name##4(type x, type y, type z, type w) \
  { \
    return name##4{ x, y, z, w }; \
  }
#define O2C_SHIM_VECTORS(name, type) \
  O2C_SHIM_VECTOR1(name, type) \
  O2C_SHIM_VECTOR2(name, type) \
  O2C_SHIM_VECTOR3(name, type) \
  O2C_SHIM_VECTOR4(name, type)

O2C_SHIM_VECTORS(char, signed char)
O2C_SHIM_VECTORS(uchar, unsigned char)
O2C_SHIM_VECTORS(short, short)
O2C_SHIM_VECTORS(ushort, unsigned short)
O2C_SHIM_VECTORS(int, int)
O2C_SHIM_VECTORS(uint, unsigned)
O2C_SHIM_VECTORS(longlong, long long)
O2C_SHIM_VECTORS(ulonglong, unsigned long long)
O2C_SHIM_VECTORS(float, float)
O2C_SHIM_VECTORS(double, double)

#undef O2C_SHIM_VECTORS
#undef O2C_SHIM_VECTOR1
#undef O2C_SHIM_VECTOR2
#undef O2C_SHIM_VECTOR3
#undef O2C_SHIM_VECTOR4

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1)
    : x(x_), y(y_), z(z_)
  {
  }
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
};

#endif
