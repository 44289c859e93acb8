/* SPDX-License-Identifier: Apache-2.0 */
/* libonnx2c: load, look at, change, save and compile ONNX models from C.
 *
 *   onnx2c_model *m = onnx2c_load("net.onnx");
 *   onnx2c_step(m, "insert Relu after conv1_out");
 *   if (onnx2c_save(m, "out.onnx")) puts(onnx2c_message(m, 0));
 *   onnx2c_free(m);
 *
 * Rules
 * - No call ends the process or keeps anything outside of the model. Nothing is
 *   written to the standard streams, but by the step `json` and by
 *   onnx2c_compile about an option that it does not know. Models are
 *   independent; one model is used by one thread at a time.
 * - What can fail returns an onnx2c_status. Messages are kept in the model,
 *   oldest first; they name the node or tensor, and what to do.
 * - After ONNX2C_NO_MEMORY only onnx2c_free and the messages may be called.
 * - Pointers and names that a call returns belong to the model and are good
 *   until onnx2c_free. A list of things (onnx2c_graphs) is that of the moment.
 * - Weights stay in the mapped file; models over 2 GB need no more memory than
 *   small ones. The file must not be cut while the model lives.
 * - Text is UTF-8. Names given to a call are copied, and so is data. */
#ifndef ONNX2C_H
#define ONNX2C_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define ONNX2C_API __attribute__((visibility("default")))
#else
#define ONNX2C_API
#endif

/* The exit codes of the command `onnx2c`. */
typedef enum {
  ONNX2C_OK = 0,
  ONNX2C_USAGE = 1,         /* an argument: no such name, file or step */
  ONNX2C_BAD_MODEL = 2,     /* the model is no valid ONNX */
  ONNX2C_UNSUPPORTED = 3,   /* valid, but more than the library can */
  ONNX2C_ENVIRONMENT = 5,   /* no m4, a full disk */
  ONNX2C_NO_MEMORY = 6
} onnx2c_status;

typedef struct onnx2c_model onnx2c_model;
typedef struct onnx2c_graph onnx2c_graph; /* a graph, a body, a function */
typedef struct onnx2c_node onnx2c_node;

#define ONNX2C_MAX_RANK 12
/* Element types are those of TensorProto.DataType: 1 float, 2 uint8, 3 int8,
 * 6 int32, 7 int64, 8 string, 9 bool, 10 float16, 11 double, 16 bfloat16 .. */
typedef struct {
  int type;                 /* 0: not known */
  int rank;                 /* -1: not known */
  int64_t dim[ONNX2C_MAX_RANK];        /* -1: only the run tells */
  const char *symbol[ONNX2C_MAX_RANK]; /* its name then, "N"; NULL: none */
} onnx2c_type;

/* --- Models --------------------------------------------------------------- */

ONNX2C_API const char *onnx2c_library_version(void); /* "0.1.0" */
/* NULL: no memory at all. Otherwise see onnx2c_state. */
ONNX2C_API onnx2c_model *onnx2c_load(const char *path);
/* A model with an empty graph, of this operator set (17) of ai.onnx. */
ONNX2C_API onnx2c_model *onnx2c_new(const char *name, int opset);
ONNX2C_API void onnx2c_free(onnx2c_model *m); /* NULL is fine */
/* The worst of all errors so far; a model with errors is not saved. */
ONNX2C_API onnx2c_status onnx2c_state(const onnx2c_model *m);
/* Message i, one line without a newline; NULL: there are no more. */
ONNX2C_API const char *onnx2c_message(const onnx2c_model *m, int i);
/* Forgets messages and errors: for a step that was only tried. What the step
 * did before it failed stays done. */
ONNX2C_API void onnx2c_forget(onnx2c_model *m);
/* To a file, which appears whole or not at all. `path` may be the model's own.
 * External data stays where it is if `path` is in the model's folder, else it
 * goes to PATH.data. */
