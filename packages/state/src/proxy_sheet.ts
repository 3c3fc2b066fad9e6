/** What one proxy says of its servers: `backend/server` → a number or some words. */
export type Sheet<Value> = ReadonlyMap<string, Value>;

/** How long a sheet is true without being said again. */
export const sheetTtlMs = 3000;
/** Lines of another proxy's sheet that are read. */
export const mostLines = 4096;

const placeShape = /^[A-Za-z0-9_.-]{1,64}\/[A-Za-z0-9_.-]{1,64}$/;
const countShape = /^\d{1,8}$/;
const mostVerdictCharacters = 200;

/** `emqx/emqx1 → 12`; what is no such line is passed over. Pure. */
export function readConns(reply: unknown): Sheet<number> {
  return new Map(linesOf(reply).flatMap(([place, value]) => (countShape.test(value) ? [[place, Number(value)]] : [])));
}

/** `emqx/emqx1 → UP L7OK`; what is no such line is passed over. Pure. */
export function readHealth(reply: unknown): Sheet<string> {
  return new Map(linesOf(reply).filter(([, value]) => value.length <= mostVerdictCharacters));
}

function linesOf(reply: unknown): [place: string, value: string][] {
  if (!Array.isArray(reply)) return [];
  const lines: [string, string][] = [];
  for (let i = 0; i + 1 < reply.length && lines.length < mostLines; i += 2) {
    const [place, value] = [String(reply[i]), String(reply[i + 1])];
    if (placeShape.test(place)) lines.push([place, value]);
  }
  return lines;
}

/** This proxy's own sheet: knows what Redis was told last, and when it is to be told again. */
export class OwnSheet {
  #told = '';
  #toldAtMs: number = Number.NEGATIVE_INFINITY;

  /** What Redis is to be told now; null: it knows, and will for a while. */
  due(sheet: Sheet<number | string>, nowMs: number): readonly string[] | null {
    const lines = [...sheet].flatMap(([place, value]) => [place, String(value).slice(0, mostVerdictCharacters)]);
    const isKnown = lines.join('\n') === this.#told && nowMs - this.#toldAtMs < sheetTtlMs / 3;
    return isKnown ? null : lines;
  }

  told(lines: readonly string[], nowMs: number): void {
    this.#told = lines.join('\n');
    this.#toldAtMs = nowMs;
  }
}
