import { expect, it } from "vitest";
import { createCost } from "../../recorder/cost.ts";

it("tells how long tasks took, to a fifth", () => {
  const cost = createCost();
  for (let ms = 1; ms <= 100; ms++) cost.addTask(ms);
  const { tasks, totalMs, p50Ms, p95Ms, longestMs } = cost.report();
  expect({ tasks, totalMs, longestMs }).toEqual({ tasks: 100, totalMs: 5_050, longestMs: 100 });
  expect(p50Ms).toBeGreaterThanOrEqual(50);
  expect(p50Ms).toBeLessThan(60);
  expect(p95Ms).toBeGreaterThanOrEqual(95);
  expect(p95Ms).toBeLessThanOrEqual(100);
});

it("starts from zero", () => {
  expect(new Set(Object.values(createCost().report()))).toEqual(new Set([0]));
});
