/**
 * Several things of one owner. (Node 20 has no AsyncDisposableStack.)
 */
export class Belongings implements AsyncDisposable {
  #things: AsyncDisposable[] = [];

  own<Thing extends AsyncDisposable>(thing: Thing): Thing {
    this.#things.push(thing);
    return thing;
  }

  /** They belong to another owner from now on. */
  move(): Belongings {
    const heir = new Belongings();
    heir.#things = this.#things;
    this.#things = [];
    return heir;
  }

  /** The last one first. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const thing of this.#things.splice(0).reverse()) await thing[Symbol.asyncDispose]();
  }
}
