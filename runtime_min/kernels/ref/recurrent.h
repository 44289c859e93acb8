/* SPDX-License-Identifier: 0BSD */
/* RNN (kind 0), GRU (1) and LSTM (2). X holds `in` inputs a row, or, where W is
 * NULL, what W and the biases made of them: G*H sums a row for each direction,
 * and B is then GRU's recurrent bias of the hidden gate, [dirs, H], or NULL.
 *
 *   W [dirs, G*H, in]  R [dirs, G*H, H]  B [dirs, 2*G*H]  P [dirs, 3*H]
 *   lens [batch] int32; outside of 0 .. steps is O2C_E_DATA
 *   room  6*H numbers of type A
 *   flag  GRU: linear_before_reset; LSTM: input_forget
 *   at    elements between steps and rows of X, steps, directions and rows of
 *         Y, directions and rows of the states
 *   act   for each direction three functions: number (see recur_act), and the
 *         bits of alpha and beta as float
 *
 * Gates stand as iofc, zrh. Steps past a row's length make zeros in Y. The
 * reverse direction begins at the last step that the row has. */
#if T_IS_FLOAT
typedef struct {
  const T *w, *r, *wb, *rb, *rbh, *p;
  const int64_t *act;
  int64_t in, hidden;
  A clip, clip_h, *gate, *h, *c; /* clip_h: of the cell, for the state */
} NAME(recur);

#if T_BITS == 32
/* The rational functions that onnxruntime takes for a sigmoid and a tanh,
 * multiplied and added as it does on machines that fuse both: where a state is
 * quantised afterwards, its last bit decides of a step. Odd polynomials over
 * even ones, the highest power first; from Eigen. */
O2C_UNUSED static float NAME(recur_ratio)(float x, float most, const float *p,
                                          int64_t np, const float *q,
                                          int64_t nq) {
  float v = x < -most ? -most : x > most ? most : x, s = v * v;
  float a = p[0], b = q[0];
  int64_t k;
  for (k = 1; k < np; k++) a = fmaf(a, s, p[k]);
  for (k = 1; k < nq; k++) b = fmaf(b, s, q[k]);
  return a * v / b;
}

O2C_UNUSED static float NAME(recur_near_tanh)(float x) {
  static const float p[] = {-2.76076847742355e-16f, 2.00018790482477e-13f,
                            -8.60467152213735e-11f, 5.12229709037114e-08f,
                            1.48572235717979e-05f, 6.37261928875436e-04f,
                            4.89352455891786e-03f};
  static const float q[] = {1.19825839466702e-06f, 1.18534705686654e-04f,
                            2.26843463243900e-03f, 4.89352518554385e-03f};
  return NAME(recur_ratio)(x, 9.0f, p, 7, q, 4);
}

O2C_UNUSED static float NAME(recur_near_sigmoid)(float x) {
  static const float p[] = {4.37031012579801e-11f, 1.15627324459942e-07f,
                            6.08574864600143e-05f, 8.51377133304701e-03f,
                            2.48287947061529e-01f};
  static const float q[] = {6.10247389755681e-13f, 5.76102136993427e-09f,
                            6.29106785017040e-06f, 1.70198817374094e-03f,
                            1.16817656904453e-01f, 9.93151921023180e-01f};
  float v = NAME(recur_ratio)(x, 18.0f, p, 5, q, 6) + 0.5f;
  return v < 0 ? 0 : v > 1 ? 1 : v;
}
#endif

/* Affine, Relu, LeakyRelu, ThresholdedRelu, Tanh, ScaledTanh, Sigmoid,
 * HardSigmoid, Elu, Softsign, Softplus; Tanh and Sigmoid as above. */
O2C_UNUSED static A NAME(recur_act)(A x, const int64_t *f, A clip) {
  uint32_t bits[2];
  float ab[2];
  A a, b;
  bits[0] = (uint32_t)f[1];
  bits[1] = (uint32_t)f[2];
  memcpy(ab, bits, 8);
  a = (A)ab[0];
  b = (A)ab[1];
  x = x > clip ? clip : x < -clip ? -clip : x;
  switch (f[0]) {
    case 0: return a * x + b;
    case 1: return x < K(0) ? K(0) : x;
    case 2: return x < K(0) ? a * x : x;
    case 3: return x < a ? K(0) : x;
    case 4: return M(tanh)(x);
    case 5: return a * M(tanh)(b * x);
    case 6: return K(1) / (K(1) + M(exp)(-x));
    case 7:
      x = a * x + b;
      return x < K(0) ? K(0) : x > K(1) ? K(1) : x;
    case 8: return x < K(0) ? a * (M(exp)(x) - K(1)) : x;
    case 9: return x / (K(1) + M(fabs)(x));
#if T_BITS == 32
    case 11: return NAME(recur_near_tanh)(x);
    case 12: return NAME(recur_near_sigmoid)(x);
#endif
    default: return x > K(0) ? x + M(log1p)(M(exp)(-x)) : M(log1p)(M(exp)(x));
  }
}

