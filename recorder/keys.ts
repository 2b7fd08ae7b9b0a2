/** Names under which the recorder keeps what it knows; opting out removes them from both storages. */
export const StorageKey = {
  /** The session, as one item: two tabs that write at once can't leave parts of two sessions behind. */
  session: "sentiero_session",
  windowId: "sentiero_window_id",
  /** When the recording of this window began, and of which session. */
  windowStart: "sentiero_window_start",
  /** What the tab's last page could not send. */
  lost: "sentiero_lost",
} as const;

/** Database of uploads that wait for the next visit; `unsent-store.ts` makes it. */
export const UNSENT_DATABASE = "sentiero_unsent";
