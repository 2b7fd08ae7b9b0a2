import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStorage, type Storage } from "unstorage";
import { onTestFinished } from "vitest";
import { nodePlatform } from "../../adapters/node.ts";
import { openStorage } from "../../src/cli/storage.ts";
import { createWebPlatform, type Platform } from "../../src/platform.ts";
import type { BatchDigest } from "../../src/sessions/digest.ts";
import type { SessionDocument } from "../../src/sessions/document.ts";
import { createScrub } from "../../src/sessions/scrub.ts";
import { createSessions, type Sessions, type SessionsOptions } from "../../src/sessions/sessions.ts";
import { createUsage } from "../../src/sessions/usage.ts";
import type { SqliteClient } from "../../src/storage/sqlite-connection.ts";
import { openStore } from "../../src/storage/open.ts";
import type { Store } from "../../src/storage/store.ts";
import { createUpdater, putAfterBlobs } from "../../src/storage/update.ts";

/** What the CLI runs on. */
export const platform: Platform = Object.assign(createWebPlatform(), nodePlatform);

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sentiero-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store over memory, with its storage. */
export function openMemoryStore(maxMemoryBytes = 1 << 30): { store: Store; storage: Storage } {
  const storage = createStorage();
  return { storage, store: openStore(storage, { platform, maxMemoryBytes, warn: () => {} }) };
}

/** A store over a SQLite file, opened as the CLI does. */
export async function openSqliteStore(file = join(temporaryFolder(), "test.sqlite")): Promise<{
  store: Store;
  storage: Storage;
  client: SqliteClient;
  file: string;
}> {
  const storage = await openStorage(`sqlite:${file}`);
  onTestFinished(() => storage.dispose());
  const store = openStore(storage, { platform, maxMemoryBytes: 1, warn: () => {} });
  const { driver } = storage.getMount("");
  const client = (driver.getInstance!() as { getInstance(): SqliteClient }).getInstance();
  return { store, storage, client, file };
}

/** Sessions over a store, by a clock that stands still. */
export function openSessions(store: Store, options: Partial<SessionsOptions> = {}): Sessions {
  const { update } = createUpdater(store.documents, store.putWithBlobs ?? putAfterBlobs(store));
  const clock = options.clock ?? (() => 1_800_000_000_000);
  return createSessions(store, {
    project: "main",
    platform,
    clock,
    update,
    usage: createUsage(store.documents, update, { project: "main", clock }),
    scrub: createScrub(store, { project: "main", clock, update, onError: console.error }),
    bindSessions: true,
    sessionMaxAgeMs: 604_800_000,
    lateAfterMs: 604_800_000,
    limits: { maxEventsPerSession: undefined, maxBytesPerSession: undefined },
    ...options,
  });
}

/** The session document as it is stored. */
export async function readDocument(store: Store, id = "session-1"): Promise<SessionDocument | null> {
  return (await store.documents.get<SessionDocument>("main/sessions", id))?.doc ?? null;
}

/** The digest of a batch with one event; the hash tells run and number, unless given. */
export function createDigest(fields: Partial<BatchDigest> = {}): BatchDigest {
  const run = fields.run ?? "a".repeat(24);
  const seq = fields.seq ?? 0;
  const at = 1_700_000_000_000 + Math.max(seq, 0) * 1000;
  return {
    sessionId: "session-1",
    windowId: "window-1",
    run,
    seq,
    hash: hashOf(`${fields.windowId}/${run}/${seq}`),
    keyHash: null,
    userTerm: null,
    receivedAt: 1_800_000_000_000,
    first: at,
    last: at + 900,
    events: 1,
    clicks: 0,
    pages: 0,
    bytes: 100,
    hasFullSnapshot: false,
    skew: null,
    client: null,
    entryPage: null,
    lastPage: null,
    metadata: {},
    gaps: [],
    ...fields,
  };
}

/** 24 hex digits of a text. */
export function hashOf(text: string): string {
  return (platform.sha256(text) as string).slice(0, 24);
}

/** The methods of an object, each going through `around` first. */
export function intercept<T extends object>(
  target: T,
  around: (name: string, args: readonly unknown[], call: () => unknown) => unknown,
): T {
  return new Proxy(target, {
    get(object, name, receiver) {
      const value: unknown = Reflect.get(object, name, receiver);
      if (typeof value !== "function" || typeof name !== "string") return value;
      return (...args: unknown[]) => around(name, args, () => Reflect.apply(value, object, args) as unknown);
    },
  });
}
