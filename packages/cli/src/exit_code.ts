/** What the program's exit code says. `limpet --help` prints the same. */
export const EXIT = {
  /** Done, or stopped by its user. */
  ok: 0,
  /** What was asked for could not be done: a wrong configuration, a port in use, a client that did not come home. */
  failed: 1,
  /** The command line was wrong. Nothing was started. */
  usage: 2,
} as const;

/** Takes the exit code of the command that ran. */
export type Finish = (exitCode: number) => void;
