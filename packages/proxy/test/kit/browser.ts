/**
 * A real browser without a window (Chromium).
 */
import { makeDirectory } from './directory.ts';
import { startProcess } from './process.ts';

const quiet = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
/** Of the page's own clock, which stands still while a request is under way: a stream that never ends stops it. */
const pageMs = 5_000;

/** The page as it is when its scripts have run for a while. Certificates that nobody knows are accepted. */
export async function dumpPage(url: string): Promise<string> {
  await using directory = await makeDirectory('browser');
  const more = ['--ignore-certificate-errors', `--virtual-time-budget=${pageMs}`, `--user-data-dir=${directory.path}`];
  await using browser = startProcess('chromium', [...quiet, ...more, '--dump-dom', url]);
  const { code } = await browser.waitForExit(60_000);
  if (code !== 0) throw new Error(`chromium ended with ${code}:\n${browser.tail()}`);
  return browser.lines.flatMap(({ stream, text }) => (stream === 'stdout' ? [text] : [])).join('\n');
}
