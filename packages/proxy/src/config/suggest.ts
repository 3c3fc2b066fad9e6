/** Edits that turn one word into the other: insert, delete, replace, swap neighbours (optimal string alignment). */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let cost = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1));
      if (from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) cost = Math.min(cost, (before[j - 2] ?? cost) + 1);
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/** HAProxy writes `max-conn` where this file writes `max_conn`, and people write `maxConn`: all one word here. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ .]/g, '');
}

/** The known word that was probably meant, or null. Only near words are suggested: a beginning of the word, or a third of
 * the letters at most. */
export function suggest(word: string, known: readonly string[]): string | null {
  const meant = plain(word).slice(0, 64);
  const begun = meant.length < 3 ? [] : known.filter(name => plain(name).startsWith(meant));
  let best: { readonly name: string; readonly edits: number } | null = null;
  for (const name of known) {
    const edits = distance(meant, plain(name));
    const allowed = Math.max(1, Math.floor(Math.max(meant.length, name.length) / 3));
    if (edits <= allowed && edits < Math.min(meant.length, name.length) && (best === null || edits < best.edits)) {
      best = { name, edits };
    }
  }
  return best?.name ?? begun[0] ?? null;
}
