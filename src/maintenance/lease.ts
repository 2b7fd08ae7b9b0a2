import type { DocumentStore } from "../storage/documents.ts";

/** A right that one process has for a while: others wait until it is given back or runs out. */
export interface Lease {
  /** Takes the lease, or keeps it for longer; false while another has it. */
  take(): Promise<boolean>;
  give(): Promise<void>;
}

interface LeaseDocument {
  readonly v: 1;
  readonly owner: string;
}

/** A process that died is waited for this long; one that works takes its lease anew more often. */
const LEASE_MS = 60_000;

/** Who has it and works on need not ask again before this. */
const KEEP_MS = 20_000;

/** The lease called `name` of a project. Its score is the time at which it runs out, by the clock of whoever took it. */
export function createLease(
  documents: DocumentStore,
  { project, name, clock }: { project: string; name: string; clock: () => number },
): Lease {
  const collection = `${project}/leases`;
  /** Made when it is needed: Workers make nothing random while a module is loaded. */
  let owner: string | undefined;
  let takenAt = -Infinity;

  return {
    async take() {
      if (Math.abs(clock() - takenAt) < KEEP_MS) return true;
      owner ??= crypto.randomUUID();
      const held = await documents.get<LeaseDocument>(collection, name);
      const now = clock();
      // A lease from a clock far ahead of ours would never run out.
      const isHeld = held !== null && held.score > now && held.score - now <= 2 * LEASE_MS;
      if (isHeld && held.doc.owner !== owner) return false;
      const doc: LeaseDocument = { v: 1, owner };
      const options = { score: now + LEASE_MS, expectedVersion: held?.version ?? 0 };
      const isOurs = await documents.put(collection, name, doc, options);
      takenAt = isOurs ? now : -Infinity;
      return isOurs;
    },
    async give() {
      takenAt = -Infinity;
      const held = await documents.get<LeaseDocument>(collection, name);
      if (!held || held.doc.owner !== owner) return;
      await documents.put(collection, name, held.doc, { score: 0, expectedVersion: held.version });
    },
  };
}
