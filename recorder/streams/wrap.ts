import { atEnd } from "./listen.ts";

/**
 * Puts `around` in the place of a method until recording ends, and then the method back, unless someone else has wrapped it
 * again meanwhile: then it is only passed through. A page that has frozen its globals is left alone. `around` must not throw
 * anything but what `call` throws.
 */
export function wrapMethod<T extends object, K extends keyof T & string>(
  owner: T,
  name: K,
  signal: AbortSignal,
  around: (call: () => unknown, args: readonly unknown[], self: unknown) => unknown,
): void {
  try {
    const original: unknown = owner[name];
    if (typeof original !== "function" || signal.aborted) return;
    const isOwn = Object.hasOwn(owner, name);
    // A proxy keeps name, length, text and properties of the method: pages look at them.
    const wrapped = new Proxy(original, {
      apply(target, self, args: unknown[]) {
        const call = (): unknown => Reflect.apply(target, self, args);
        return signal.aborted ? call() : around(call, args, self);
      },
    });
    owner[name] = wrapped as T[K];
    atEnd(signal, () => {
      try {
        if (owner[name] !== wrapped) return;
        if (isOwn) owner[name] = original as T[K];
        else delete owner[name];
      } catch {
        // Frozen since then; the method passes through.
      }
    });
  } catch {
    // Frozen.
  }
}
