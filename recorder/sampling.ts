/** How a session is recorded: sent, held until something goes wrong, or not at all. */
export type Sampling = "session" | "error" | "none";

/** Shares, 0 to 1; the second is of those that the first left out. */
export interface SampleRates {
  readonly sessionSampleRate: number;
  readonly errorSampleRate: number;
}

/** Decides for one session. `random` gives 0 to below 1. */
export function decideSampling(rates: SampleRates, random: () => number): Sampling {
  if (random() < rates.sessionSampleRate) return "session";
  return random() < rates.errorSampleRate ? "error" : "none";
}
