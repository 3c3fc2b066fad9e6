import { describe, expect, test } from 'vitest';
import type { StickConfig } from '../../../src/config/resolved.ts';
import { compileStickValue, type PeerFacts, verifiedCn } from '../../../src/route/stick_key.ts';
import type { ClientCertFacts, Connect, TlsFacts } from '../../../src/stages.ts';

const CONNECT: Connect = {
  version: 4,
  bridge: false,
  clientId: 'plant7-sensor1',
  username: 'bob',
  clean: true,
  keepAliveS: 60,
  sessionExpiryS: 0,
};

const PEER: PeerFacts = { sourceAddress: '192.0.2.1', certCn: 'meter 7' };

function value(
  stick: Partial<StickConfig>,
  connect: Partial<Connect> | null = {},
  peer: Partial<PeerFacts> = {},
): string | null {
  const whole: StickConfig = {
    field: 'client_id',
    match: null,
    size: 10,
    expireMs: 1000,
    cleanSessions: true,
    ...stick,
  };
  return compileStickValue(whole)(connect === null ? null : { ...CONNECT, ...connect }, { ...PEER, ...peer });
}

describe('field', () => {
  test.each([
    ['client id', {}, {}, 'plant7-sensor1'],
    ['empty client id', {}, { clientId: '' }, null],
    ['user name', { field: 'username' }, {}, 'bob'],
    ['no user name', { field: 'username' }, { username: null }, null],
    ['empty user name', { field: 'username' }, { username: '' }, null],
    ['source address', { field: 'source' }, { clientId: '' }, '192.0.2.1'],
    ['common name', { field: 'cert_cn' }, {}, 'meter 7'],
    ['mode tcp, source address', { field: 'source' }, null, '192.0.2.1'],
    ['mode tcp, common name', { field: 'cert_cn', cleanSessions: false }, null, 'meter 7'],
    ['mode tcp, client id', { field: 'client_id' }, null, null],
    ['mode tcp, user name', { field: 'username' }, null, null],
  ] as const)('%s', (_what, stick, connect, expected) => {
    expect(value(stick, connect)).toBe(expected);
  });
});

test.each([null, ''])('common name: %j is none', certCn => {
  expect(value({ field: 'cert_cn' }, {}, { certCn })).toBeNull();
});

describe('the common name of a certificate', () => {
  const tls = (clientCert: ClientCertFacts | null): TlsFacts => {
    return { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', sni: null, resumed: false, clientCert };
  };

  test.each([
    ['no TLS', null, null],
    ['no certificate', tls(null), null],
    ['no name', tls({ cn: null, verified: true }), null],
    ['not verified', tls({ cn: 'meter 7', verified: false }), null],
    ['verified', tls({ cn: 'meter 7', verified: true }), 'meter 7'],
  ] as const)('%s', (_what, facts, expected) => {
    expect(verifiedCn(facts)).toBe(expected);
  });
});

describe('match', () => {
  test.each([
    ['first group', '^([^-]+)-', {}, 'plant7'],
    ['of two groups the first', '^(plant)(\\d+)', {}, 'plant'],
    ['no match', '^gate-(.*)$', {}, null],
    ['an empty group', '^(x*)plant', {}, null],
    ['a group that took no part', '^(?:(gate)|plant)', {}, null],
    ['no group', '^plant7', {}, null],
    ['one character of two code units', '^(.)', { clientId: '🐚1' }, '🐚'],
    ['1,024 characters', '^(.)', { clientId: 'x'.repeat(1024) }, 'x'],
    ['P7: longer fields', '^(.)', { clientId: 'x'.repeat(1025) }, null],
  ] as const)('%s', (_what, match, connect, expected) => {
    expect(value({ match }, connect)).toBe(expected);
  });

  test('of another field', () => {
    expect(value({ field: 'cert_cn', match: '^meter (\\d+)' })).toBe('7');
    expect(value({ field: 'source', match: '^(\\d+\\.\\d+)\\.' })).toBe('192.0');
  });

  test('the same pattern answers the same for every client in turn', () => {
    const stick: StickConfig = {
      field: 'client_id',
      match: '^([^-]+)-',
      size: 10,
      expireMs: 1000,
      cleanSessions: true,
    };
    const of = compileStickValue(stick);
    expect([1, 2, 3].map(() => of(CONNECT, PEER))).toEqual(['plant7', 'plant7', 'plant7']);
  });
});

describe('clean_sessions: false', () => {
  test.each([
    ['3.1 clean', { version: 3, clean: true }, null],
    ['3.1 kept', { version: 3, clean: false }, 'plant7-sensor1'],
    ['3.1.1 clean', { version: 4, clean: true }, null],
    ['3.1.1 kept', { version: 4, clean: false }, 'plant7-sensor1'],
    ['5.0 clean start, no expiry', { version: 5, clean: true }, null],
    ['5.0 no clean start, no expiry', { version: 5, clean: false }, null],
    ['5.0 clean start, kept for a second', { version: 5, clean: true, sessionExpiryS: 1 }, 'plant7-sensor1'],
    ['5.0 never ending', { version: 5, clean: false, sessionExpiryS: 0xffffffff }, 'plant7-sensor1'],
  ] as const)('%s', (_what, connect, expected) => {
    expect(value({ cleanSessions: false }, connect)).toBe(expected);
    expect(value({ cleanSessions: true }, connect)).toBe('plant7-sensor1');
  });
});