ONNX2C_API onnx2c_status onnx2c_save(onnx2c_model *m, const char *path);
/* To C: `path` ends in .c, and the header goes beside it. `options` are those
 * of the command line, "--name net --batch 4"; NULL: none. Needs GNU m4. */
ONNX2C_API onnx2c_status onnx2c_compile(onnx2c_model *m, const char *path,
                                        const char *options);

/* A step of `onnx2c edit`, as in a script: "rename a=b", "extract x:y",
 * "cleanup". onnx2c --list-steps prints all. */
ONNX2C_API onnx2c_status onnx2c_step(onnx2c_model *m, const char *step);

/* --- Walking -------------------------------------------------------------- */

/* All graphs: the main one first, then bodies of nodes (an outer one before
 * its inner ones) and functions. Sets *list; returns their number, 0 after an
 * error. */
ONNX2C_API size_t onnx2c_graphs(onnx2c_model *m, onnx2c_graph *const **list);
ONNX2C_API onnx2c_graph *onnx2c_main(onnx2c_model *m);
ONNX2C_API const char *onnx2c_graph_name(const onnx2c_graph *g);
/* The node in whose attribute the graph stands; NULL: in none. */
ONNX2C_API onnx2c_node *onnx2c_graph_holder(const onnx2c_graph *g);

ONNX2C_API size_t onnx2c_node_count(const onnx2c_graph *g);
ONNX2C_API onnx2c_node *onnx2c_node_at(const onnx2c_graph *g, size_t i);
/* By its name, or by the name of one of its outputs; NULL: none. */
ONNX2C_API onnx2c_node *onnx2c_find_node(const onnx2c_graph *g,
                                         const char *name);
/* What makes a tensor in this graph; NULL: an input, a constant, nothing. */
ONNX2C_API onnx2c_node *onnx2c_producer(const onnx2c_graph *g,
                                        const char *tensor);
/* Consumer number i of a tensor among the nodes of this graph; NULL: no more.
 * A node that reads it only in a body of its own does not count. */
ONNX2C_API onnx2c_node *onnx2c_consumer(const onnx2c_graph *g,
                                        const char *tensor, size_t i);

/* Never NULL; "" where the file says nothing. */
ONNX2C_API const char *onnx2c_node_name(const onnx2c_node *n);
ONNX2C_API const char *onnx2c_node_op(const onnx2c_node *n);
ONNX2C_API const char *onnx2c_node_domain(const onnx2c_node *n);
ONNX2C_API size_t onnx2c_input_count(const onnx2c_node *n);
ONNX2C_API size_t onnx2c_output_count(const onnx2c_node *n);
/* "": an optional one that is left out. NULL: i is too large. */
ONNX2C_API const char *onnx2c_input(const onnx2c_node *n, size_t i);
ONNX2C_API const char *onnx2c_output(const onnx2c_node *n, size_t i);

ONNX2C_API size_t onnx2c_attr_count(const onnx2c_node *n);
ONNX2C_API const char *onnx2c_attr_name(const onnx2c_node *n, size_t i);
/* ONNX2C_USAGE, and no message: there is none of that name and type. */
ONNX2C_API onnx2c_status onnx2c_attr_int(const onnx2c_node *n,
                                         const char *name, int64_t *v);
ONNX2C_API onnx2c_status onnx2c_attr_float(const onnx2c_node *n,
                                           const char *name, float *v);
ONNX2C_API onnx2c_status onnx2c_attr_ints(onnx2c_model *m,
                                          const onnx2c_node *n,
                                          const char *name, const int64_t **v,
                                          size_t *count);
ONNX2C_API onnx2c_status onnx2c_attr_text(onnx2c_model *m,
                                          const onnx2c_node *n,
                                          const char *name, const char **v);

/* Name of graph input, output or initializer number i; NULL: no more. */
ONNX2C_API const char *onnx2c_graph_input(const onnx2c_graph *g, size_t i);
ONNX2C_API const char *onnx2c_graph_output(const onnx2c_graph *g, size_t i);
ONNX2C_API const char *onnx2c_initializer(const onnx2c_graph *g, size_t i);
/* Type and shape of a tensor of the main graph, as the file declares them or
 * by inference. ONNX2C_USAGE: not known. */
