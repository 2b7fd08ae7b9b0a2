import { randomBytes } from "node:crypto";
import type { Batch, RecordedEvent } from "../src/types.ts";

export const EVENTS_PER_BATCH = 50;

/** Every so manieth batch begins with a full snapshot. */
export const BIG_EVERY = 10;

const SNAPSHOT_BYTES = 200 * 1024;

/**
 * Batches as our recorder sends them, of `visits` new sessions, in the order of a busy server: each session's next
 * batch follows after one of every other session. What is in them is the same each time, but for ids and times.
 */
export function* makeBatches(visits: number, batchesPerVisit: number): Generator<Batch> {
  const random = createRandom(7);
  const startedAt = Date.now();
  const people = Array.from({ length: visits }, () => ({
    sessionId: hex(16),
    windowId: hex(16),
    run: hex(12),
    key: hex(16),
  }));
  let index = 0;
  for (let seq = 0; seq < batchesPerVisit; seq++) {
    for (const { sessionId, windowId, run, key } of people) {
      const at = startedAt + seq * 10_000;
      const isBig = index++ % BIG_EVERY === 0;
      yield {
        sessionId,
        windowId,
        ...(seq === 0 ? { metadata: METADATA } : {}),
        run,
        seq,
        sentAt: at + 10_000,
        key,
        recorder: "0.1.0",
        // Last, as the recorder has it.
        events: makeEvents(random, at, isBig),
      };
    }
  }
}

const METADATA = {
  url: "https://shop.example/garden/chairs",
  referrer: "https://search.example/",
  userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  viewport: "1440x900",
};

type Random = (below: number) => number;

function makeEvents(random: Random, at: number, isBig: boolean): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  if (isBig) {
    events.push({
      type: 4,
      data: { href: "https://shop.example/garden/chairs", width: 1440, height: 900 },
      timestamp: at,
    });
    events.push({ type: 2, data: makeSnapshot(random), timestamp: at + 5 });
  }
  while (events.length < EVENTS_PER_BATCH) events.push(makeEvent(random, at + 20 + events.length * 190));
  return events;
}

/** What visitors do, in about the shares that they do it. */
function makeEvent(random: Random, timestamp: number): RecordedEvent {
  const kind = random(100);
  const id = 20 + random(900);
  if (kind < 40) {
    const positions = Array.from({ length: 5 }, (_, step) => ({
      x: random(1440),
      y: random(900),
      id: 20 + random(900),
      timeOffset: step * 50 - 200,
    }));
    return { type: 3, data: { source: 1, positions }, timestamp };
  }
  if (kind < 65) return { type: 3, data: makeMutation(random), timestamp };
  if (kind < 80) return { type: 3, data: { source: 3, id, x: 0, y: random(9000) }, timestamp };
  if (kind < 92)
    return { type: 3, data: { source: 2, type: random(7), id, x: random(1440), y: random(900) }, timestamp };
  return { type: 3, data: { source: 5, text: "*".repeat(random(20)), isChecked: false, id }, timestamp };
}

function makeMutation(random: Random): Record<string, unknown> {
  const parentId = 20 + random(900);
  const id = 1000 + random(90_000);
  return {
    source: 0,
    texts: [{ id: 20 + random(900), value: sentence(random, 4) }],
    attributes: [{ id: 20 + random(900), attributes: { class: `card card--${word(random)} is-open` } }],
    removes: [{ parentId, id: 20 + random(900) }],
    adds: [
      {
        parentId,
        nextId: null,
        node: {
          type: 2,
          tagName: "li",
          attributes: { class: "row", "data-sku": String(random(1e6)) },
          childNodes: [],
          id,
        },
      },
      { parentId: id, nextId: null, node: { type: 3, textContent: sentence(random, 6), id: id + 1 } },
    ],
  };
}

/** A page of nested elements with text, as large as asked. */
function makeSnapshot(random: Random): Record<string, unknown> {
  let id = 10;
  let bytes = 0;
  const cards: unknown[] = [];
  while (bytes < SNAPSHOT_BYTES) {
    const card = {
      type: 2,
      tagName: "article",
      attributes: {
        class: `card card--${word(random)}`,
        "data-sku": String(random(1e6)),
        style: `order: ${random(50)}`,
      },
      childNodes: [
        element("h3", { class: "card__title" }, sentence(random, 4)),
        element("p", { class: "card__text" }, sentence(random, 14)),
        element("a", { class: "button", href: `https://shop.example/items/${random(1e6)}` }, sentence(random, 2)),
      ],
      id: id++,
    };
    bytes += JSON.stringify(card).length + 1;
    cards.push(card);
  }
  const body = { type: 2, tagName: "body", attributes: {}, childNodes: cards, id: 4 };
  const html = { type: 2, tagName: "html", attributes: { lang: "en" }, childNodes: [body], id: 3 };
  return { node: { type: 0, childNodes: [html], id: 1 }, initialOffset: { left: 0, top: 0 } };

  function element(tagName: string, attributes: Record<string, string>, text: string): unknown {
    const childNodes = [{ type: 3, textContent: text, id: id++ }];
    return { type: 2, tagName, attributes, childNodes, id: id++ };
  }
}

const SYLLABLES = ["ba", "chi", "do", "fer", "gu", "lan", "mi", "nor", "pe", "qua", "ris", "sto", "ta", "ven", "zu"];

function word(random: Random): string {
  return Array.from({ length: 1 + random(3) }, () => SYLLABLES[random(SYLLABLES.length)]).join("");
}

function sentence(random: Random, words: number): string {
  return Array.from({ length: words }, () => word(random)).join(" ");
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}

/** Whole numbers from 0, the same ones for the same seed (mulberry32). */
function createRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