O2C_UNUSED static A NAME(recur_in)(const NAME(recur) *s, const T *x,
                                   int64_t j) {
  A sum = 0;
  int64_t k;
  if (!s->w) return LOAD(x[j]);
  for (k = 0; k < s->in; k++) sum += LOAD(x[k]) * LOAD(s->w[j * s->in + k]);
  return s->wb ? sum + LOAD(s->wb[j]) : sum;
}

O2C_UNUSED static A NAME(recur_state)(const NAME(recur) *s, const A *h,
                                      int64_t j) {
  A sum = 0;
  int64_t k;
  for (k = 0; k < s->hidden; k++) sum += h[k] * LOAD(s->r[j * s->hidden + k]);
  return s->rb ? sum + LOAD(s->rb[j]) : sum;
}

O2C_UNUSED static void NAME(recur_rnn)(const NAME(recur) *s, const T *x) {
  int64_t j;
  for (j = 0; j < s->hidden; j++)
    s->gate[j] = NAME(recur_act)(
      NAME(recur_in)(s, x, j) + NAME(recur_state)(s, s->h, j), s->act, s->clip);
  memcpy(s->h, s->gate, (size_t)s->hidden * sizeof(A));
}

/* Gate 2 is the hidden one: of the reset state, or the product reset. */
O2C_UNUSED static void NAME(recur_gru)(const NAME(recur) *s, const T *x,
                                       int64_t linear) {
  int64_t n = s->hidden, j;
  A *g = s->gate;
  for (j = 0; j < 2 * n; j++)
    g[j] = NAME(recur_act)(
      NAME(recur_in)(s, x, j) + NAME(recur_state)(s, s->h, j), s->act, s->clip);
  for (j = 0; j < n; j++) s->c[j] = linear ? s->h[j] : g[n + j] * s->h[j];
  for (j = 0; j < n; j++) {
    A sum = NAME(recur_state)(s, s->c, 2 * n + j);
    if (s->rbh) sum += LOAD(s->rbh[j]);
    if (linear) sum *= g[n + j];
    g[2 * n + j] = NAME(recur_act)(NAME(recur_in)(s, x, 2 * n + j) + sum,
                                   s->act + 3, s->clip);
  }
  for (j = 0; j < n; j++)
    s->h[j] = (K(1) - g[j]) * g[2 * n + j] + g[j] * s->h[j];
}

O2C_UNUSED static A NAME(recur_peep)(const NAME(recur) *s, int64_t gate,
                                     int64_t j, A c) {
  A v = s->gate[gate * s->hidden + j];
  return s->p ? v + LOAD(s->p[gate * s->hidden + j]) * c : v;
}

/* The units of a row, from the sums of its gates. */
O2C_UNUSED static void NAME(recur_units)(const NAME(recur) *s,
                                         int64_t coupled) {
  int64_t n = s->hidden, j;
  for (j = 0; j < n; j++) {
    A c = s->c[j], o;
    A i = NAME(recur_act)(NAME(recur_peep)(s, 0, j, c), s->act, s->clip);
    A f = coupled ? K(1) - i
                  : NAME(recur_act)(NAME(recur_peep)(s, 2, j, c), s->act,
                                    s->clip);
    c = f * c +
        i * NAME(recur_act)(s->gate[3 * n + j], s->act + 3, s->clip);
    o = NAME(recur_act)(NAME(recur_peep)(s, 1, j, c), s->act, s->clip);
    s->c[j] = c;
    s->h[j] = o * NAME(recur_act)(c, s->act + 6, s->clip_h);
  }
}

O2C_UNUSED static void NAME(recur_lstm)(const NAME(recur) *s, const T *x,
                                        int64_t coupled) {
  int64_t j;
  for (j = 0; j < 4 * s->hidden; j++)
    s->gate[j] = NAME(recur_in)(s, x, j) + NAME(recur_state)(s, s->h, j);
  NAME(recur_units)(s, coupled);
}

