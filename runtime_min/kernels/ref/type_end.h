/* SPDX-License-Identifier: 0BSD */
/* Undoes a type_<t>.h. */
#undef T
#undef A
#undef T_PART
#undef LOAD
#undef STORE
#undef STORE_MODE
#undef NAME
#undef M
#undef K
#undef ADD
#undef SUB
#undef MUL
#undef T_MIN
#undef T_MAX
#undef T_IS_FLOAT
#undef T_IS_INT
#undef T_IS_SIGNED
#undef T_IS_BOOL
#undef T_IS_STR
#undef T_IS_COMPLEX
#undef T_IS_CARRIER
#undef T_BITS
