/** Longer lines are no entries; so much of one is sent that the proxy can say so. */
const LONGEST = 32_768;
const LINE_FEED = Buffer.from('\n');
/** An empty line would end the payload. This is skipped like one, and counted like one. */
const BLANK = Buffer.from(' ');

/** Chunks of bytes, so that they can be sent as a payload: lines of bounded length, none of them empty, each with its end. */
export async function* payloadLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(10) + 1;
    if (end > 0) yield Buffer.concat(linesOf(bytes.subarray(0, end)));
    // Of what is too long already nothing more is kept.
    rest = Buffer.from(bytes.subarray(end, end + LONGEST));
  }
  if (rest.length > 0) yield Buffer.concat([...lineOf(rest), LINE_FEED]);
}

function linesOf(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start);
    parts.push(...lineOf(bytes.subarray(start, end)), LINE_FEED);
    start = end + 1;
  }
  return parts;
}

function lineOf(line: Buffer): readonly Buffer[] {
  const text = line.at(-1) === 13 ? line.subarray(0, -1) : line;
  return [text.length === 0 ? BLANK : text.subarray(0, LONGEST)];
}
