import type { Config } from '../config/resolved.ts';
import { placesOfThisProcess } from '../listen/descriptors.ts';
import type { Log } from '../log.ts';
import type { Listening } from './bindings.ts';
import type { FaceAddress } from './faces.ts';

/** What a proxy has come to at its start. */
interface Start {
  readonly binds: readonly Listening[];
  readonly faces: readonly FaceAddress[];
  /** `native`, or `node` with why. */
  readonly relay: string;
}

/** What the log says of a proxy that serves: where it listens, and for how many connections its descriptors suffice. */
export class Notices {
  readonly #log: Log;
  /** What was last warned of, so that a reload does not say it again. */
  #warned = '';

  constructor(log: Log) {
    this.#log = log;
  }

  /** It serves. */
  ready(config: Config, { binds, faces, relay }: Start): void {
    this.changed(config, binds);
    for (const { face, address } of faces) this.#log.info('admin_listening', { face, address });
    this.#log.info('ready', { workers: config.global.workers, relay, pid: process.pid });
  }

  /** It has gone over to another configuration, and listens there too. */
  changed(config: Config, newBinds: readonly Listening[]): void {
    this.#warnOfDescriptors(config);
    for (const { frontend, bind, address, port } of newBinds) {
      this.#log.info('listening', { frontend, bind, address, port });
    }
  }

  /** Workers have the same limit as the primary. */
  #warnOfDescriptors(config: Config): void {
    const { maxconn, workers } = config.global;
    const sessions = workers * placesOfThisProcess(config).most;
    const warned = `${sessions} ${maxconn}`;
    if (sessions >= maxconn || warned === this.#warned) return;
    this.#warned = warned;
    const message = `file descriptors suffice for ${sessions} connections, global.maxconn is ${maxconn}: raise the limit`;
    this.#log.warn('few_descriptors', { sessions, maxconn }, `${message} (ulimit -n, LimitNOFILE=)`);
  }
}