/* What the operands are for direction d. */
O2C_UNUSED static void NAME(recur_begin)(NAME(recur) *s, int64_t d, int64_t gh,
                                         const T *w, const T *r, const T *b,
                                         const T *p, const int64_t *act) {
  s->w = w ? w + d * gh * s->in : NULL;
  s->r = r + d * gh * s->hidden;
  s->wb = w && b ? b + d * 2 * gh : NULL;
  s->rb = w && b ? b + (d * 2 + 1) * gh : NULL;
  s->rbh = !w && b ? b + d * s->hidden : NULL;
  s->p = p ? p + d * 3 * s->hidden : NULL;
  s->act = act + d * 9;
}

O2C_UNUSED static void NAME(recur_load)(A *to, const T *from, int64_t n) {
  int64_t j;
  for (j = 0; j < n; j++) to[j] = from ? LOAD(from[j]) : K(0);
}

O2C_UNUSED static void NAME(recur_store)(T *to, const A *from, int64_t n) {
  int64_t j;
  for (j = 0; to && j < n; j++) to[j] = STORE(from[j]);
}

O2C_UNUSED static o2c_status NAME(recurrent)(
  const T *x, const T *w, const T *r, const T *b, const int32_t *lens,
  const T *h0, const T *c0, const T *p, T *y, T *yh, T *yc, void *room,
  int64_t kind, int64_t steps, int64_t batch, int64_t in, int64_t hidden,
  int64_t dirs, int64_t reverse, int64_t flag, const int64_t *at,
  const int64_t *act, double clip) {
  int64_t gh = hidden * (kind == 2 ? 4 : kind == 1 ? 3 : 1), d, i, t;
  NAME(recur) s;
  s.in = in;
  s.hidden = hidden;
  s.clip = s.clip_h = (A)clip;
  s.gate = (A *)room;
  s.h = s.gate + 4 * hidden;
  s.c = s.h + hidden;
  for (i = 0; lens && i < batch; i++)
    if (lens[i] < 0 || lens[i] > steps) return O2C_E_DATA;
  for (d = 0; d < dirs; d++)
    for (i = 0; i < batch; i++) {
      int64_t n = lens ? lens[i] : steps, state = d * at[5] + i * at[6];
      int64_t out = d * at[3] + i * at[4];
      NAME(recur_begin)(&s, d, gh, w, r, b, p, act);
      NAME(recur_load)(s.h, h0 ? h0 + state : NULL, hidden);
      NAME(recur_load)(s.c, c0 ? c0 + state : NULL, hidden);
      for (t = 0; t < steps; t++) {
        int64_t now = t < n && (reverse || d) ? n - 1 - t : t;
        const T *row = x + now * at[0] + i * at[1] + (w ? 0 : d * gh);
        if (t < n && kind == 0) NAME(recur_rnn)(&s, row);
        if (t < n && kind == 1) NAME(recur_gru)(&s, row, flag);
        if (t < n && kind == 2) NAME(recur_lstm)(&s, row, flag);
        if (y && t < n)
          NAME(recur_store)(y + now * at[2] + out, s.h, hidden);
        else if (y)
          memset(y + now * at[2] + out, 0, (size_t)hidden * sizeof(T));
      }
      NAME(recur_store)(yh ? yh + state : NULL, s.h, hidden);
      NAME(recur_store)(yc ? yc + state : NULL, s.c, hidden);
    }
  return O2C_OK;
}
#if T_BITS == 32
/* An LSTM whose recurrent product is of bytes: X as above where W is NULL,
 *
 *   R [dirs, H, 4*H] int8 (is_signed) or uint8, with scales rs and zero points
 *   rz for each direction and column
 *   B [dirs, 4*H], both biases, or NULL
 *   room  4*H numbers, and 3*H for each row
 *
 * The states of all rows are quantised together, once a step, by the rule of
 * DynamicQuantizeLinear; rows that have ended count as 0 where Y is wanted, as
 * they stand there, else with their last state. A row of no steps ends with
 * states of 0. */
typedef struct {
  const void *r, *rz;
  const float *rs, *bias;
  int64_t is_signed;
  float scale;
  int32_t zero;
} NAME(recur_bytes);

O2C_UNUSED static int64_t NAME(recur_byte)(const void *p, int64_t at,
                                           int64_t is_signed) {
  return is_signed ? ((const int8_t *)p)[at] : ((const uint8_t *)p)[at];
}

