/** A count as people read it: `12,480`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** Bytes as people read them: `3.4 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** `1 session`, `2 sessions`. */
export function formatSessions(count: number): string {
  return `${formatCount(count)} session${count === 1 ? "" : "s"}`;
}

/** A time as `2026-05-04 12:30` (UTC). */
export function formatTime(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace("T", " ");
}
