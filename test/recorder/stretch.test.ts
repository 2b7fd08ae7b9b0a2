import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createElapsed } from "../../recorder/elapsed.ts";
import { createStretchControl } from "../../recorder/stretch-control.ts";
import { deadlineOf, NO_STRETCH, step, type Stretch, type StretchEvent } from "../../recorder/stretch.ts";
import { createFakeTime } from "./fake-browser.ts";

const limits = { idlePauseMs: 300_000, idleEndMs: 900_000, maxRecordingMs: 3_600_000 };
const running: Stretch = { phase: "running", startedAt: 0, activeAt: 0, isHeld: false, reason: null };
const MINUTE = 60_000;

function after(stretch: Stretch, ...events: [at: number, type: StretchEvent["type"]][]): Stretch {
  return events.reduce(
    (current, [at, type]) =>
      step(current, (type === "end" ? { type, reason: "manual" } : { type }) as StretchEvent, at, limits),
    stretch,
  );
}

describe("a stretch", () => {
  test("pauses without activity, goes on with it, and ends where none comes", () => {
    expect(after(running, [5 * MINUTE - 1, "time"]).phase).toBe("running");
    expect(after(running, [5 * MINUTE, "time"]).phase).toBe("paused");
    expect(after(running, [6 * MINUTE, "activity"])).toMatchObject({
      phase: "running",
      activeAt: 6 * MINUTE,
      startedAt: 0,
    });
    expect(after(running, [15 * MINUTE, "time"])).toMatchObject({ phase: "ended", reason: "idle" });
  });

  test("ends at its greatest length, however active", () => {
    let stretch = running;
    for (let at = 0; at < 60 * MINUTE; at += MINUTE) stretch = after(stretch, [at, "activity"]);
    expect(stretch.phase).toBe("running");
    expect(after(stretch, [60 * MINUTE, "time"])).toMatchObject({ phase: "ended", reason: "max" });
  });

  test("begins anew with activity after an end that time made, and after no other", () => {
    expect(after(running, [60 * MINUTE, "activity"])).toMatchObject({ phase: "running", startedAt: 60 * MINUTE });
    expect(after(running, [1, "end"], [2, "activity"], [3, "resume"])).toMatchObject({
      phase: "ended",
      reason: "manual",
    });
    expect(after(running, [1, "end"], [2, "begin"])).toMatchObject({ phase: "running", startedAt: 2, reason: null });
  });

  test("stays paused by hand whatever a person does, and still ends", () => {
    const held = after(running, [1, "pause"], [2, "activity"]);
    expect(held.phase).toBe("paused");
    expect(after(held, [3, "resume"])).toMatchObject({ phase: "running", activeAt: 3 });
    const over = after(held, [20 * MINUTE, "activity"]);
    expect(over).toMatchObject({ phase: "ended", reason: "idle" });
    expect(after(over, [21 * MINUTE, "resume"]).phase).toBe("running");
  });

  test("a computer that slept through all limits ends it for the first of them", () => {
    expect(after(running, [11 * 24 * 60 * MINUTE, "time"]).reason).toBe("idle");
    const late = after(
      running,
      ...Array.from({ length: 11 }, (_, n): [number, "activity"] => [(n + 1) * 4.9 * MINUTE, "activity"]),
    );
    expect(after(late, [11 * 24 * 60 * MINUTE, "time"]).reason).toBe("max");
  });
});

/** Anything that can happen to a page, with the two clocks moving as they like. */
const happening = fc.record({
  wallMs: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: -1e9, max: 1e9 })),
  pageMs: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 0, max: 4_000_000 })),
  do: fc.constantFrom("event", "event", "event", "activity", "activity", "pause", "resume", "begin", "end", "timer"),
});

