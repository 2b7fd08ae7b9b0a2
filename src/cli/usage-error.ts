/** The command line is wrong. The message is shown without a stack, followed by a hint at `--help`. */
export class UsageError extends Error {}
