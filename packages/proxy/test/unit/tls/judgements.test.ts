import { describe, expect, test } from 'vitest';
import { alertOf, plainAlert, sealedAlert } from '../../../src/tls/alert.ts';
import { type ClientCertVerdict, judgeClientCert, type PresentedCert } from '../../../src/tls/client_cert.ts';
import { expiryNotice } from '../../../src/tls/expiry.ts';
import { pemBlocks } from '../../../src/tls/pem.ts';
import { NameIndex } from '../../../src/tls/sni.ts';

const NOW = new Date('2026-06-15T12:00:00Z');
const GOOD = { subject: { CN: 'device-1' }, valid_to: 'Jun 16 12:00:00 2026 GMT' };

describe("a client's certificate", () => {
  test.each<[string, PresentedCert | null, { code: string; message: string } | null, ClientCertVerdict]>([
    ['none', null, null, { kind: 'none' }],
    ['none, of which OpenSSL says so', null, { code: 'UNABLE_TO_GET_ISSUER_CERT', message: 'x' }, { kind: 'none' }],
    ['a good one', GOOD, null, { kind: 'good', facts: { cn: 'device-1', verified: true } }],
    ['two names', { ...GOOD, subject: { CN: ['a', 'b'] } }, null, { kind: 'good', facts: { cn: 'a', verified: true } }],
    ['no name', { ...GOOD, subject: {} }, null, { kind: 'good', facts: { cn: null, verified: true } }],
    ['an empty name', { ...GOOD, subject: { CN: '' } }, null, { kind: 'good', facts: { cn: null, verified: true } }],
    [
      'a name in any script',
      { ...GOOD, subject: { CN: 'gerät-Ω' } },
      null,
      { kind: 'good', facts: { cn: 'gerät-Ω', verified: true } },
    ],
    [
      'one that OpenSSL refuses',
      GOOD,
      { code: 'CERT_REVOKED', message: 'certificate revoked' },
      { kind: 'bad', alert: 'certificate_revoked', detail: 'certificate revoked' },
    ],
    [
      'one that has expired since its session began',
      { ...GOOD, valid_to: 'Jun 15 11:59:59 2026 GMT' },
      null,
      { kind: 'bad', alert: 'certificate_expired', detail: 'certificate has expired' },
    ],
  ])('%s', (_what, presented, fault, verdict) => {
    expect(judgeClientCert(presented, fault, NOW)).toEqual(verdict);
  });
});

test.each(['\0', '\u0007', '\n', '\u007f', '\u0085'])('P7: a name with %j is refused', character => {
  expect(judgeClientCert({ ...GOOD, subject: { CN: `a${character}b` } }, null, NOW)).toEqual({
    kind: 'bad',
    alert: 'bad_certificate',
    detail: 'control character in the common name',
  });
});

describe('alerts', () => {
  test('are fatal, and bear the number of RFC 8446', () => {
    expect(plainAlert('certificate_expired').toString('hex')).toBe('1503030002022d');
    expect(plainAlert('unrecognized_name').toString('hex')).toBe('15030300020270');
  });

  test('an unknown suite gets none', () => {
    expect(sealedAlert('unknown_ca', 'TLS_AES_128_CCM_SHA256', Buffer.alloc(32))).toBeNull();
  });

  test('what OpenSSL names and nobody foresaw is `certificate_unknown`', () => {
    expect([alertOf('CERT_HAS_EXPIRED'), alertOf('WHATEVER')]).toEqual(['certificate_expired', 'certificate_unknown']);
  });
});

describe('server names', () => {
  const index = new NameIndex<string>();
  index.add(['a.example', '*.example'], 'one');
  index.add(['*.example', '*.b.example', 'a.example'], 'two');
  test.each([
    ['a.example', 'one'],
    ['x.example', 'one'],
    ['x.b.example', 'two'],
    ['b.example', 'one'],
    ['x.y.example', null],
    ['example', null],
    ['*.example', 'one'],
    ['.example', 'one'],
    ['', null],
  ])('%s → %s', (name, found) => {
    expect(index.find(name)).toBe(found);
  });
});

describe('the end of a certificate', () => {
  const DAY_MS = 86_400_000;
  const end = NOW.getTime();
  const said = (leftDays: number, lastLeftDays: number | null): string | null => {
    const last = lastLeftDays === null ? null : end - lastLeftDays * DAY_MS;
    const notice = expiryNotice('site.pem', end, end - leftDays * DAY_MS, last);
    return notice && `${notice.level}: ${notice.message}`;
  };
  test.each<[number, number | null, string | null]>([
    [31, null, null],
    [29.5, null, 'warn: the certificate in site.pem ends in 29 days, on 2026-06-15T12:00:00.000Z'],
    [29, 29.5, null],
    [8, 29.5, null],
    [7, 29.5, 'warn: the certificate in site.pem ends in 7 days, on 2026-06-15T12:00:00.000Z'],
    [6, 7, null],
    [1, 6, 'warn: the certificate in site.pem ends in 1 day, on 2026-06-15T12:00:00.000Z'],
    [0.5, null, 'warn: the certificate in site.pem ends in less than a day, on 2026-06-15T12:00:00.000Z'],
    [-0.1, 0.5, 'error: the certificate in site.pem has expired on 2026-06-15T12:00:00.000Z'],
    [-0.5, -0.1, null],
    [-1.1, -0.1, 'error: the certificate in site.pem has expired on 2026-06-15T12:00:00.000Z'],
  ])('%d days before, last told %s', (leftDays, lastLeftDays, line) => {
    expect(said(leftDays, lastLeftDays)).toBe(line);
  });
});

test('PEM blocks are found among other text, with any line ends', () => {
  const text =
    'Bag Attributes\r\n-----BEGIN EC PRIVATE KEY-----\r\nAA\r\n-----END EC PRIVATE KEY-----\r\nfoo-----BEGIN X-----\n-----END Y-----';
  expect(pemBlocks(text).map(({ label }) => label)).toEqual(['EC PRIVATE KEY']);
});
