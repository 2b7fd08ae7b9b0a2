/** The one project that there is so far; see `sentiero.ts`. */
export const PROJECT = "main";