ONNX2C_API onnx2c_status onnx2c_tensor_type(onnx2c_model *m,
                                            const char *tensor,
                                            onnx2c_type *type);
/* An initializer's elements, row-major and little-endian as in raw_data
 * (types below 8 bits packed); *size in bytes. Not aligned. */
ONNX2C_API onnx2c_status onnx2c_tensor_data(onnx2c_model *m,
                                            const onnx2c_graph *g,
                                            const char *tensor,
                                            const void **data, size_t *size);

/* --- Changing ------------------------------------------------------------- */

/* A node of no graph yet. domain "" is ai.onnx; another one is imported when
 * the node is put into a graph. NULL: no memory. */
ONNX2C_API onnx2c_node *onnx2c_node_new(onnx2c_model *m, const char *op,
                                        const char *domain, const char *name);
ONNX2C_API onnx2c_status onnx2c_node_add_input(onnx2c_model *m, onnx2c_node *n,
                                               const char *tensor);
ONNX2C_API onnx2c_status onnx2c_node_add_output(onnx2c_model *m,
                                                onnx2c_node *n,
                                                const char *tensor);
/* Input i < onnx2c_input_count. */
ONNX2C_API onnx2c_status onnx2c_node_set_input(onnx2c_model *m, onnx2c_node *n,
                                               size_t i, const char *tensor);
ONNX2C_API onnx2c_status onnx2c_node_set_int(onnx2c_model *m, onnx2c_node *n,
                                             const char *name, int64_t v);
ONNX2C_API onnx2c_status onnx2c_node_set_float(onnx2c_model *m, onnx2c_node *n,
                                               const char *name, float v);
ONNX2C_API onnx2c_status onnx2c_node_set_text(onnx2c_model *m, onnx2c_node *n,
                                              const char *name, const char *v);
ONNX2C_API onnx2c_status onnx2c_node_set_ints(onnx2c_model *m, onnx2c_node *n,
                                              const char *name,
                                              const int64_t *v, size_t count);
/* Puts a node before number `at` (at most onnx2c_node_count). Nodes stand in
 * an order in which each comes after those that it reads; the step toposort
 * brings that about. */
ONNX2C_API onnx2c_status onnx2c_node_insert(onnx2c_model *m, onnx2c_graph *g,
                                            size_t at, onnx2c_node *n);
/* Takes it out; what read its outputs must be changed too. */
ONNX2C_API onnx2c_status onnx2c_node_remove(onnx2c_model *m, onnx2c_graph *g,
                                            onnx2c_node *n);
/* Place of a node; (size_t)-1: it is not in this graph. */
ONNX2C_API size_t onnx2c_node_place(const onnx2c_graph *g,
                                    const onnx2c_node *n);
/* Nodes of g, and of bodies in it, that read `from` read `to`; but not
 * `except`, which may be NULL. */
ONNX2C_API onnx2c_status onnx2c_redirect(onnx2c_model *m, onnx2c_graph *g,
                                         const char *from, const char *to,
                                         const onnx2c_node *except);
/* A name that nothing in the model has, near `hint`; NULL: no memory. */
ONNX2C_API const char *onnx2c_fresh_name(onnx2c_model *m, const char *hint);
/* Inputs and outputs of the main graph; `type` as in "float[N,3,224,224]". */
ONNX2C_API onnx2c_status onnx2c_add_input(onnx2c_model *m, const char *name,
                                          const char *type);
ONNX2C_API onnx2c_status onnx2c_add_output(onnx2c_model *m, const char *name,
                                           const char *type);
/* A new constant of the main graph, or new elements for one; data as in
 * onnx2c_tensor_data, of the size that type and shape ask for. */
ONNX2C_API onnx2c_status onnx2c_set_initializer(onnx2c_model *m,
                                                const char *name, int type,
                                                int rank, const int64_t *dim,
                                                const void *data);

#ifdef __cplusplus
}
#endif
#endif
