/** The time of day in microseconds, for processes of one machine to compare: Date.now() has only ms. */
function calibrate(): number {
  let offset = -Infinity;
  const until = performance.now() + 50;
  // At the moment a millisecond begins, both are known.
  while (performance.now() < until) offset = Math.max(offset, Date.now() - performance.now());
  return offset;
}

const offset = calibrate();

export function nowMicros(): number {
  return (offset + performance.now()) * 1000;
}

/** Quantiles of some numbers. */
export function quantiles(
  values: readonly number[],
): { readonly p50: number; readonly p99: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
