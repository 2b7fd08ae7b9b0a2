import { describe, expect, test } from "vitest";
import type {
  DoctorAnswer,
  Job,
  JobAnswer,
  MaintenanceAnswer,
  PreviewAnswer,
  SentieroOptions,
  SessionList,
} from "../../src/index.ts";
import { KINDS } from "../../src/sessions/kinds.ts";
import { api, batch, createTestSentiero, post } from "../support/sentiero.ts";
import { createInspectedSentiero } from "../support/stored.ts";

const START = Date.UTC(2027, 0, 15, 12);
const HOUR = 3_600_000;

/** Three sessions an hour apart; the second is Ada's, the third is hers too and on the plan "pro". */
async function open(options: SentieroOptions = {}) {
  let now = START;
  const sentiero = createTestSentiero({ clock: () => now, maintenance: false, ...options } as SentieroOptions);
  for (const metadata of [{}, { userId: "ada" }, { userId: "ada", plan: "pro" }]) {
    const index = (now - START) / HOUR;
    await post(sentiero, batch({ sessionId: `session-${index}`, metadata }));
    now += HOUR;
  }
  return { sentiero, later: (ms: number) => (now += ms) };
}

const send = <T>(sentiero: Parameters<typeof api>[0], path: string, body: unknown) =>
  api<T>(sentiero, `/maintenance${path}`, { method: "POST", body: JSON.stringify(body) });

async function idsOf(sentiero: Parameters<typeof api>[0]): Promise<string[]> {
  return (await api<SessionList>(sentiero, "/sessions")).body.sessions.map(({ id }) => id).toSorted();
}

async function finish(sentiero: Parameters<typeof api>[0]): Promise<void> {
  while (!(await sentiero.maintain()));
}

describe("a preview", () => {
  test.each([
    [{ to: START + HOUR - 1 }, 1],
    [{ from: START + HOUR, to: START + 2 * HOUR }, 2],
    [{ user: "ada" }, 2],
    [{ user: "Ada" }, 0],
    [{ metadata: { plan: "pro" } }, 1],
    [{ user: "ada", to: START + HOUR }, 1],
    [{ ids: ["session-0", "session-2", "nobody"] }, 2],
    [{ ids: ["session-0"], user: "ada" }, 0],
  ])("of %j counts what is meant", async (selection, sessions) => {
    const { sentiero } = await open();
    const { status, body } = await send<PreviewAnswer>(sentiero, "/preview", { selection });
    expect([status, body.sessions, body.isComplete]).toEqual([200, sessions, true]);
  });
});

