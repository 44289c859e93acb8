/* SPDX-License-Identifier: 0BSD */
/* NonMaxSuppression: of the boxes of each class the best, in order of their
 * scores, less those that overlap a better one. */
#if T_IS_FLOAT && T_BITS == 32
/* Whether boxes a and b, as corners or (`center`) as centre and extents,
 * overlap by more than `most` of what they cover together. */
O2C_UNUSED static int NAME(nms_overlap)(const T *a, const T *b, int64_t center,
                                        T most) {
  T part = 1, area_a = 1, area_b = 1;
  int j;
  for (j = 0; j < 2; j++) {
    T a0 = a[j], a1 = a[j + 2], b0 = b[j], b1 = b[j + 2], t, lo, hi;
    if (center) {
      T ha = a1 / 2, hb = b1 / 2;
      a1 = a0 + ha;
      a0 -= ha;
      b1 = b0 + hb;
      b0 -= hb;
    }
    if (a0 > a1) t = a0, a0 = a1, a1 = t;
    if (b0 > b1) t = b0, b0 = b1, b1 = t;
    lo = a0 > b0 ? a0 : b0;
    hi = a1 < b1 ? a1 : b1;
    if (!(hi > lo)) return 0;
    part *= hi - lo;
    area_a *= a1 - a0;
    area_b *= b1 - b0;
  }
  return part / (area_a + area_b - part) > most;
}

O2C_UNUSED static void NAME(nms_sift)(const T *score, int64_t *heap,
                                      int64_t root, int64_t n) {
  const int64_t at = heap[root];
  int64_t child;
  for (; (child = 2 * root + 1) < n; root = child) {
    const T *s = score;
    if (child + 1 < n && (s[heap[child + 1]] > s[heap[child]] ||
                          (s[heap[child + 1]] == s[heap[child]] &&
                           heap[child + 1] < heap[child])))
      child++;
    if (!(s[heap[child]] > s[at] || (s[heap[child]] == s[at] &&
                                     heap[child] < at)))
      break;
    heap[root] = heap[child];
  }
  heap[root] = at;
}

/* One class. `room` for n indices: a heap at the front, what was picked at the
 * end, the first one last. Returns how many were picked. */
O2C_UNUSED static int64_t NAME(nms_class)(const T *boxes, const T *score,
                                          const T *least, int64_t *room,
                                          int64_t n, int64_t most, T overlap,
                                          int64_t center) {
  int64_t heap = 0, picked = 0, i;
  for (i = 0; i < n; i++)
    if (least ? score[i] > *least : score[i] == score[i]) room[heap++] = i;
  for (i = heap / 2; i-- > 0;) NAME(nms_sift)(score, room, i, heap);
  while (heap > 0 && picked < most) {
    const int64_t at = room[0];
    room[0] = room[--heap];
    if (heap) NAME(nms_sift)(score, room, 0, heap);
    for (i = 0; i < picked; i++)
      if (NAME(nms_overlap)(boxes + 4 * at, boxes + 4 * room[n - 1 - i], center,
                            overlap))
        break;
    if (i == picked) room[n - 1 - picked++] = at;
  }
  return picked;
}

/* y[count][3]: batch, class, box of those picked. most, overlap, least may be
 * null: none, 0, any score. */
O2C_UNUSED static o2c_status NAME(nms)(const T *boxes, const T *scores,
                                       const void *most, const T *overlap,
                                       const T *least, void *rooms,
                                       void *out, int64_t batch,
                                       int64_t classes, int64_t n,
                                       int64_t count, int64_t center) {
  int64_t *room = (int64_t *)rooms, *y = (int64_t *)out;
  int64_t b, c, i, total = 0;
  for (b = 0; b < batch; b++, boxes += 4 * n)
    for (c = 0; c < classes; c++, scores += n) {
      const int64_t k = NAME(nms_class)(boxes, scores, least, room, n,
                                        most ? *(const int64_t *)most : 0,
                                        overlap ? *overlap : 0, center);
      if (k > count - total) return O2C_E_SHAPE;
      for (i = 0; i < k; i++, y += 3) {
        y[0] = b;
        y[1] = c;
        y[2] = room[n - 1 - i];
      }
      total += k;
    }
  return total == count ? O2C_OK : O2C_E_SHAPE;
}

O2C_UNUSED static void NAME(size_nms)(const T *boxes, const T *scores,
                                      const void *most, const T *overlap,
                                      const T *least, void *room,
                                      int64_t batch, int64_t classes, int64_t n,
                                      int64_t center, int64_t *size) {
  int64_t b, c, total = 0;
  for (b = 0; b < batch; b++, boxes += 4 * n)
    for (c = 0; c < classes; c++, scores += n)
      total += NAME(nms_class)(boxes, scores, least, (int64_t *)room, n,
                               most ? *(const int64_t *)most : 0,
                               overlap ? *overlap : 0, center);
  *size = total;
}
#endif
