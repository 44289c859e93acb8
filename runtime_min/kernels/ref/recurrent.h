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
  A clip, *gate, *h, *c;
} NAME(recur);

/* Affine, Relu, LeakyRelu, ThresholdedRelu, Tanh, ScaledTanh, Sigmoid,
 * HardSigmoid, Elu, Softsign, Softplus. */
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

O2C_UNUSED static void NAME(recur_lstm)(const NAME(recur) *s, const T *x,
                                        int64_t coupled) {
  int64_t n = s->hidden, j;
  for (j = 0; j < 4 * n; j++)
    s->gate[j] = NAME(recur_in)(s, x, j) + NAME(recur_state)(s, s->h, j);
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
    s->h[j] = o * NAME(recur_act)(c, s->act + 6, s->clip);
  }
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
  s.clip = (A)clip;
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
#endif
