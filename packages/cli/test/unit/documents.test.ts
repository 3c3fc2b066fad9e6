import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatProblem, loadConfig } from '@limpet/proxy';
import { describe, expect, it } from 'vitest';
import { makeDirectory } from '../../../proxy/test/kit/directory.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
];

/** The YAML blocks of a page, each with its line. Only whole configurations: parts are for reading. */
function configurations(page: string): { place: string; yaml: string }[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```$/gms)]
    .filter(([, yaml]) => yaml?.includes('frontends:') && yaml.includes('backends:'))
    .map(block => ({ place: `${page}:${text.slice(0, block.index).split('\n').length}`, yaml: block[1] ?? '' }));
}

describe('the documents', () => {
  const blocks = pages.flatMap(configurations);

  it('show configurations', () => {
    expect(blocks.length).toBeGreaterThan(4);
  });

  it.each(blocks)('$place is a configuration that loads', async ({ yaml }) => {
    await using directory = await makeDirectory('documents');
    // The files of TLS that the documents name; they need to be there, and are not looked into here.
    mkdirSync(directory.file('certs'));
    for (const name of ['server.pem', 'ca.pem']) writeFileSync(join(directory.file('certs'), name), '');
    const result = loadConfig(directory.write('limpet.yaml', yaml), {});
    expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([]);
  });

  it.each(pages)('%s links only to what exists', page => {
    const text = readFileSync(join(root, page), 'utf8');
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]*)(#[^)]*)?\)/g)].map(([, path, anchor]) => ({
      path,
      anchor,
    }));
    for (const { path, anchor } of targets) {
      const target = path ? join(page, '..', path) : page;
      const content = readTarget(target);
      if (anchor !== undefined) expect(headings(content), `${page} → ${target}${anchor}`).toContain(anchor.slice(1));
    }
  });
});

describe('the log events of the operations page', () => {
  const source = join(root, 'packages/proxy/src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'));
  const text = files.map(name => readFileSync(join(source, name), 'utf8')).join('\n');
  const calls = /(?:(?:log|lines)\.(?:info|warn|error|debug)|say\('\w+'\)|log\[level\])\(\s*'([a-z_]+)'/g;
  const written = [...text.matchAll(calls)].map(([, event = '']) => event);
  const events = [...new Set([...written, 'tls_cert_expires', 'tls_cert_expired'])].sort();

  it('are found in the sources', () => {
    expect(events.length).toBeGreaterThan(20);
  });

  it.each(events)('%s is told', event => {
    const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    expect(page.match(/^\| `.*$/gm)?.some(row => row.split('|')[1]?.includes(`\`${event}\``))).toBe(true);
  });
});

/** A folder is linked by its README. */
function readTarget(path: string): string {
  return readFileSync(join(root, path.endsWith('/') ? `${path}README.md` : path), 'utf8');
}

/** The anchors that GitHub makes of headings. */
function headings(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
