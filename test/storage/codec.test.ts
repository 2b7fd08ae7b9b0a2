import { expect, test } from "vitest";
import type { Codec, RecordedEvent, SessionAnswer } from "../../src/index.ts";
import { api, batch, post } from "../support/sentiero.ts";
import { createInspectedSentiero } from "../support/stored.ts";

/** Turns every byte around, under a key per session; a key that was thrown away opens nothing. */
function createTestCodec(thrownAway: Set<string> = new Set()): Codec & { contexts: Set<string> } {
  const contexts = new Set<string>();
  const turn = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0xa5);
  return {
    contexts,
    encode(bytes, { project, session, kind }) {
      contexts.add(`${project}/${session}/${kind}`);
      return turn(bytes);
    },
    decode(bytes, { session }) {
      if (thrownAway.has(session)) throw new Error("the key of this session is gone");
      return turn(bytes);
    },
  };
}

const events: RecordedEvent[] = [
  { type: 4, data: { href: "https://a.example/secret-page", width: 800, height: 600 }, timestamp: 1000 },
  { type: 3, data: { text: "secret words" }, timestamp: 2000 },
];
const secretBatch = (seq: number) =>
  batch({ run: "a".repeat(24), seq, events, metadata: { plan: "secret-plan", userId: "ada-secret" } });

test("everything that was recorded goes through the codec, and comes back as it was", async () => {
  const codec = createTestCodec();
  const { sentiero, everything } = createInspectedSentiero({ codec, maintenance: false });
  for (let seq = 0; seq < 3; seq++) expect((await post(sentiero, secretBatch(seq))).status).toBe(200);
  const read = async () => [
    (await api<SessionAnswer>(sentiero, "/sessions/session-1")).body.session.metadata,
    (await api<unknown[]>(sentiero, "/sessions/session-1/windows/window-1/events")).body,
  ];
  const before = await read();
  const shown = [{ ...events[0], data: { href: "https://a.example/secret-page", width: 800, height: 600 } }, events[1]];
  expect(before).toEqual([{ plan: "secret-plan", userId: "ada-secret" }, [...shown, ...shown, ...shown]]);
  expect(everything()).not.toContain("secret");
  const page = await sentiero.store.sessions.list({ limit: 5 });
  expect(page.sessions[0]).toMatchObject({ entryUrl: "https://a.example/secret-page" });
  expect([...codec.contexts].toSorted()).toEqual(["main/session-1/batches", "main/session-1/sessions"]);
});

test("a session settles under its codec, and a key that is thrown away shuts it alone", async () => {
  const thrownAway = new Set<string>();
  let now = 1_800_000_000_000;
  const options = { codec: createTestCodec(thrownAway), maintenance: false, clock: () => now };
  const { sentiero, everything, errors } = createInspectedSentiero(options);
  for (const sessionId of ["session-1", "session-2"]) {
    for (let seq = 0; seq < 2; seq++) await post(sentiero, { ...secretBatch(seq), sessionId });
  }
  now += 3_600_000;
  for (const id of ["session-1", "session-2"]) expect(await sentiero.store.sessions.settle(id)).toBe(true);
  expect(everything()).not.toContain("secret");
  thrownAway.add("session-1");
  expect((await api(sentiero, "/sessions/session-1")).status).toBe(500);
  expect(errors).toHaveLength(1);
  expect((await api<unknown[]>(sentiero, "/sessions/session-2/windows/window-1/events")).body).toHaveLength(4);
});