/* n states as bytes, by their range. */
O2C_UNUSED static void NAME(recur_quantize)(NAME(recur_bytes) *b,
                                            const float *h, uint8_t *q,
                                            int64_t n) {
  float lo = 0, hi = 0, v;
  int64_t j;
  for (j = 0; j < n; j++) {
    lo = h[j] < lo ? h[j] : lo;
    hi = h[j] > hi ? h[j] : hi;
  }
  b->scale = (hi - lo) / 255.0f;
  v = b->scale > 0 ? rintf(0 - lo / b->scale) : 0;
  b->zero = (int32_t)(v < 255 ? v : 255);
  for (j = 0; j < n; j++) {
    v = b->scale > 0 ? rintf(h[j] / b->scale) + (float)b->zero : 0;
    v = v > 0 ? v : 0;
    q[j] = (uint8_t)(v < 255 ? v : 255);
  }
}

/* The gates of one row of direction d, from its sums and its state. */
O2C_UNUSED static void NAME(recur_products)(const NAME(recur) *s,
                                            const NAME(recur_bytes) *b,
                                            const float *x, const uint8_t *q,
                                            int64_t d) {
  int64_t gh = 4 * s->hidden, j, k;
  for (j = 0; j < gh; j++) {
    int64_t rz = NAME(recur_byte)(b->rz, d * gh + j, b->is_signed), sum = 0;
    for (k = 0; k < s->hidden; k++) {
      int64_t at = (d * s->hidden + k) * gh + j;
      sum += (q[k] - b->zero) * (NAME(recur_byte)(b->r, at, b->is_signed) - rz);
    }
    s->gate[j] = x[j] + (float)sum * (b->scale * b->rs[d * gh + j]);
    if (b->bias) s->gate[j] += b->bias[d * gh + j];
  }
}

O2C_UNUSED static o2c_status NAME(lstm_bytes)(
  const float *x, const void *r, const float *bias, const float *rs,
  const void *rz, const int32_t *lens, const float *h0, const float *c0,
  const float *p, float *y, float *yh, float *yc, void *room, int64_t steps,
  int64_t batch,
  int64_t hidden, int64_t dirs, int64_t reverse, int64_t coupled,
  int64_t is_signed, const int64_t *at, const int64_t *act, double clip) {
  int64_t gh = 4 * hidden, states = batch * hidden, d, i, t;
  float *h = (float *)room + gh, *c = h + states;
  uint8_t *q = (uint8_t *)(c + states);
  NAME(recur) s;
  NAME(recur_bytes) b;
  memset(&s, 0, sizeof s);
  s.hidden = hidden;
  s.clip = (float)clip;
  s.clip_h = INFINITY; /* onnxruntime clips gates only */
  s.gate = (float *)room;
  b.r = r;
  b.bias = bias;
  b.rs = rs;
  b.rz = rz;
  b.is_signed = is_signed;
  for (i = 0; lens && i < batch; i++)
    if (lens[i] < 0 || lens[i] > steps) return O2C_E_DATA;
  for (d = 0; d < dirs; d++) {
    s.p = p ? p + d * 3 * hidden : NULL;
    s.act = act + d * 9;
    for (i = 0; i < batch; i++) {
      int64_t state = d * at[5] + i * at[6];
      NAME(recur_load)(h + i * hidden, h0 ? h0 + state : NULL, hidden);
      NAME(recur_load)(c + i * hidden, c0 ? c0 + state : NULL, hidden);
    }
    for (t = 0; t < steps; t++) {
      NAME(recur_quantize)(&b, h, q, states);
      for (i = 0; i < batch; i++) {
        int64_t n = lens ? lens[i] : steps;
        int64_t now = t < n && (reverse || d) ? n - 1 - t : t;
        float *to = y ? y + now * at[2] + d * at[3] + i * at[4] : NULL;
        s.h = h + i * hidden;
        s.c = c + i * hidden;
        if (t < n) {
          NAME(recur_products)(&s, &b, x + now * at[0] + i * at[1] + d * gh,
                               q + i * hidden, d);
          NAME(recur_units)(&s, coupled);
          NAME(recur_store)(to, s.h, hidden);
          if (yh && t == n - 1)
            NAME(recur_store)(yh + d * at[5] + i * at[6], s.h, hidden);
        } else if (y) {
          memset(to, 0, (size_t)hidden * sizeof *to);
          memset(s.h, 0, (size_t)hidden * sizeof *s.h);
        }
      }
    }
    for (i = 0; i < batch; i++) {
      int64_t state = d * at[5] + i * at[6];
      int none = lens ? lens[i] == 0 : steps == 0;
      if (none && lens) memset(c + i * hidden, 0, (size_t)hidden * sizeof *c);
      if (none && yh)
        NAME(recur_load)(yh + state, lens || !h0 ? NULL : h0 + state, hidden);
      NAME(recur_store)(yc ? yc + state : NULL, c + i * hidden, hidden);
    }
  }
  return O2C_OK;
}
#endif
#endif
