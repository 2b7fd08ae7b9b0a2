// Runs inside pages: one that is recorded, to tell what it is, and one that replays what was recorded.
import { Replayer } from "@rrweb/replay";
import { describe } from "./description.ts";

/** What the tests call in a page. */
const law = {
  /** What the page's stage is. */
  describe: (): string => describe(document.querySelector("#stage")!),

  /** What the stage is after all of the events of a run. */
  replay(events: readonly object[]): string {
    const root = document.createElement("div");
    // The pointer marks what it is over.
    const told = events.filter((event) => !isPointer(event));
    const copies = told.map((event, at) => ({ ...event, timestamp: 1_000_000 + at * 10 }));
    // The Replayer never plays the last one before its time.
    const end = { type: 5, data: { tag: "end", payload: {} }, timestamp: 1_000_000 + copies.length * 10 };
    document.documentElement.append(root);
    const replayer = new Replayer([...copies, end] as never, { root, useVirtualDom: false, mouseTail: false });
    replayer.pause(copies.length * 10 - 5);
    const seen = describe(replayer.iframe.contentDocument!.querySelector("#stage")!);
    replayer.destroy();
    root.remove();
    return seen;
  },
};

/** Moves, and what is pressed. */
function isPointer(event: object): boolean {
  const { type, data } = event as { type: number; data: { source?: number } };
  return type === 3 && [1, 2, 6, 12].includes(data.source!);
}

export type Law = typeof law;
Object.assign(window, { law });
