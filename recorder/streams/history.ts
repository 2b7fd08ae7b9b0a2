import { wrapMethod } from "./wrap.ts";

/** Tells of every `pushState` and `replaceState`, where the browser has no Navigation API to ask. */
export function watchHistory(signal: AbortSignal, onMove: (kind: "push" | "replace") => void): void {
  for (const kind of ["push", "replace"] as const) {
    wrapMethod(history, `${kind}State`, signal, (call) => {
      const result = call();
      try {
        onMove(kind);
      } catch {
        // The page's own call has worked.
      }
      return result;
    });
  }
}
