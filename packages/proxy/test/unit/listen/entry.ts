import { CidrSet } from '../../../src/gate/cidr.ts';
import type { Entry } from '../../../src/listen/entry.ts';
import { inbound } from '../account/sessions.ts';

/** A bind of plain TCP that lets everybody in. */
export function entry(over: Partial<Entry> = {}): Entry {
  return {
    frontend: inbound().frontend,
    bind: { label: '*:1883', host: '0.0.0.0', port: 1883, acceptProxy: [], tls: null, websocket: null },
    trusted: new CidrSet([]),
    forwarders: new CidrSet([]),
    access: () => 'allowed',
    tls: null,
    bindScope: 'mqtt/*:1883#0',
    recordBytes: null,
    enter: null,
    leave: () => {},
    ...over,
  };
}
