import { expect, test } from "vitest";
import { createPersonExport } from "../../src/maintenance/person-export.ts";
import { KINDS } from "../../src/sessions/kinds.ts";
import type { Store } from "../../src/storage/store.ts";
import type { Batch, Selection } from "../../src/types.ts";
import { createHouse, keys, readKeys } from "../support/house.ts";
import { intercept, openMemoryStore, platform } from "../support/stores.ts";

const START = Date.UTC(2027, 0, 15, 12);
const HOUR = 3_600_000;

type Line = Record<string, unknown> & { readonly type: string };

const clock = () => START + HOUR;

async function exported(store: Store, selection: Selection): Promise<Line[]> {
  const lines = createPersonExport(store, { project: "main", platform, clock })(selection);
  const text = await new Response(lines).text();
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

/** 120 sessions of two people, of three batches each in two windows. */
async function fill(store: Store) {
  let now = START;
  const house = createHouse(store, () => now);
  for (let session = 0; session < 120; session++) {
    for (let seq = 0; seq < 3; seq++) {
      const batch: Batch = {
        sessionId: `session-${session}`,
        windowId: `window-${seq % 2}`,
        run: "a".repeat(24),
        seq,
        metadata: { userId: session % 2 ? "bob" : "ada" },
        events: [{ type: 3, data: { said: `${session}/${seq}` }, timestamp: now }],
      };
      await house.append(batch);
      now += 10;
    }
  }
  return house;
}

const said = (lines: readonly Line[]) =>
  lines
    .filter(({ type }) => type === "batch")
    .map(({ events }) => (events as Batch["events"])[0]!.data as { said: string });

test("holds every upload of a person on every page of the selection, and nothing of anybody else", async () => {
  const { store } = openMemoryStore();
  const house = await fill(store);
  for (let session = 0; session < 40; session++) await house.sessions.settle(`session-${session}`);
  const lines = await exported(store, { user: "ada" });
  expect(lines[0]).toEqual({ type: "export", format: 1, exportedAt: clock(), selectedBy: ["user"] });
  expect(lines.at(-1)).toEqual({ type: "end", sessions: 60, batches: 180, events: 180, unreadable: 0, complete: true });
  const wanted = Array.from({ length: 60 }, (_, index) => [0, 1, 2].map((seq) => `${2 * index}/${seq}`)).flat();
  expect(
    said(lines)
      .map(({ said }) => said)
      .toSorted(),
  ).toEqual(wanted.toSorted());
  expect(lines.filter(({ type }) => type === "session")).toHaveLength(60);
});

test("says when something could not be read", async () => {
  const { store } = openMemoryStore();
  await fill(store);
  const [broken, gone] = await readKeys(store, "batches:main:session-4:");
  for (const key of [broken!, gone!]) await store.blobs.remove(key);
  await store.blobs.create(broken!, new Uint8Array([1]));
  const lines = await exported(store, { ids: ["session-4"] });
  expect(lines.filter(({ type }) => type === "unreadable").map(({ key }) => key)).toEqual([broken, gone]);
  expect(lines.at(-1)).toMatchObject({ batches: 1, unreadable: 2, complete: false });
});

test("holds a batch that no document names yet", async () => {
  const { store } = openMemoryStore();
  await fill(store);
  const { doc, score, version } = (await store.documents.get<{ windows: unknown[] }>(keys.sessions, "session-4"))!;
  const changed = { ...doc, windows: doc.windows.slice(1) };
  await store.documents.put(keys.sessions, "session-4", changed, { score, expectedVersion: version });
  expect(said(await exported(store, { ids: ["session-4"] }))).toHaveLength(3);
});

test("is whole when the session is settled meanwhile, and ends when it is erased", async () => {
  for (let moment = 0; ; moment++) {
    for (const change of ["settle", "erase"] as const) {
      const { store } = openMemoryStore();
      const house = await fill(store);
      let calls = 0;
      let isReached = false;
      const around = async (_: string, __: readonly unknown[], call: () => unknown): Promise<unknown> => {
        if (calls++ === moment) {
          isReached = true;
          await house.sessions[change]("session-4");
        }
        return call();
      };
      const busy = { documents: intercept(store.documents, around), blobs: intercept(store.blobs, around) };
      const lines = await exported({ ...store, ...busy }, { ids: ["session-4"] });
      if (!isReached) return;
      expect(lines.at(-1)).toMatchObject({ type: "end", complete: true });
      if (change === "settle") expect(said(lines)).toHaveLength(3);
    }
  }
});

test("refuses to work when a kind of a session's data is not known to it", () => {
  const { store } = openMemoryStore();
  const open = () => createPersonExport(store, { project: "main", platform, clock });
  expect(open).not.toThrow();
  const kinds = KINDS as { name: string; stored: "blobs"; of: "session" }[];
  kinds.push({ name: "heatmaps", stored: "blobs", of: "session" });
  try {
    expect(open).toThrow("nobody exports the kind heatmaps");
  } finally {
    kinds.pop();
  }
});
