/** Names under which the recorder keeps the identity; opting out removes them from both storages. */
export const StorageKey = {
  sessionId: "sentiero_session_id",
  key: "sentiero_session_key",
  createdAt: "sentiero_session_created_at",
  lastSeenAt: "sentiero_session_last_seen",
  entryUrl: "sentiero_entry_url",
  entryReferrer: "sentiero_entry_referrer",
  windowId: "sentiero_window_id",
  /** What the tab's last page could not send. */
  lost: "sentiero_lost",
} as const;
