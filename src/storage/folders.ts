/** What has to be known of a driver to find its files. */
interface Driver {
  readonly name?: string;
  readonly options?: unknown;
}

/**
 * The folder that holds exactly what begins with a prefix, in a driver that keeps files. Null in any other, and where the
 * prefix is no plain path.
 */
export function folderOf(driver: Driver, prefix: string): string | null {
  const base = (driver.options as { base?: unknown } | undefined)?.base;
  if ((driver.name !== "fs" && driver.name !== "fs-lite") || typeof base !== "string") return null;
  const parts = prefix.split(":").slice(0, -1);
  return parts.every((part) => /^[a-z0-9_-]+$/.test(part)) ? [base, ...parts].join("/") : null;
}

/** A session's folder lies below its kind's and its project's, which stay. */
const MIN_PARTS = 3;

/** Removes the folders that lie under a session's prefix without a file: their names are its id and its windows' ids. */
export async function removeEmptyFolders(driver: Driver, prefix: string): Promise<void> {
  const folder = folderOf(driver, prefix);
  const files = openFiles();
  if (folder && files && prefix.split(":").length > MIN_PARTS) await removeIfEmpty(files, folder);
}

/** What is used of Node's file system, where a driver that keeps files runs. */
interface Files {
  readdir(
    path: string,
    options: { withFileTypes: true },
  ): Promise<readonly { readonly name: string; isDirectory(): boolean }[]>;
  rmdir(path: string): Promise<void>;
}

function openFiles(): Files | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  return process?.getBuiltinModule?.("node:fs/promises") as Files | undefined;
}

async function removeIfEmpty(files: Files, folder: string): Promise<void> {
  const entries = await files.readdir(folder, { withFileTypes: true }).catch(() => null);
  if (!entries) return;
  for (const entry of entries) if (entry.isDirectory()) await removeIfEmpty(files, `${folder}/${entry.name}`);
  // Refused by the system where something is in it, so that nothing is lost to who writes meanwhile.
  await files.rmdir(folder).catch(() => {});
}
