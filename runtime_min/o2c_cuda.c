/* SPDX-License-Identifier: 0BSD */
/* Comes with the next commit. */
typedef int o2c_nothing;
