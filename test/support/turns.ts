/** Counts turns of the event loop from now on; the first call of what it gives tells how many there were, and stops. */
export function countTurns(): () => number {
  let turns = 0;
  let isCounting = true;
  const next = (): void => {
    turns++;
    if (isCounting) setImmediate(next);
  };
  setImmediate(next);
  return () => {
    isCounting = false;
    return turns;
  };
}
