/* SPDX-License-Identifier: Apache-2.0 */
/* fake_test.h: what a test tells and asks the fake libraries of CUDA. */
#ifndef O2C_FAKE_TEST_H
#define O2C_FAKE_TEST_H
#ifdef __cplusplus
extern "C" {
#endif

/* The k-th call from now on fails; 0: none does. */
void o2c_fake_fail(long k);
/* So many recordings end with an error. */
void o2c_fake_fail_recordings(int n);
/* Calls since then. */
long o2c_fake_calls(void);
/* How many GPUs there are; at first one. */
void o2c_fake_devices(int n);
/* Makes it current, unless it is below 0; which one is. */
int o2c_fake_current(int device);
/* From now on calls tell of this error, as if one of the caller's had failed:
 * cudaGetLastError's state. */
void o2c_fake_last_error(int error);
/* All that lives: memory, streams, descriptors, handles, graphs. */
long o2c_shim_live(void);
long o2c_shim_launches(void);
long o2c_shim_replays(void);

#ifdef __cplusplus
}
#endif
#endif
