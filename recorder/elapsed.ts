/**
 * A clock of ms that never goes back, made of two: the computer's, which may be set at will, and the page's, which may
 * stand still while the computer sleeps. Whichever went further since the last look counts, so a span is rather measured
 * too long than too short.
 */
export function createElapsed(wall: () => number, page: () => number): () => number {
  let elapsed = 0;
  let wallAt = wall();
  let pageAt = page();
  return () => {
    const [wallNow, pageNow] = [wall(), page()];
    elapsed += Math.max(0, wallNow - wallAt, pageNow - pageAt);
    wallAt = wallNow;
    pageAt = pageNow;
    return elapsed;
  };
}
