import { describe, expect, test } from "vitest";
import { createBackoff, retryAfterMs } from "../../recorder/backoff.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

function waits(random: number, retryAfter: string | null, count: number): number[] {
  const backoff = createBackoff({ now: () => NOW, clock: () => 1_000, random: () => random });
  return Array.from({ length: count }, () => {
    backoff.fail(retryAfter);
    return backoff.notBefore - 1_000;
  });
}

describe("backoff", () => {
  test("waits twice as long after each failure, from a second to half a minute", () => {
    expect(waits(0.5, null, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test("spreads pages by a quarter to either side", () => {
    expect(waits(0, null, 2)).toEqual([750, 1_500]);
    expect(waits(1, null, 2)).toEqual([1_250, 2_500]);
  });

  test("never asks earlier than the server wants, in seconds or by date, and spreads pages then too", () => {
    expect(waits(0, "120", 1)).toEqual([120_000]);
    expect(waits(1, "120", 1)).toEqual([144_000]);
    expect(waits(0, new Date(NOW + 90_000).toUTCString(), 1)).toEqual([90_000]);
  });

  test("waits its own time where the server asks for less", () => {
    expect(waits(0.5, "1", 3)).toEqual([1_000, 2_000, 4_000]);
  });

  test("begins anew after a success", () => {
    const backoff = createBackoff({ now: () => NOW, clock: () => 0, random: () => 0.5 });
    backoff.fail(null);
    backoff.fail(null);
    backoff.reset();
    expect([backoff.failures, backoff.notBefore]).toEqual([0, 0]);
    backoff.fail(null);
    expect(backoff.notBefore).toBe(1_000);
  });

  test("reads Retry-After as seconds or as a date, and bounds it", () => {
    expect(retryAfterMs("7", 0)).toBe(7_000);
    expect(retryAfterMs(new Date(60_000).toUTCString(), 10_000)).toBe(50_000);
    expect(retryAfterMs("999999", 0)).toBe(600_000);
    expect(retryAfterMs("soon", 0)).toBe(0);
    expect(retryAfterMs("-5", 0)).toBe(0);
    expect(retryAfterMs(null, 0)).toBe(0);
  });
});
