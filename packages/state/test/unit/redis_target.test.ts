import { describe, expect, it } from 'vitest';
import { type RedisTarget, serverOptions, sharedOptions, targetText } from '../../src/redis_target.ts';

const login = { username: 'limpet', password: 's3cret' };
const place = { host: '2001:db8::1', port: 7000 };
const other = { host: '10.0.0.1', port: 7001 };
const nothing = { database: null, tls: null, sentinelLogin: login, sentinelTls: null };

describe('a target', () => {
  it.each<[RedisTarget, string]>([
    [{ kind: 'server', url: 'redis://limpet:s3cret@h', login }, 'redis://limpet:***@h:6379/0'],
    [{ kind: 'cluster', nodes: [place, other], login, tls: null }, 'cluster [2001:db8::1]:7000, 10.0.0.1:7001'],
    [
      { kind: 'sentinel', sentinels: [other], master: 'mymaster', login, ...nothing },
      'master mymaster of sentinels 10.0.0.1:7001',
    ],
  ])('P11: is shown without its password (%#)', (target, text) => {
    expect(targetText(target)).toBe(text);
    expect(targetText(target)).not.toContain('s3cret');
  });

  it('of one server: what stands beside the URL adds to it', () => {
    const target = { kind: 'server', url: 'redis://h:1/2', login, database: 3 } as const;
    expect(serverOptions(target)).toEqual({ host: 'h', port: 1, db: 3, ...login });
    expect(serverOptions({ kind: 'server', url: 'redis://u:p@h/2' })).toEqual({
      ...{ host: 'h', port: 6379, db: 2, username: 'u', password: 'p' },
    });
  });

  it('of several: a password without a user, and TLS that trusts anybody', () => {
    const tls = { ca: null, cert: null, key: null, verify: 'none', serverName: 'redis' } as const;
    expect(sharedOptions({ username: null, password: 'p' }, tls, null)).toEqual({
      password: 'p',
      tls: { rejectUnauthorized: false, servername: 'redis' },
    });
    expect(sharedOptions(null, null, 4)).toEqual({ db: 4 });
  });
});
