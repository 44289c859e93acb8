/* SPDX-License-Identifier: Apache-2.0 */
/* shim.cpp: runs kernels on the host. The threads of a block take turns on one
 * processor: a thread runs until it returns or comes to a barrier, a shuffle or
 * a vote, and its fiber is then left for another's. As long as threads only
 * return, one fiber runs them one after the other and nothing is switched.
 * Blocks follow one another, launches too. What a GPU would answer with a hang
 * or with garbage (threads at different barriers, a lane outside its mask)
 * ends the program with a message. */
#include "shim.h"

#include <mutex>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define SHIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SHIM_ASAN 1
#endif
#endif
#ifdef SHIM_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__) || !defined(__linux__)
#define SHIM_UCONTEXT 1
#endif
#ifdef SHIM_UCONTEXT
#include <ucontext.h>
#endif

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace o2c_shim {
namespace {

enum { max_threads = 1024, stack_bytes = 256 << 10, guard_bytes = 4096 };

/* A stack that runs, or waits to be run again. */
struct context {
  void *fake; /* ASan's other stack */
  const void *bottom;
  size_t size;
#ifdef SHIM_UCONTEXT
  ucontext_t u;
#else
  void *sp;
#endif
};

struct fiber {
  context c;
  fiber *idle; /* the next one in the list of those that run no thread */
};

enum state { state_new, state_ready, state_barrier, state_warp, state_done };

struct thread {
  fiber *on;
  uint64_t value; /* what it brings to a shuffle or vote, and gets */
  unsigned mask;
  int from, line;
  wait_kind kind;
  state is;
};

/* Lanes, as bits. */
struct warp_state {
  unsigned alive, waiting;
};

/* The launch that runs. There is only one at a time in the process. */
struct launch_state {
  const char *name;
  const std::function<void()> *body;
  order_mode mode;
  uint64_t random;
  unsigned n, next, alive, waiting; /* threads: all, the next to start.. */
  unsigned head, nready;
  unsigned self;
  fiber *current, *idle;
  context host, *left;
  tally result;
  thread t[max_threads];
  uint3 index[max_threads]; /* threadIdx of each, under blockDim */
  warp_state w[max_threads / 32];
  uint16_t order[max_threads], ready[max_threads];
};

launch_state g;
std::mutex busy;

const char *const wait_name[] = {
  "__syncthreads", "__syncthreads_count", "__syncthreads_and",
  "__syncthreads_or", "__syncwarp", "__shfl_sync", "__shfl_up_sync",
  "__shfl_down_sync", "__shfl_xor_sync", "__ballot_sync", "__any_sync",
  "__all_sync", "mma"
};

void print_thread(unsigned t)
{
  uint3 i = g.index[t];
  fprintf(stderr, "  thread (%u, %u, %u) ", i.x, i.y, i.z);
  if (g.t[t].is == state_barrier || g.t[t].is == state_warp)
    fprintf(stderr, "waits in %s, line %d", wait_name[g.t[t].kind],
            g.t[t].line);
  else
    fprintf(stderr, g.t[t].is == state_done ? "has returned" : "can run");
  if (g.t[t].is == state_warp)
    fprintf(stderr, ", mask 0x%08x", g.t[t].mask);
  fputc('\n', stderr);
}

/* Ends the program: what is wrong, and the threads a and b. */
[[noreturn]] void fail(unsigned a, unsigned b, const char *what)
{
  fprintf(stderr, "o2c_shim: kernel %s, block (%u, %u, %u): %s\n", g.name,
          blockIdx.x, blockIdx.y, blockIdx.z, what);
  print_thread(a);
  if (b != a)
    print_thread(b);
  fflush(stderr);
  abort();
}

/* Nothing can go on. One thread waits in vain for another: names both. */
[[noreturn]] void fail_stuck()
{
  unsigned a = 0, b;
  while (g.t[a].is != state_barrier && g.t[a].is != state_warp)
    a++;
  for (b = a + 1; b < g.n; b++)
    if (g.t[b].is != state_done &&
        (g.t[b].is != g.t[a].is || g.t[b].kind != g.t[a].kind ||
         g.t[b].mask != g.t[a].mask))
      break;
  fail(a, b < g.n ? b : a, "divergent barrier: no thread can go on");
}

uint64_t random_next()
{
  g.random = g.random * 6364136223846793005u + 1442695040888963407u;
  return g.random >> 33;
}

void fiber_main();

#ifdef SHIM_UCONTEXT
void context_make(context *c)
{
  getcontext(&c->u);
  c->u.uc_stack.ss_sp = const_cast<void *>(c->bottom);
  c->u.uc_stack.ss_size = c->size;
  c->u.uc_link = nullptr;
  makecontext(&c->u, fiber_main, 0);
}

void context_swap(context *from, context *to) { swapcontext(&from->u, &to->u); }
#else
extern "C" void o2c_shim_swap(void **save, void *to)
  __attribute__((visibility("hidden")));
/* What a function must preserve goes to the stack, and the other stack gives
 * its own back. Floating-point modes are the same for all. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl o2c_shim_swap\n"
        ".hidden o2c_shim_swap\n"
        ".type o2c_shim_swap, @function\n"
        "o2c_shim_swap:\n"
        "  pushq %rbp\n"
        "  pushq %rbx\n"
        "  pushq %r12\n"
        "  pushq %r13\n"
        "  pushq %r14\n"
        "  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n"
        "  popq %r14\n"
        "  popq %r13\n"
        "  popq %r12\n"
        "  popq %rbx\n"
        "  popq %rbp\n"
        "  ret\n"
        ".size o2c_shim_swap, . - o2c_shim_swap\n");

/* As if fiber_main's first instruction had been about to run: six registers,
 * its address, and where it would return to. */
void context_make(context *c)
{
  void **top = (void **)((char *)const_cast<void *>(c->bottom) + c->size);
  *--top = nullptr;
  *--top = (void *)fiber_main;
  for (int i = 0; i < 6; i++)
    *--top = nullptr;
  c->sp = top;
}

void context_swap(context *from, context *to)
{
  o2c_shim_swap(&from->sp, to->sp);
}
#endif

/* After a switch, on the new stack. The host's stack is not known before. */
void context_arrived(context *c)
{
#ifdef SHIM_ASAN
  const void *bottom;
  size_t size;
  __sanitizer_finish_switch_fiber(c ? c->fake : nullptr, &bottom, &size);
  if (g.left == &g.host) {
    g.host.bottom = bottom;
    g.host.size = size;
  }
#else
  (void)c;
#endif
}

void context_switch(context *from, context *to)
{
  if (from == to)
    return;
  g.left = from;
#ifdef SHIM_ASAN
  __sanitizer_start_switch_fiber(&from->fake, to->bottom, to->size);
#endif
  context_swap(from, to);
  context_arrived(from);
}

/* A fiber that runs no thread. Fibers are made when first needed, with a page
 * below the stack that may not be touched, and stay for later launches. */
fiber *fiber_take()
{
  fiber *f = g.idle;
  if (f) {
    g.idle = f->idle;
    return f;
  }
  void *p = mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED || mprotect(p, guard_bytes, PROT_NONE) != 0) {
    fprintf(stderr, "o2c_shim: no memory for a fiber's stack\n");
    abort();
  }
  f = (fiber *)calloc(1, sizeof *f);
  if (!f)
    abort();
  f->c.bottom = (char *)p + guard_bytes;
  f->c.size = stack_bytes;
  context_make(&f->c);
  return f;
}

void become(unsigned t)
{
  g.self = t;
  threadIdx = g.index[t];
}

void make_ready(unsigned t)
{
  g.t[t].is = state_ready;
  g.ready[(g.head + g.nready++) % max_threads] = (uint16_t)t;
}

/* The current fiber gives way to a thread that can go on, to a fiber that
 * starts the next threads, or, where all have returned, to the host. */
void give_way()
{
  context *from = &g.current->c;
  bool start = g.next < g.n;
  if (g.nready &&
      !(start && g.mode == order_random && (random_next() & 1) != 0)) {
    unsigned t = g.ready[g.head];
    g.head = (g.head + 1) % max_threads;
    g.nready--;
    become(t);
    g.current = g.t[t].on;
    context_switch(from, &g.current->c);
  } else if (start) {
    g.current = fiber_take();
    context_switch(from, &g.current->c);
  } else if (g.alive == 0) {
    context_switch(from, &g.host);
  } else {
    fail_stuck();
  }
}

/* The thread waits until another has made it ready. */
void thread_wait(thread *t)
{
  t->on = g.current;
  give_way();
}

void order_shuffle()
{
  for (unsigned i = g.n; i > 1; i--) {
    unsigned j = (unsigned)(random_next() % i);
    uint16_t t = g.order[i - 1];
    g.order[i - 1] = g.order[j];
    g.order[j] = t;
  }
}

/* Where all threads that are left have come to the barrier, they go on. */
void barrier_check()
{
  if (g.waiting == 0 || g.waiting != g.alive)
    return;
  unsigned first = max_threads;
  g.result = tally{ 0, 1 };
  for (unsigned t = 0; t < g.n; t++) {
    if (g.t[t].is == state_done)
      continue;
    if (first == max_threads)
      first = t;
    if (g.t[t].line != g.t[first].line || g.t[t].kind != g.t[first].kind)
      fail(first, t, "threads of the block are at different barriers");
    g.result.count += g.t[t].value != 0;
    g.result.all &= g.t[t].value != 0;
  }
  g.waiting = 0;
  if (g.mode == order_random)
    order_shuffle();
  for (unsigned i = 0; i < g.n; i++)
    if (g.t[g.order[i]].is == state_barrier)
      make_ready(g.order[i]);
}

int mma_byte(const unsigned *words, int i, bool is_signed)
{
  unsigned v = words[i / 4] >> i % 4 * 8 & 255;
  return is_signed ? (signed char)v : (int)v;
}

/* c += a b of a warp's lanes, which hold them as mma.h says. */
void warp_mma(const thread *t, unsigned lanes)
{
  int a[16][32], b[8][32];
  if (lanes != 0xffffffffu)
    fail((unsigned)(t - g.t), (unsigned)(t - g.t), "mma lacks lanes");
  for (int i = 0; i < 32; i++) {
    const mma_lane *m = (const mma_lane *)(uintptr_t)t[i].value;
    for (int k = 0; k < 16; k++) {
      int row = i / 4 + k / 4 % 2 * 8, at = i % 4 * 4 + k % 4 + k / 8 * 16;
      a[row][at] = mma_byte(m->a, k, m->a_signed);
    }
    for (int k = 0; k < 8; k++)
      b[i / 4][i % 4 * 4 + k % 4 + k / 4 * 16] = mma_byte(m->b, k,
                                                          m->b_signed);
  }
  for (int i = 0; i < 128; i++) {
    int row = i / 4 % 8 + i / 64 * 8, column = i % 4 * 2 + i / 32 % 2, sum = 0;
    int *c = ((const mma_lane *)(uintptr_t)t[i % 32].value)->c;
    for (int k = 0; k < 32; k++)
      sum += a[row][k] * b[column][k];
    c[i / 32] = (int)((unsigned)c[i / 32] + (unsigned)sum);
  }
}

/* The warp's lanes have all come: each gets its value. What a lane reads from
 * one that takes no part is undefined: bits that show. */
void warp_finish(thread *t, unsigned lanes, wait_kind kind)
{
  uint64_t value[32], votes = (uint64_t)lanes << 32;
  if (kind == wait_mma) {
    warp_mma(t, lanes);
    return;
  }
  for (unsigned i = 0; i < 32; i++)
    if (lanes >> i & 1) {
      value[i] = t[i].value;
      votes |= (uint64_t)(value[i] != 0) << i;
    }
  for (unsigned i = 0; i < 32; i++) {
    if (!(lanes >> i & 1))
      continue;
    if (kind >= wait_ballot)
      t[i].value = votes;
    else if (kind >= wait_shfl)
      t[i].value = lanes >> t[i].from & 1 ? value[t[i].from] : ~(uint64_t)0;
  }
}

/* Where all lanes of mask that are left wait for each other, they go on. */
void warp_check(unsigned w, unsigned mask)
{
  warp_state *s = &g.w[w];
  unsigned lanes = mask & s->alive, first = max_threads, turn = 0, flip = 0;
  if (lanes == 0 || (lanes & ~s->waiting))
    return;
  for (unsigned i = 0; i < 32; i++) {
    if (!(lanes >> i & 1))
      continue;
    if (first == max_threads)
      first = w * 32 + i;
    if (g.t[w * 32 + i].mask != mask)
      return;
    if (g.t[w * 32 + i].kind != g.t[first].kind)
      fail(first, w * 32 + i, "lanes of a mask are at different barriers");
  }
  warp_finish(&g.t[w * 32], lanes, g.t[first].kind);
  s->waiting &= ~lanes;
  if (g.mode == order_descending)
    flip = 31;
  else if (g.mode == order_random)
    turn = (unsigned)random_next(), flip = (unsigned)random_next() & 31;
  for (unsigned i = 0; i < 32; i++) {
    unsigned lane = ((i + turn) % 32) ^ flip;
    if (lanes >> lane & 1)
      make_ready(w * 32 + lane);
  }
}

/* The thread has returned; others may have waited for no one else. */
void thread_end(unsigned t)
{
  unsigned w = t / 32;
  g.t[t].is = state_done;
  g.alive--;
  g.w[w].alive &= ~(1u << t % 32);
  barrier_check();
  for (unsigned i = 0; i < 32 && g.w[w].waiting; i++)
    if (g.w[w].waiting >> i & 1)
      warp_check(w, g.t[w * 32 + i].mask);
}

/* A fiber starts threads for as long as none that waited can go on. */
void fiber_main()
{
  context_arrived(nullptr);
  fiber *me = g.current;
  for (;;) {
    while (g.next < g.n && g.nready == 0) {
      unsigned t = g.order[g.next++];
      become(t);
      (*g.body)();
      thread_end(t);
    }
    me->idle = g.idle;
    g.idle = me;
    give_way();
  }
}

void block_run()
{
  g.next = g.waiting = g.head = g.nready = 0;
  g.alive = g.n;
  for (unsigned i = 0; i < g.n; i++)
    g.t[i].is = state_new;
  for (unsigned w = 0; w * 32 < g.n; w++) {
    unsigned left = g.n - w * 32;
    g.w[w].alive = left < 32 ? (1u << left) - 1 : 0xffffffffu;
    g.w[w].waiting = 0;
  }
  if (g.mode == order_random)
    order_shuffle();
  g.current = fiber_take();
  context_switch(&g.host, &g.current->c);
}

uint64_t gcd(uint64_t a, uint64_t b) { return b ? gcd(b, a % b) : a; }

} // namespace

