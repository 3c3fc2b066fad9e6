// Runs before the first paint, so that the page never flashes in the other theme. Not a module for that reason.

{
  const key = 'limpet-theme';
  const themes = ['auto', 'light', 'dark'];
  const page = document.documentElement;

  /** @returns {string} */
  const kept = () => {
    try {
      const theme = localStorage.getItem(key) ?? '';
      return themes.includes(theme) ? theme : 'auto';
    } catch {
      return 'auto';
    }
  };

  page.dataset.theme = kept();

  document.addEventListener('DOMContentLoaded', () => {
    for (const input of document.querySelectorAll('input[name=theme]')) {
      if (!(input instanceof HTMLInputElement)) continue;
      input.checked = input.value === page.dataset.theme;
      input.addEventListener('change', () => {
        page.dataset.theme = input.value;
        try {
          localStorage.setItem(key, input.value);
        } catch {
          // A browser that keeps nothing still shows the theme until the page is left.
        }
      });
    }
  });
}
