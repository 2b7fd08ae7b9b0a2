import type { Gap } from "../src/types.ts";

/** Name of the database; who forgets a visitor deletes it. */
export const UNSENT_DATABASE = "sentiero_unsent";

const MAX_BYTES = 4_000_000;
const MAX_BATCHES = 50;
const MAX_AGE_MS = 86_400_000;
/** A page holds what it keeps for this long, or until it is left; then another page may send it. */
const HOLD_MS = 300_000;
/** A browser that doesn't answer must not keep a page from sending. */
const ANSWER_WITHIN_MS = 2_000;

/** An upload as it is kept. */
export interface KeptBatch {
  /** `run/seq`. */
  readonly id: string;
  /** JSON, or gzip of it: the same bytes are the same upload to the server. */
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** What has to be declared if it is never sent: its own events, and what it declares itself. */
  readonly gaps: readonly Gap[];
}

/** What earlier pages have left. */
export interface Unsent {
  readonly batches: readonly KeptBatch[];
  /** Of what was too old, or gave way to newer uploads. */
  readonly gaps: readonly Gap[];
  /** Every upload that needs no declaring: here, with another page, or in `gaps`. */
  readonly ids: readonly string[];
}

/** Uploads that outlive their page. No method throws or rejects; where the browser keeps nothing, nothing is kept. */
export interface UnsentStore {
  /** Takes over what no other page holds, oldest first. It stays there until it is removed. */
  take(): Promise<Unsent>;
  /** Keeps uploads, in the order of their age; `isFree` when the page is left, and any other may take them from now on. */
  keep(batches: readonly KeptBatch[], isFree: boolean): void;
  remove(id: string): void;
  /** Deletes everything, also what other pages keep, and keeps nothing any more. */
  clear(): void;
}

/** What is known of a kept upload without reading it. Times are epoch ms. */
interface Row {
  readonly id: string;
  readonly keptAt: number;
  readonly heldUntil: number;
  readonly bytes: number;
  readonly gaps: readonly Gap[];
  /** Of the evicted. */
  readonly ids?: readonly string[];
}

/** Row of the gaps that evicted uploads leave. */
const EVICTED = "evicted";
/** Evicted uploads that are remembered by name, and those whose gaps name them. */
const MAX_EVICTED_IDS = 200;
const MAX_NAMED_GAPS = 16;

const NOTHING: Unsent = { batches: [], gaps: [], ids: [] };

/** Opens the store in IndexedDB, shared by all pages of the origin: at most 50 uploads of 4 MB in all, for 24 hours. */
export function createUnsentStore(
  factory: () => IDBFactory = () => indexedDB,
  now = (): number => Date.now(),
): UnsentStore {
  const opening = open(factory);
  /** What this page has there. */
  const kept = new Map<string, Pick<Row, "keptAt" | "bytes">>();
  let isCleared = false;
  // Put at once when it is open: a page that is left has no time for another turn.
  let database: IDBDatabase | null = null;
  void opening.then((opened) => {
    if (isCleared) opened?.close();
    else database = opened;
  });

  function change<T>(run: (rows: IDBObjectStore, bodies: IDBObjectStore) => Promise<T> | void): Promise<T | void> {
    return new Promise((resolve) => {
      const begin = (): void => {
        try {
          if (!database) return resolve();
          const transaction = database.transaction(["rows", "bodies"], "readwrite", { durability: "relaxed" });
          transaction.addEventListener("abort", () => resolve());
          const result = run(transaction.objectStore("rows"), transaction.objectStore("bodies"));
          result?.catch(resolve);
          transaction.addEventListener("complete", () => resolve(result ?? undefined));
        } catch {
          // Closed by another page that deletes it.
          resolve();
        }
      };
      if (database) begin();
      else void opening.then(begin);
    });
  }

  async function takeAll(rows: IDBObjectStore, bodies: IDBObjectStore): Promise<Unsent> {
    await makeRoom(rows, bodies);
    const at = now();
    const batches: KeptBatch[] = [];
    const gaps: Gap[] = [];
    const ids: string[] = [];
    for (const row of sorted(await toPromise<Row[]>(rows.getAll()))) {
      ids.push(row.id, ...(row.ids ?? []));
      const isOver = row.id === EVICTED || Math.abs(at - row.keptAt) > MAX_AGE_MS;
      if (isOver) {
        gaps.push(...row.gaps);
        drop(rows, bodies, row.id);
      } else if (row.heldUntil <= at || row.heldUntil > at + 2 * HOLD_MS) {
        // Nobody has it, or somebody whose clock was wrong.
        const body = await toPromise<KeptBatch["body"] | undefined>(bodies.get(row.id));
        if (body === undefined) {
          // Another page has sent it, and this one kept it once more.
          rows.delete(row.id);
          continue;
        }
        rows.put({ ...row, heldUntil: at + HOLD_MS } satisfies Row);
        kept.set(row.id, row);
        batches.push({ id: row.id, body, gaps: row.gaps });
      }
    }
    return { batches, gaps, ids };
  }

  return {
    async take() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, ANSWER_WITHIN_MS));
      return (await Promise.race([change(takeAll), late])) ?? NOTHING;
    },
    keep(batches, isFree) {
      const at = now();
      const changed = batches.map(({ id, body, gaps }) => {
        const known = kept.get(id);
        const bytes = typeof body === "string" ? body.length : body.byteLength;
        // Its age goes on: what is kept is gone after a day, however often it is kept again.
        const row: Row = { id, keptAt: known?.keptAt ?? at, heldUntil: isFree ? 0 : at + HOLD_MS, bytes, gaps };
        kept.set(id, row);
        return { row, body: known?.bytes === bytes ? null : body };
      });
      void change((rows, bodies) => {
        for (const { row, body } of changed) {
          rows.put(row);
          if (body !== null) bodies.put(body, row.id);
        }
        // Else it would wait for callbacks, which a page that is left doesn't get, and be undone.
        rows.transaction.commit?.();
      });
      // So would everything behind this; who takes makes room as well.
      if (!isFree) void change(makeRoom);
    },
    remove(id) {
      if (!kept.delete(id)) return;
      void change((rows, bodies) => drop(rows, bodies, id));
    },
    clear() {
      isCleared = true;
      database?.close();
      database = null;
      try {
        factory().deleteDatabase(UNSENT_DATABASE);
      } catch {
        // Then nothing was kept.
      }
    },
  };
}

