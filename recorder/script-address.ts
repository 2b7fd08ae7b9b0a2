/** Where the parts of a mount lie, all absolute. */
export interface MountAddresses {
  readonly eventsUrl: string;
  readonly recorderUrl: string;
}

/**
 * Finds the events lane and the recorder from the loader's own address: `/x/recorder.js` (stable) or
 * `/x/assets/loader-HASH.js`. Null where the address doesn't tell (an inline, blob or data script).
 */
export function addressesOf(scriptUrl: string, recorderFile: string): MountAddresses | null {
  const match = /^(https?:\/\/[^?#]*\/)([^/?#]*)(?:[?#].*)?$/i.exec(scriptUrl);
  if (!match) return null;
  const [, folder = "", file = ""] = match;
  if (file !== "recorder.js" && folder.endsWith("/assets/")) {
    return { eventsUrl: `${folder.slice(0, -"assets/".length)}events`, recorderUrl: folder + recorderFile };
  }
  return { eventsUrl: `${folder}events`, recorderUrl: `${folder}assets/${recorderFile}` };
}