describe("a job", () => {
  test("removes what was selected, tells how far it is, and forgets whom it was about", async () => {
    const { sentiero } = await open();
    const { status, body } = await send<JobAnswer>(sentiero, "/jobs", {
      kind: "erase",
      selection: { user: "ada" },
      confirm: "erase",
    });
    expect([status, body.job.state, body.job.total]).toEqual([202, "running", 2]);
    await finish(sentiero);
    const { job } = (await api<JobAnswer>(sentiero, `/maintenance/jobs/${body.job.id}`)).body;
    expect(job).toMatchObject({ state: "done", changed: 2, selection: null, error: null });
    expect(await idsOf(sentiero)).toEqual(["session-0"]);
    expect((await post(sentiero, batch({ sessionId: "session-1" }))).status).toBe(410);
    const usage = (await api<MaintenanceAnswer>(sentiero, "/maintenance")).body.usage.total;
    expect(usage.sessions).toBe(1);
  });

  test("that runs keeps another from beginning, and can be cancelled", async () => {
    const { sentiero } = await open();
    const ask = { kind: "purge", selection: { to: START }, confirm: "purge" };
    const { job } = (await send<JobAnswer>(sentiero, "/jobs", ask)).body;
    expect((await send(sentiero, "/jobs", ask)).status).toBe(409);
    const cancelled = (await send<JobAnswer>(sentiero, `/jobs/${job.id}/cancel`, {})).body.job;
    expect(cancelled).toMatchObject({ state: "cancelled", selection: null });
    await finish(sentiero);
    expect(await idsOf(sentiero)).toHaveLength(3);
    expect((await send(sentiero, "/jobs", ask)).status).toBe(202);
  });

  test("goes on in another process after a crash", async () => {
    const { sentiero, later } = await open();
    await send(sentiero, "/jobs", { kind: "erase", selection: { user: "ada" }, confirm: "erase" });
    const { ports } = sentiero.store;
    // The lease of a process that died in the middle of a step.
    await ports.documents.put(
      "main/leases",
      "maintenance",
      { v: 1, owner: "dead" },
      {
        score: START + 3 * HOUR + 60_000,
        expectedVersion: (await ports.documents.get("main/leases", "maintenance"))?.version ?? 0,
      },
    );
    await finish(sentiero);
    expect(await idsOf(sentiero)).toHaveLength(3);
    later(61_000);
    await finish(sentiero);
    expect(await idsOf(sentiero)).toEqual(["session-0"]);
  });

  test.each([
    ["no selection", { kind: "erase", selection: {}, confirm: "erase" }],
    ["no confirmation", { kind: "erase", selection: { user: "ada" }, confirm: "yes" }],
    ["an unknown kind", { kind: "explode", selection: { user: "ada" }, confirm: "explode" }],
    ["an unknown field", { kind: "erase", selection: { users: "ada" }, confirm: "erase" }],
    ["hostile ids", { kind: "erase", selection: { ids: ["../x"] }, confirm: "erase" }],
    ["too many ids", { kind: "erase", selection: { ids: Array(1001).fill("a") }, confirm: "erase" }],
    ["a time that is none", { kind: "purge", selection: { to: "tomorrow" }, confirm: "purge" }],
    ["nothing", null],
  ])("is refused with %s, and changes nothing", async (_, body) => {
    const { sentiero } = await open();
    expect((await send(sentiero, "/jobs", body)).status).toBe(400);
    await finish(sentiero);
    expect(await idsOf(sentiero)).toHaveLength(3);
  });

  test("from another site is refused", async () => {
    const { sentiero } = await open();
    const answer = await api(sentiero, "/maintenance/jobs", {
      method: "POST",
      headers: { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
      body: JSON.stringify({ kind: "erase", selection: { user: "ada" }, confirm: "erase" }),
    });
    expect(answer.status).toBe(403);
  });
});

test("retention can be run at once, and is refused where none is set", async () => {
  const without = await open();
  expect((await send(without.sentiero, "/run", { task: "retention" })).status).toBe(400);
  const { sentiero, later } = await open({ retentionDays: 1 });
  later(22.5 * HOUR);
  expect((await send<{ job: Job }>(sentiero, "/run", { task: "retention" })).body.job.origin).toBe("retention");
  await finish(sentiero);
  expect(await idsOf(sentiero)).toEqual(["session-2"]);
});

test("the doctor says what is wrong and what to do", async () => {
  const { sentiero } = await open();
  const { body } = await api<DoctorAnswer>(sentiero, "/maintenance/doctor");
  expect(body.notices.map(({ remedy }) => remedy).join()).toContain("retentionDays");
  await sentiero.store.ports.blobs.removeAll("batches:main:session-2:");
  const second = (await api<DoctorAnswer>(sentiero, "/maintenance/doctor")).body.notices;
  expect(second.filter(({ level }) => level === "error")).toMatchObject([{ what: expect.stringContaining("1 of 3") }]);
});

test("a person's export holds every upload of theirs, settled or not, nobody else's, and says when it is whole", async () => {
  const { sentiero, later } = await open();
  for (let seq = 0; seq < 3; seq++) {
    const events = [{ type: 3, data: { secret: `words ${seq}` }, timestamp: START + seq }];
    await post(sentiero, batch({ sessionId: "session-1", run: "a".repeat(24), seq, events }));
  }
  const read = async () => {
    const response = await sentiero.fetch(new Request("http://localhost/sentiero/api/maintenance/export?user=ada"));
    expect(response.headers.get("content-disposition")).toContain("attachment");
    return (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const before = await read();
  expect(before.map(({ type }) => type)).toEqual([
    "export",
    "session",
    "batch",
    "session",
    "batch",
    "batch",
    "batch",
    "batch",
    "end",
  ]);
  expect(JSON.stringify(before)).toContain("words 2");
  expect(JSON.stringify(before)).not.toContain("session-0");
  later(3 * HOUR);
  await finish(sentiero);
  const settled = await read();
  const batches = (lines: Record<string, unknown>[]) =>
    lines
      .filter(({ type }) => type === "batch")
      .map((line) => JSON.stringify(line))
      .toSorted();
  expect(batches(settled)).toEqual(batches(before));
});

test("sessions that have ended are settled by maintenance, the others are left", async () => {
  const { sentiero, later } = await open();
  later(-35 * 60_000);
  await finish(sentiero);
  const { sessions } = (await api<SessionList>(sentiero, "/sessions")).body;
  expect(sessions.map(({ id, state }) => [id, state])).toEqual([
    ["session-2", "idle"],
    ["session-1", "settled"],
    ["session-0", "settled"],
  ]);
});

test("everything that is ever written is of a registered kind", async () => {
  const { sentiero, storage, blobs } = createInspectedSentiero({ maintenance: false, retentionDays: 1 });
  for (let seq = 0; seq < 150; seq++) {
    await post(sentiero, batch({ run: "a".repeat(24), seq, metadata: { userId: "ada" } }));
  }
  await sentiero.store.sessions.settle("session-1");
  await send(sentiero, "/jobs", { kind: "erase", selection: { ids: ["nobody"] }, confirm: "erase" });
  await finish(sentiero);
  expect(storage).toBeDefined();
  const kinds = KINDS.filter(({ stored }) => stored === "blobs").map(({ name }) => name);
  for (const { key } of blobs()) expect(kinds).toContain(key.split(":")[0]);
});
