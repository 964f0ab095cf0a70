// Before anything is drawn: light or dark, as chosen here before, else as the system has it. No library.
(() => {
  let kept = '';
  try { kept = localStorage.getItem('wan_theme') || ''; } catch { /* private mode */ }
  document.documentElement.dataset.theme = kept || (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark');
})();
