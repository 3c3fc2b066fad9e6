/** The engine's numbers: their low bits are a place that is used again, the rest is not. */
const PLACE = 0xf_ffff;

/** What bears a number of the engine's, by that number. A pointer for each; nothing else is kept of it. */
export class SlotTable<Thing extends { readonly id: number }> {
  readonly #things: (Thing | null)[] = [];

  /** Null: it is gone, whoever may have its place now. */
  get(id: number): Thing | null {
    const thing = this.#things[id & PLACE] ?? null;
    return thing?.id === id ? thing : null;
  }

  set(thing: Thing): void {
    const place = thing.id & PLACE;
    // Without holes: an array that has any is slower for ever.
    while (this.#things.length <= place) this.#things.push(null);
    this.#things[place] = thing;
  }

  delete(thing: Thing): void {
    const place = thing.id & PLACE;
    if (this.#things[place] === thing) this.#things[place] = null;
  }
}
