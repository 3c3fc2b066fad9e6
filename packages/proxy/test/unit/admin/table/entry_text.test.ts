import type { StickEntry } from '@limpet/state';
import { describe, expect, it } from 'vitest';
import { lineParser } from '../../../../src/admin/table/entry_parse.ts';
import { entryText, exportHead } from '../../../../src/admin/table/entry_text.ts';

const servers = ['emqx1', 'emqx2'];
const context = { servers, expireMs: 1_800_000 };
const entry = (change: Partial<StickEntry> = {}): StickEntry => ({
  key: 'subscriber1',
  server: 'emqx2',
  state: 'cooling',
  ttlMs: 1_793_903,
  owner: 'lb1/2',
  epoch: 17,
  ...change,
});

describe('haproxy', () => {
  const text = entryText('haproxy', context);

  it.each([
    ['cooling', entry(), /^0x[0-9a-f]{8}: key=subscriber1 use=0 exp=1793903 server_id=2 server_key=emqx2\n$/],
    ['pinned', entry({ state: 'pinned', ttlMs: null }), / use=1 exp=1800000 server_id=2 /],
    ['pending', entry({ state: 'pending', ttlMs: 5 }), / use=1 exp=5 /],
    ['a server that is not configured', entry({ server: 'gone' }), / server_id=0 server_key=gone\n$/],
    ['a key with a space', entry({ key: 'a b' }), /: key=a\\ b use=0/],
    ['a key that looks like fields', entry({ key: 'x use=0\\' }), /: key=x\\ use\\=0\\\\ use=0 exp=/],
    ['a key that is not ASCII', entry({ key: 'pömp-設備' }), /: key=pömp-設備 use=0/],
    ['control and bidi characters', entry({ key: 'a\nb\x1b[31m\u202e' }), /: key=a\\x0ab\\x1b\[31m\\xe2\\x80\\xae use/],
    ['markup is harmless in a terminal', entry({ key: '<img onerror>' }), /: key=<img\\ onerror> use/],
  ])('%s', (_, shown, line) => {
    expect(text(shown)).toMatch(line);
  });

  it('shows a key at the same address every time', () => {
    expect(text(entry()).slice(0, 10)).toBe(text(entry({ server: 'emqx1' })).slice(0, 10));
    expect(text(entry()).slice(0, 10)).not.toBe(text(entry({ key: 'subscriber2' })).slice(0, 10));
  });
});

describe('json', () => {
  const text = entryText('json', context);

  it('is an object a line', () => {
    expect(text(entry())).toBe(
      '{"key":"subscriber1","server":"emqx2","state":"cooling","ttl_ms":1793903,"owner":"lb1/2","epoch":17}\n',
    );
    expect(JSON.parse(text(entry({ state: 'pinned', ttlMs: null })))).toMatchObject({ state: 'pinned', ttl_ms: null });
  });

  it('holds nothing that a terminal acts on', () => {
    const key = 'a\u007f\u009b\u2028\u202e\u{e0001}"';
    const line = text(entry({ key }));
    expect(line).toMatch(/^[\x20-\x7e]*\n$/);
    expect(JSON.parse(line).key).toBe(key);
  });
});

describe('csv', () => {
  const text = entryText('csv', context);

  it.each([
    ['plain', entry(), 'subscriber1,emqx2,cooling,1793903,lb1/2,17\r\n'],
    ['nothing counts down', entry({ state: 'pinned', ttlMs: null }), 'subscriber1,emqx2,pinned,,lb1/2,17\r\n'],
    ['comma and quote', entry({ key: 'a,"b"' }), '"a,""b""",emqx2,cooling,1793903,lb1/2,17\r\n'],
    ['formula', entry({ key: '=HYPERLINK("x")' }), `"'=HYPERLINK(""x"")",emqx2,cooling,1793903,lb1/2,17\r\n`],
    ['+', entry({ key: '+1' }), "'+1,emqx2,cooling,1793903,lb1/2,17\r\n"],
    ['-', entry({ key: '-1' }), "'-1,emqx2,cooling,1793903,lb1/2,17\r\n"],
    ['@', entry({ key: '@SUM(A1)' }), "'@SUM(A1),emqx2,cooling,1793903,lb1/2,17\r\n"],
    ['the guard itself', entry({ key: "'quoted" }), "''quoted,emqx2,cooling,1793903,lb1/2,17\r\n"],
  ])('%s', (_, shown, line) => {
    expect(text(shown)).toBe(line);
  });

  it('begins with its columns', () => {
    expect(exportHead('csv')).toBe('key,server,state,ttl_ms,owner,epoch\r\n');
    expect(exportHead('haproxy') + exportHead('json')).toBe('');
  });
});

describe('import', () => {
  const keys = ['k', 'a,b', 'a "b"', '=1+1', "'", "'=x", '-', 'ä', ' k ', `sha256:${'0'.repeat(64)}`, '<img onerror>'];

  it.each(['json', 'csv'] as const)('%s: reads what was written', format => {
    const text = entryText(format, context);
    const parse = lineParser(format, servers);
    for (const key of keys) {
      for (const ttlMs of [null, 0, 5000]) {
        const line = text(entry({ key, ttlMs })).replace(/\r?\n$/, '');
        expect(parse(line)).toEqual({ kind: 'entry', entry: { key, server: 'emqx2', ttlMs } });
      }
    }
    expect(parse('')).toEqual({ kind: 'nothing' });
    expect(parse(exportHead(format).trim())).toEqual({ kind: 'nothing' });
  });

  it.each([
    ['json', 'no', /not JSON/],
    ['json', '{"key":1,"server":"emqx1"}', /^key: /],
    ['json', '{"key":"k"}', /^server: /],
    ['json', '{"key":"k","server":"emqx1","ttl_ms":-1}', /^ttl_ms: /],
    ['json', '[]', /./],
    ['json', '{"key":"","server":"emqx1"}', /the key is not one/],
    ['json', '{"key":"a\\nb","server":"emqx1"}', /the key is not one/],
    ['json', '{"key":"sha256:12","server":"emqx1"}', /the key is not one/],
    ['json', '{"key":"k","server":"gone"}', /no server "gone"/],
    ['csv', 'k', /needs the columns/],
    ['csv', 'k,emqx1,cooling,soon', /ttl_ms/],
    ['csv', '"k,emqx1', /not CSV/],
    ['csv', `${'k'.repeat(129)},emqx1`, /the key is not one/],
    ['csv', 'k,emqx9', /no server "emqx9"/],
  ] as const)('%s: %s', (format, line, why) => {
    const parsed = lineParser(format, servers)(line);
    expect(parsed.kind).toBe('bad');
    expect(parsed.kind === 'bad' && parsed.why).toMatch(why);
  });
});
