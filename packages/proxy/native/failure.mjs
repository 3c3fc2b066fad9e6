// What a failed build has said.

/**
 * The line that says most, and whether the next build of the same sources would fail in the same way: only where the
 * compiler refuses a line of them. Headers that cannot be downloaded, a full disk or too little memory are mended by others.
 * @param {string} output
 */
export function readFailure(output) {
  const lines = output.split('\n').map(line => line.trim());
  const refused = lines.find(text => /:\d+:\d+: error:/.test(text));
  const line =
    refused ?? lines.find(text => /\berror:/.test(text)) ?? lines.find(text => text.startsWith('gyp ERR! stack'));
  const why = (line ?? 'node-gyp failed without a word')
    .replace(/^.*?\bwork-\w+\//, '')
    .replace(/^gyp ERR! stack (?:Error: )?/, '');
  return { why, isLasting: refused !== undefined };
}