/** The oldest go; what they leave to be declared is written down for the next page. */
async function makeRoom(rows: IDBObjectStore, bodies: IDBObjectStore): Promise<void> {
  const all = sorted(await toPromise<Row[]>(rows.getAll()));
  const batches = all.filter((row) => row.id !== EVICTED);
  const evicted = all.find((row) => row.id === EVICTED);
  const ids = [...(evicted?.ids ?? [])];
  let lost = evicted?.gaps ?? [];
  let bytes = batches.reduce((sum, row) => sum + row.bytes, 0);
  let count = batches.length;
  for (const row of batches) {
    if (bytes <= MAX_BYTES && count <= MAX_BATCHES) break;
    bytes -= row.bytes;
    count--;
    lost = toOverflow([...lost, ...row.gaps]);
    ids.push(row.id);
    drop(rows, bodies, row.id);
    const named = ids.slice(-MAX_EVICTED_IDS);
    rows.put({ id: EVICTED, keptAt: row.keptAt, heldUntil: 0, bytes: 0, gaps: lost, ids: named } satisfies Row);
  }
}

/** The newest keep the names of their uploads; the others become one. */
function toOverflow(gaps: readonly Gap[]): Gap[] {
  const reason = "overflow";
  const named = gaps.filter(({ run }) => run !== undefined).slice(-MAX_NAMED_GAPS);
  const others = gaps.filter((gap) => !named.includes(gap));
  const kept = named.map((gap) => ({ ...gap, reason }) satisfies Gap);
  if (others.length === 0) return kept;
  const joined: Gap = {
    reason,
    events: others.reduce((sum, gap) => sum + gap.events, 0),
    from: Math.min(...others.map((gap) => gap.from)),
    to: Math.max(...others.map((gap) => gap.to)),
  };
  return [joined, ...kept];
}

function sorted(rows: Row[]): Row[] {
  return rows.sort((a, b) => a.keptAt - b.keptAt);
}

function drop(rows: IDBObjectStore, bodies: IDBObjectStore, id: string): void {
  rows.delete(id);
  bodies.delete(id);
}

/** Null where the browser has none or refuses it. */
async function open(factory: () => IDBFactory): Promise<IDBDatabase | null> {
  try {
    const request = factory().open(UNSENT_DATABASE, 1);
    request.addEventListener("upgradeneeded", () => {
      request.result.createObjectStore("rows", { keyPath: "id" });
      request.result.createObjectStore("bodies");
    });
    const database = await toPromise<IDBDatabase>(request);
    // Who deletes the database must not have to wait for this page.
    database.addEventListener("versionchange", () => database.close());
    return database;
  } catch {
    return null;
  }
}

function toPromise<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result as T));
    request.addEventListener("error", (event) => {
      event.preventDefault();
      reject(request.error!);
    });
  });
}
