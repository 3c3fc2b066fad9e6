// The few ways in which this page touches the document. All text goes in as text: there is no way from here to markup.

const svgSpace = 'http://www.w3.org/2000/svg';

/**
 * An element with attributes and children. A child that is a string becomes a text node.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Readonly<Record<string, string | boolean>>} [attributes] true: present, false: absent
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Readonly<Record<string, string | number>>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[Name]}
 */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/**
 * The element of index.html with that id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element;
}

/**
 * Writes the text of an element, only where it has become another one.
 * @param {Element} element
 * @returns {(text: string) => void}
 */
export function textOf(element) {
  const node = document.createTextNode('');
  element.append(node);
  let last = '';
  return text => {
    if (text === last) return;
    last = text;
    node.data = text;
  };
}

/**
 * Writes an attribute, only where it has become another one; null takes it away.
 * @param {Element} element
 * @param {string} name
 * @returns {(value: string | null) => void}
 */
export function attributeOf(element, name) {
  let last = element.getAttribute(name);
  return value => {
    if (value === last) return;
    last = value;
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  };
}

/**
 * Sets a custom property of an element's style, rounded so that nothing is written for a change nobody can see.
 * @param {HTMLElement} element
 * @param {string} name `--part`
 * @returns {(value: number) => void}
 */
export function partOf(element, name) {
  let last = '';
  return value => {
    const text = value.toFixed(3);
    if (text === last) return;
    last = text;
    element.style.setProperty(name, text);
  };
}

/**
 * A list whose elements stay with their keys: an item that is still there keeps its element, whatever else has come.
 * @template Item
 * @param {Element} parent
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => { readonly node: Element, update(item: Item): void }} make
 * @param {Element | null} [after] the child behind which they stand; without, before all others
 * @returns {(items: readonly Item[]) => void}
 */
export function keyed(parent, keyOf, make, after = null) {
  /** @type {Map<string, { readonly node: Element, update(item: Item): void }>} */
  const shown = new Map();
  return items => {
    // Those that went go first: nothing else is moved then, for moving takes the focus away.
    const keys = new Set(items.map(keyOf));
    for (const [key, { node }] of shown) {
      if (keys.has(key)) continue;
      node.remove();
      shown.delete(key);
    }
    let place = after === null ? parent.firstElementChild : after.nextElementSibling;
    for (const item of items) {
      const key = keyOf(item);
      const part = shown.get(key) ?? make(item);
      shown.set(key, part);
      part.update(item);
      if (part.node === place) place = place.nextElementSibling;
      else parent.insertBefore(part.node, place);
    }
  };
}

/**
 * A button of this page.
 * @param {string} label
 * @param {() => void} act
 * @param {Readonly<Record<string, string>>} [attributes]
 */
export function button(label, act, attributes = {}) {
  const element = h('button', { type: 'button', ...attributes }, label);
  element.addEventListener('click', act);
  return element;
}
