/** The command line is wrong. The message is shown without a stack, followed by a hint at `--help`; ends with 2. */
export class UsageError extends Error {}

/** The command could not do its work, and the message says why. Shown without a stack; ends with 1. */
export class CommandError extends Error {}
