/* SPDX-License-Identifier: Apache-2.0 */
/* What info says of a plan for a GPU: how many regions and copies there are,
 * how often a run waits, the device's memory, and why a step stays on the CPU.
 * Counts are of one block of the batch law, of one turn of each loop, and of a
 * caller whose memory is the host's. */
#include "target.h"

typedef struct {
  int device, host, regions;      /* steps, and runs of those on the GPU */
  int in, out, down, up;          /* copies: of the caller's, from, to it */
  int trip;                       /* of `down`, in loops */
} Parts;

static Parts parts_of(const Plan *p)
{
  Parts c = {0};
  const Step *last = NULL;
  for (const Step *s = p->first; s; last = s, s = s->next) {
    const Node *n = s->node;
    if (!s->transfer) {
      c.device += s->device;
      c.host += !s->device;
      c.regions += s->device &&
                   !(last && last->device && region_goes_on(last, s));
    } else if (value_root(n->in[0])->is_input) {
      c.in++;
    } else if (n->device) {
      c.up++;
    } else {
      *(n->out[0]->is_output ? &c.out : &c.down) += 1;
      c.trip += s->depth > 0;
    }
  }
  return c;
}

static const char *plural(int n)
{
  return n == 1 ? "" : "s";
}

const char *info_provider(const Step *s)
{
  return s->device ? "cuda" : s->transfer ? "copy" : "cpu";
}

/* Nothing to say where no GPU was asked for. */
static bool asked(const Plan *p)
{
  return provider_has(p->m->opt, "cuda");
}

void info_device_text(StrBuf *b, Plan *p)
{
  if (!asked(p))
    return;
  if (!p->device) {
    sb_puts(b, "partition  all steps on the CPU\n");
    return;
  }
  Parts c = parts_of(p);
  sb_printf(b, "partition  %d step%s in %d region%s of the GPU, %d on the "
            "CPU\n", c.device, plural(c.device), c.regions, plural(c.regions),
            c.host);
  sb_printf(b, "copies     %d of inputs, %d of outputs, %d to the GPU, %d "
            "from it; %d wait%s%s", c.in, c.out, c.up, c.down, c.down,
            plural(c.down), p->block ? " a block of samples" : " a run");
  if (c.trip)
    sb_printf(b, ", %d of them in each trip of a loop", c.trip);
  sb_puts(b, "\n");
  sb_printf(b, "GPU        weights %lld bytes, ",
            (long long)p->device_weight_bytes);
  if (p->arena_static)
    sb_printf(b, "arena %lld bytes; lower bound %lld\n",
              (long long)p->device_bytes, (long long)p->device_bound);
  else
    sb_printf(b, "arena %s bytes\n", emit_device_size(p, ""));
}

/* Why the CPU has the step; NULL: nothing asks, or a GPU has it. */
static const char *why_here(const Step *s)
{
  if (s->device || s->transfer)
    return NULL;
  return s->sizing ? "it finds sizes for the GPU" : s->node->stays;
}

void info_device_stays(StrBuf *b, const Plan *p)
{
  const Node *last = NULL;
  bool first = true;
  for (const Step *s = p->first; s && asked(p); s = s->next) {
    if (s->node == last || !why_here(s))
      continue;
    sb_printf(b, "%s  %s: %s\n", first ? "\nsteps of the CPU\n" : "", s->name,
              why_here(s));
    last = s->node;
    first = false;
  }
}

void info_device_json(StrBuf *b, Plan *p)
{
  if (!asked(p))
    return;
  Parts c = parts_of(p);
  sb_printf(b, ",\n\"device\": {\"provider\": \"cuda\", \"regions\": %d, "
            "\"steps\": %d, \"cpu_steps\": %d,\n  \"copies\": {\"inputs\": %d, "
            "\"outputs\": %d, \"to_device\": %d, \"from_device\": %d}, "
            "\"waits\": %d, "
            "\"waits_in_trips\": %d,\n  \"weights\": %lld, \"arena\": ",
            c.regions, c.device, c.host, c.in, c.out, c.up, c.down, c.down,
            c.trip, (long long)p->device_weight_bytes);
  if (p->arena_static || !p->device)
    sb_printf(b, "%lld, \"lower_bound\": %lld}", (long long)p->device_bytes,
              (long long)p->device_bound);
  else
    sb_printf(b, "\"%s\"}", emit_device_size(p, ""));
}

void info_device_json_step(StrBuf *b, const Step *s)
{
  sb_printf(b, ", \"provider\": \"%s\"", info_provider(s));
  if (!asked(s->plan))
    return;
  if (why_here(s))
    sb_printf(b, ", \"why\": \"%s\"", why_here(s));
}
