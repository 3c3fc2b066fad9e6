import type { Config, TlsServerConfig } from '../config/resolved.ts';
import type { Log } from '../log.ts';
import { type BrokerTls, createBrokerTls } from '../tls/dial_tls.ts';
import type { KeptServerTls } from '../tls/kept.ts';
import { TlsStock } from '../tls/stock.ts';

/** What TLS towards a server is made from. */
export interface BrokerTerms {
  readonly tls: TlsServerConfig;
  /** As configured: the name that is asked for, where there is no other. */
  readonly host: string;
}

export type BrokerStock = TlsStock<BrokerTerms, BrokerTls, KeptServerTls>;

/** TLS towards all servers, of one process; empty. */
export function brokerStock(log: Log): BrokerStock {
  return new TlsStock({ make: ({ tls, host }, kept) => createBrokerTls(tls, host, log, kept) });
}

/** `backend/server` → what its TLS is made from, where it has any. */
export function brokerTerms({ backends }: Config): Map<string, BrokerTerms> {
  const terms = new Map<string, BrokerTerms>();
  for (const backend of backends) {
    for (const { name, host, tls } of backend.servers)
      if (tls !== null) terms.set(`${backend.name}/${name}`, { tls, host });
  }
  return terms;
}
