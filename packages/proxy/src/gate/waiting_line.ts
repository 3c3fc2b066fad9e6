/** A place in a line. Its neighbours are the line's own business. */
export interface Place<Value> {
  readonly value: Value;
  /** @internal Null: it is the first one, or has left. */
  before: Place<Value> | null;
  /** @internal */
  behind: Place<Value> | null;
  /** @internal */
  isIn: boolean;
}

/** First come, first served; whoever leaves is forgotten at once, wherever it stood. */
export class WaitingLine<Value> {
  #first: Place<Value> | null = null;
  #last: Place<Value> | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): Place<Value> | null {
    return this.#first;
  }

  join(value: Value): Place<Value> {
    const place: Place<Value> = { value, before: this.#last, behind: null, isIn: true };
    if (this.#last === null) this.#first = place;
    else this.#last.behind = place;
    this.#last = place;
    this.#length += 1;
    return place;
  }

  /** May be called twice. */
  leave(place: Place<Value>): void {
    if (!place.isIn) return;
    if (place.before === null) this.#first = place.behind;
    else place.before.behind = place.behind;
    if (place.behind === null) this.#last = place.before;
    else place.behind.before = place.before;
    place.isIn = false;
    this.#length -= 1;
  }
}
