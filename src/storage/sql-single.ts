import type { Finding } from "./store.ts";

/** One task after the other, for a connection that everybody shares. */
export function createQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const next = last.then(task, task);
    last = next.catch(() => {});
    return next;
  };
}

/** db0's own connectors for servers hold one connection and do not connect again. */
export const SINGLE_CONNECTION: Finding = {
  level: "warning",
  what: "The storage has one connection to the database: requests wait for each other, and when it is lost it is not opened again.",
  remedy: "Use postgresPool() or mysqlPool() of sentiero/connectors.",
};
