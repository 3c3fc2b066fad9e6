import { remoteTable, type StickTable } from '@limpet/state';
import type { BackendConfig } from '../../config/resolved.ts';
import type { Sight } from '../../dial/attempt.ts';
import { Pins } from '../../route/pins.ts';
import { compileStickValue, type StickValue } from '../../route/stick_key.ts';
import { BackendView } from '../../route/view.ts';
import type { BrokerTls } from '../../tls/dial_tls.ts';
import type { SessionRoute } from '../../workshop.ts';
import type { PrimaryLink } from './primary_link.ts';
import { Renewal } from './renewal.ts';
import type { SharedTables } from './shared_tables.ts';

/** What the routes of a worker share. */
export interface RouteMeans {
  readonly owner: string;
  readonly link: PrimaryLink;
  /** Null: the tables are the primary's alone. */
  readonly shared: SharedTables | null;
  tls(backend: string, server: string): BrokerTls | null;
}

/** One backend in one worker. Sessions hold it: across reloads it is the same one, with the same pins. */
export class BackendRoute implements SessionRoute {
  readonly view: BackendView;
  readonly desk: PrimaryLink;
  readonly pins: Pins = new Pins();
  readonly owner: string;
  readonly shared: boolean;
  stickValue: StickValue;
  table: StickTable | null;
  readonly #means: RouteMeans;
  #config: BackendConfig;
  #renewal: Renewal | null = null;

  constructor(config: BackendConfig, means: RouteMeans) {
    this.#config = config;
    this.#means = means;
    this.view = new BackendView(config);
    this.desk = means.link;
    this.owner = means.owner;
    this.shared = means.shared !== null;
    this.stickValue = stickValueOf(config);
    this.table = this.#openTable();
    this.#renew(null);
  }

  /** Goes over to another configuration of the same backend. */
  reconfigure(config: BackendConfig): void {
    const before = this.#config;
    this.#config = config;
    this.view.reconfigure(config);
    this.stickValue = stickValueOf(config);
    this.table = this.#openTable();
    this.#renew(before);
  }

  /** A function of its own: sessions hand it on. */
  readonly tls = (server: string): BrokerTls | null => this.#means.tls(this.#config.name, server);

  /** Good news is news only of a server that is under suspicion; it would be a message a connection otherwise. */
  readonly seen = (server: string, sight: Sight): void => {
    if (sight !== 'accepted' || this.view.isSuspect(server)) {
      this.#means.link.say(['seen', this.#config.name, server, sight]);
    }
  };

  /** The table may have lost entries, or the one of that key. Resolves when those of live sessions are there again. */
  async renewNow(key: string | null = null): Promise<void> {
    await (key === null ? this.#renewal?.now() : this.#renewal?.of(key));
  }

  /** No entry is renewed any more. */
  close(): void {
    this.#renewal?.stop();
    this.#renewal = null;
  }

  #openTable(): StickTable | null {
    const { name, stick } = this.#config;
    if (stick === null) return null;
    const { shared, link } = this.#means;
    // Where the table is shared it is one and the same; the primary's is only a line.
    return (
      shared?.open(this.#config, stick, remoteTable(link.table(name))) ?? this.table ?? remoteTable(link.table(name))
    );
  }

  #renew(before: BackendConfig | null): void {
    const { stick } = this.#config;
    const { table } = this;
    if (stick === null || table === null) this.close();
    else if (this.#renewal === null || before === null) this.#renewal = new Renewal(table, this.pins, stick);
    else if (before.stick?.expireMs !== stick.expireMs) this.#renewal.reconfigure(stick);
  }
}

function stickValueOf({ stick }: BackendConfig): StickValue {
  return stick === null ? () => null : compileStickValue(stick);
}
