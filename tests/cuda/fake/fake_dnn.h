/* SPDX-License-Identifier: Apache-2.0 */
/* fake_dnn.h: a descriptor of the fake cuDNN, for its two files. */
#ifndef O2C_FAKE_DNN_H
#define O2C_FAKE_DNN_H
#include "fake.h"

namespace o2c_fake {

struct dnn_handle {
  cudaStream_t stream;
};

size_t attribute_size(cudnnBackendAttributeType_t t);

/* A descriptor of any kind; of engines, configurations and plans also which
 * engine and which graph. */
struct dnn_object {
  int kind, engine;
  bool finished;
  dnn_object *graph;
  std::map<int, std::pair<int64_t, std::string>> value;

  int64_t count(int name) const
  {
    auto i = value.find(name);
    return i == value.end() ? 0 : i->second.first;
  }
  template <class T> T get(int name, int64_t i = 0) const
  {
    T v;
    memcpy(&v, value.at(name).second.data() + (size_t)i * sizeof v, sizeof v);
    return v;
  }
  dnn_object *part(int name, int64_t i = 0) const
  {
    return count(name) > i ? get<dnn_object *>(name, i) : NULL;
  }
};

} // namespace o2c_fake

#endif