tally barrier(wait_kind kind, int predicate, int line)
{
  thread *t = &g.t[g.self];
  t->is = state_barrier;
  t->kind = kind;
  t->line = line;
  t->mask = 0;
  t->value = predicate != 0;
  g.waiting++;
  barrier_check();
  thread_wait(t);
  return g.result;
}

uint64_t warp(wait_kind kind, unsigned mask, uint64_t value, int from,
              int line)
{
  thread *t = &g.t[g.self];
  unsigned w = g.self / 32, lane = g.self % 32;
  t->is = state_warp;
  t->kind = kind;
  t->line = line;
  t->mask = mask;
  t->value = value;
  t->from = from;
  if (!(mask >> lane & 1))
    fail(g.self, g.self, "the lane is not in its own mask");
  g.w[w].waiting |= 1u << lane;
  warp_check(w, mask);
  thread_wait(t);
  return t->value;
}

int lane() { return (int)(g.self % 32); }

unsigned alive_lanes() { return g.w[g.self / 32].alive; }

void trap() { fail(g.self, g.self, "__trap"); }

/* All blocks of a launch. At random, they come in steps that have no factor in
 * common with their number. */
void run(const char *name, dim3 grid, dim3 block,
         const std::function<void()> &body, order_mode mode, uint64_t seed)
{
  std::lock_guard<std::mutex> lock(busy);
  uint64_t blocks = (uint64_t)grid.x * grid.y * grid.z, step = 1, at = 0;
  g.name = name;
  g.body = &body;
  g.mode = mode;
  g.random = seed * 0x9e3779b97f4a7c15u + 1;
  g.n = block.x * block.y * block.z;
  gridDim = grid;
  blockDim = block;
  unsigned t = 0;
  for (unsigned z = 0; z < block.z; z++)
    for (unsigned y = 0; y < block.y; y++)
      for (unsigned x = 0; x < block.x; x++)
        g.index[t++] = uint3{ x, y, z };
  for (unsigned i = 0; i < g.n; i++)
    g.order[i] = (uint16_t)(mode == order_descending ? g.n - 1 - i : i);
  if (mode == order_descending) {
    at = step = blocks - 1;
  } else if (mode == order_random) {
    at = random_next() % blocks;
    for (step = 1 + random_next() % blocks; gcd(step, blocks) != 1; step++)
      ;
  }
  for (uint64_t i = 0; i < blocks; i++, at = (at + step) % blocks) {
    blockIdx = uint3{ (unsigned)(at % grid.x),
                      (unsigned)(at / grid.x % grid.y),
                      (unsigned)(at / grid.x / grid.y) };
    block_run();
  }
}

} // namespace o2c_shim
