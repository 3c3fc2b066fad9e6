import type { ReloadReport } from '../admin/control.ts';
import type { Listening } from './bindings.ts';
import type { FaceAddress } from './faces.ts';

/** A proxy that runs. Signals are the caller's to catch; the process's standard output is its log. */
export interface RunningProxy {
  readonly binds: readonly Listening[];
  /** Runtime API and stats. */
  readonly faces: readonly FaceAddress[];
  /** Stops accepting, lets sessions end until `global.hard_stop_after`, then closes them. May be called twice. */
  stop(): Promise<void>;
  /** Reads the configuration again and goes over to it without touching a session. Never rejects. */
  reload(): Promise<ReloadReport>;
  /**
   * Starts the program anew on the same listening sockets. Resolves when that serves, and this one drains; or when it cannot
   * serve, and this one goes on. Never rejects.
   */
  upgrade(): Promise<void>;
  /** Opens log files anew, in all processes: somebody has moved them away. */
  reopenLogs(): void;
  /** Ends everything at once. */
  kill(): void;
  /** Resolves when nothing runs any more: 0 after stop(), 1 where no worker could be had. */
  readonly finished: Promise<number>;
}
