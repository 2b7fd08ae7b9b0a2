import fc from "fast-check";
import type { BatchDigest } from "../../src/sessions/digest.ts";
import type { Client, Page } from "../../src/sessions/document.ts";
import type { Gap } from "../../src/types.ts";
import { createDigest, hashOf } from "./stores.ts";

/** Text as a hostile recorder may send it: escapes count double or six times as JSON. */
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ maxLength: 12 }),
    fc
      .tuple(fc.constantFrom("a", '"', "\\", "\u0001", "é", "\ud800"), fc.integer({ min: 0, max: maxLength }))
      .map(([char, length]) => char.repeat(length)),
  );

/** Of an event, as the digest reads it: 0 stands for none. */
const eventTime = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.constantFrom(1_700_000_000_000.1235, 1.2345678901234568e-300, 1.7976931348623157e308),
);

const time = fc.oneof(eventTime, fc.constantFrom(-1, -1.2345678901234568e-300, -1.7976931348623157e308));

const page: fc.Arbitrary<Page> = fc.record({
  at: time,
  href: text(512),
  width: fc.constantFrom(0, 800, 999_999),
  height: fc.constantFrom(0, 600),
});

const nameless: fc.Arbitrary<Gap> = fc.record({
  reason: fc.constantFrom("overflow", "rejected", "network", "unload"),
  events: fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER),
  from: time,
  to: time,
});

/** Some name an upload, of any window. */
function gapOf({ runs, maxSeq }: Pick<Scope, "runs" | "maxSeq">): fc.Arbitrary<Gap> {
  const name = fc.record({
    run: fc.constantFrom(...runs.filter(Boolean)),
    seq: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: maxSeq }) }, fc.constant(Number.MAX_SAFE_INTEGER)),
  });
  return fc.oneof(
    nameless,
    fc.tuple(nameless, name).map(([gap, named]) => ({ ...gap, ...named })),
  );
}

const client: fc.Arbitrary<Client> = fc.record({
  browser: fc.constantFrom("Chrome", "Other"),
  device: fc.constantFrom("Desktop", "Mobile"),
  os: fc.constantFrom("Linux", "Other"),
  at: time,
});

/** As `redact.ts` lets it pass: 50 keys of 128 characters, values of 1,024. */
const metadata: fc.Arbitrary<BatchDigest["metadata"]> = fc.dictionary(
  fc.oneof(fc.constantFrom("a", "b", "c", "m", "z", "__proto__", "url"), text(128)),
  fc.oneof(text(1024), fc.integer(), fc.boolean()),
  { maxKeys: 50, size: "max" },
);

interface Scope {
  readonly windowIds: readonly string[];
  readonly runs: readonly string[];
  readonly maxSeq: number;
}

/** One batch of a session. What it holds is decided by its name and its hash, as in the real house. */
export function digests({ windowIds, runs, maxSeq }: Scope): fc.Arbitrary<BatchDigest> {
  return fc
    .record({
      windowId: fc.constantFrom(...windowIds),
      run: fc.constantFrom(...runs),
      number: fc.integer({ min: 0, max: maxSeq }),
      variant: fc.integer({ min: 0, max: 2 }),
      receivedAt: fc.integer({ min: 1_800_000_000_000, max: 1_800_000_009_999 }),
      times: fc.tuple(eventTime, eventTime).map((pair) => pair.sort((a, b) => a - b)),
      events: fc.integer({ min: 1, max: 100_000 }),
      clicks: fc.integer({ min: 0, max: 9 }),
      pages: fc.integer({ min: 0, max: 9 }),
      bytes: fc.integer({ min: 20, max: 8_388_608 }),
      hasFullSnapshot: fc.boolean(),
      skew: fc.option(fc.integer({ min: -1e12, max: 1e12 })),
      userTerm: fc.option(fc.constantFrom("user:1", "user:2", "user:3")),
      client: fc.option(client),
      entryPage: fc.option(page),
      lastPage: fc.option(page),
      metadata,
      gaps: fc.array(gapOf({ runs, maxSeq }), { maxLength: 20, size: "max" }),
    })
    .map(({ number, variant, times, ...fields }) => {
      const seq = fields.run === "" ? -1 : number;
      return createDigest({
        ...fields,
        first: times[0]! || times[1]!,
        last: times[1]!,
        seq,
        hash: hashOf(`${fields.windowId}/${fields.run}/${number}/${variant}`),
      });
    });
}

/** Different batches in a row, then the same ones in another order with some of them repeated. */
export function shuffled(digest: fc.Arbitrary<BatchDigest>): fc.Arbitrary<[BatchDigest[], BatchDigest[]]> {
  return fc.uniqueArray(digest, { minLength: 1, maxLength: 14, selector: nameOf }).chain((batches) =>
    fc.tuple(
      fc.constant(batches),
      fc
        .tuple(
          fc.shuffledSubarray(batches, { minLength: batches.length }),
          fc.array(fc.tuple(fc.constantFrom(...batches), fc.nat(30)), { maxLength: 6 }),
        )
        .map(([order, repeats]) =>
          repeats.reduce((list, [batch, position]) => list.toSpliced(position % (list.length + 1), 0, batch), order),
        ),
    ),
  );
}

function nameOf({ windowId, run, seq, hash }: BatchDigest): string {
  return [windowId, run, seq, hash].join("/");
}