describe("no sequence of events", () => {
  test("records past the greatest length, past a pause, or without a beginning; with timers that never come", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 200 }), (happenings) => {
        let wall = 1_700_000_000_000;
        let page = 0;
        const timers: (() => void)[] = [];
        const calls: string[] = [];
        const control = createStretchControl({
          limits,
          elapsed: createElapsed(
            () => wall,
            () => page,
          ),
          setTimer: (run) => timers.push(run),
          clearTimer: () => {},
          onBegin: () => calls.push("begin"),
          onPause: () => calls.push("pause"),
          onResume: () => calls.push("resume"),
          onEnd: () => calls.push("end"),
        });
        // By the page's own clock, which is the one that can't be set.
        let begunAt = 0;
        let activeAt = 0;
        let count = 0;
        for (const { wallMs, pageMs, do: what } of happenings) {
          wall += wallMs;
          page += pageMs;
          if (what === "event") {
            if (!control.isRecording()) continue;
            expect(page - begunAt).toBeLessThan(limits.maxRecordingMs);
            expect(page - activeAt).toBeLessThan(limits.idlePauseMs);
            continue;
          }
          if (what === "timer") timers.at(-1)?.();
          else control.send(what === "end" ? { type: "end", reason: "manual" } : { type: what });
          for (const call of calls.slice(count)) if (call === "begin") begunAt = activeAt = page;
          // A page that says "go on" counts as somebody who does something, also where nothing was paused.
          if (calls.slice(count).includes("resume") || what === "activity" || what === "resume") activeAt = page;
          count = calls.length;
        }
        // Each beginning has its end before the next; pauses lie between.
        expect(calls.join(" ")).toMatch(/^(begin( pause resume)*( pause)? end ?)*(begin( pause resume)*( pause)?)?$/);
      }),
      { numRuns: 1_000 },
    );
  });

  test("lets a page that nobody closes record for eleven days", async () => {
    const time = createFakeTime();
    const lengths: number[] = [];
    let begunAt = 0;
    let isOpen = false;
    const control = createStretchControl({
      limits,
      elapsed: createElapsed(time.now, time.now),
      setTimer: time.setTimer,
      clearTimer: time.clearTimer,
      onBegin() {
        begunAt = time.now();
        isOpen = true;
      },
      onPause: () => (isOpen = false),
      onResume: () => (isOpen = true),
      onEnd() {
        isOpen = false;
        lengths.push(time.now() - begunAt);
      },
    });
    control.send({ type: "begin" });
    let recorded = 0;
    // A clock on the page ticks each minute; somebody clicks now and then, on the first day.
    for (let minute = 0; minute < 11 * 24 * 60; minute++) {
      await time.advance(MINUTE);
      if (minute < 24 * 60 && minute % 4 === 0) control.send({ type: "activity" });
      if (control.isRecording()) recorded++;
      expect(control.isRecording()).toBe(isOpen);
    }
    expect(Math.max(...lengths)).toBeLessThanOrEqual(limits.maxRecordingMs);
    expect(lengths).toHaveLength(Math.ceil((24 * 60) / 60));
    expect(recorded).toBeLessThanOrEqual(24 * 60 + 5);
  }, 60_000);
});

describe("deadline", () => {
  test("is the next moment at which time alone changes something", () => {
    fc.assert(
      fc.property(fc.nat(4_000_000), fc.nat(4_000_000), fc.boolean(), (startedAt, ahead, isPaused) => {
        const stretch: Stretch = {
          ...running,
          startedAt,
          activeAt: startedAt + ahead,
          phase: isPaused ? "paused" : "running",
        };
        const deadline = deadlineOf(stretch, limits)!;
        expect(step(stretch, { type: "time" }, deadline, limits).phase).not.toBe(stretch.phase);
        expect(step(stretch, { type: "time" }, deadline - 1, limits)).toBe(stretch);
      }),
    );
    expect(deadlineOf(NO_STRETCH, limits)).toBeNull();
  });
});

describe("elapsed", () => {
  test("never goes back, and counts the time that either clock counted", () => {
    let [wall, page] = [1_000, 0];
    const elapsed = createElapsed(
      () => wall,
      () => page,
    );
    const readings = (
      [
        [10, 10],
        [-5_000, 20],
        [60_000, 0],
        [0, 0],
      ] as const
    ).map(([wallMs, pageMs]) => {
      wall += wallMs;
      page += pageMs;
      return elapsed();
    });
    expect(readings).toEqual([10, 30, 60_030, 60_030]);
  });
});
