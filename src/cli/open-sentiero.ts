import { inspect } from "node:util";
import { nodePlatform } from "../../adapters/node.ts";
import { SentieroError } from "../errors.ts";
import type { SentieroOptions } from "../options.ts";
import { createSentiero, type Sentiero } from "../sentiero.ts";
import { redact } from "./secrets.ts";
import { openStorage } from "./storage.ts";
import { UsageError } from "./usage-error.ts";

/** Where a store is, as the options or the environment say. */
export interface StoreValues {
  readonly storage?: string;
  readonly batches?: string;
}

/** A sentiero over an opened storage. */
export interface OpenedSentiero {
  readonly sentiero: Sentiero;
  /** Waits for writes under way and closes the connections. */
  close(): Promise<void>;
}

interface OpenOptions {
  readonly values: StoreValues;
  readonly env: NodeJS.ProcessEnv;
  readonly options?: SentieroOptions;
  /** Whether files and folders have to be there. */
  readonly mustExist?: boolean;
}

/**
 * Opens a store and reads from it once, so that a file that is no database is named before anything is done.
 * @throws UsageError naming what can't be opened.
 */
export async function openSentiero({ values, env, options, mustExist }: OpenOptions): Promise<OpenedSentiero> {
  const text = values.storage ?? env.SENTIERO_STORAGE ?? "memory";
  const batches = values.batches ?? env.SENTIERO_BATCHES;
  const storage = await openStorage(text, { batches, mustExist, env });
  try {
    const sentiero = createSentiero({ onError, platform: nodePlatform, ...options, storage } as SentieroOptions);
    await sentiero.store.sessions.list({ limit: 1 });
    return {
      sentiero,
      async close() {
        await sentiero.store.close();
        await storage.dispose();
      },
    };
  } catch (error) {
    await storage.dispose();
    if (error instanceof SentieroError) throw error;
    throw new UsageError(redact(`--storage ${text} cannot be opened: ${reasonOf(error)}`), { cause: error });
  }
}

/** Opens the store of a command that works on one, which memory never is. */
export async function openStored(options: OpenOptions): Promise<OpenedSentiero> {
  const text = options.values.storage ?? options.env.SENTIERO_STORAGE;
  if (text === undefined || text === "memory") {
    throw new UsageError("give --storage, or set SENTIERO_STORAGE: memory goes with its process");
  }
  return openSentiero({ ...options, options: { maintenance: false, ...options.options } as SentieroOptions });
}

/** What failed beside a request, without the secrets of an address. */
function onError(error: unknown): void {
  console.error(redact(inspect(error)));
}

/** The message, and what it came from. */
function reasonOf(error: unknown): string {
  const { message, cause, code } = error as NodeJS.ErrnoException;
  const reason = message || code || String(error);
  return cause instanceof Error ? `${reason} (${reasonOf(cause)})` : reason;
}
