// Where this page is, for all that it asks. A name and a password in the page's address are left out:
// browsers refuse to fetch with them, and send them by themselves once the page has come.
const here = new URL(location.pathname, location.origin);

/** Below which its own files and its stream are. */
export const own = new URL(document.documentElement.dataset.own ?? '', here);

/** Below which the API is. */
export const root = new URL(document.documentElement.dataset.root ?? '', here);
