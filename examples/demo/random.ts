/** A stream of numbers that is the same for the same seed. Not for secrets. */
export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** At least `low`, below `high`. */
  between(low: number, high: number): number;
  /** A whole number, both ends included. */
  integer(low: number, high: number): number;
  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T;
  /** Lower-case hex digits. */
  hex(digits: number): string;
  /** A version 4 UUID. */
  uuid(): string;
}

/** Mulberry32: 32 bits of state are plenty for drawings and demo data. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  const random: Random = {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    },
    between: (low, high) => low + random.next() * (high - low),
    integer: (low, high) => Math.floor(random.between(low, high + 1)),
    pick: (items) => items[Math.floor(random.next() * items.length)]!,
    hex: (digits) => Array.from({ length: digits }, () => random.integer(0, 15).toString(16)).join(""),
    uuid: () =>
      `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-${random.pick(["8", "9", "a", "b"])}${random.hex(3)}-${random.hex(12)}`,
  };
  return random;
}
