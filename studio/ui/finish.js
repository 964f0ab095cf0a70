// Larger, smoother: what is chosen becomes the plan of the button below it, which edits.js sends.
window.finish = (() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  // What is open and chosen for each clip: the panel and the stage are drawn anew without asking.
  const kept = new Map();
  const keyOf = (details) => details.dataset.key;

  function tell(form) {
    const chosen = all('input:checked', form).map((input) => input.value).filter(Boolean).map((value) => JSON.parse(value));
    const button = form.querySelector('[data-plan]');
    const plan = { wish: chosen.map((one) => one.words).join(' · '), operations: chosen.map((one) => one.operation) };
    button.dataset.plan = JSON.stringify(plan);
    button.disabled = !chosen.length;
    const said = form.querySelector('[role=status]');
    said.textContent = JSON.parse(form.dataset.costs)[chosen.map(({ operation }) => `${operation.name} ${operation.amount}`).join('|')] || '';
    said.hidden = !said.textContent;
  }
  function keep(details) {
    kept.set(keyOf(details), { open: details.open, values: all('input:checked', details).map((input) => input.value) });
  }
  function again() {
    for (const details of all('details.finish')) {
      const was = kept.get(keyOf(details));
      if (!was || details.dataset.drawn) continue;
      details.dataset.drawn = '1';
      details.open = was.open;
      for (const input of all('input', details)) if (was.values.includes(input.value)) input.checked = true;
      tell(details.querySelector('form'));
    }
  }
  document.addEventListener('change', (event) => {
    const form = event.target.closest?.('.finish-form');
    if (!form) return;
    tell(form);
    keep(form.closest('details'));
  });
  document.addEventListener('submit', (event) => { if (event.target.matches('.finish-form')) event.preventDefault(); });
  document.addEventListener('toggle', (event) => {
    if (event.target.matches?.('details.finish')) { event.target.dataset.drawn = '1'; keep(event.target); }
  }, true);
  (function watch() {
    for (const area of all('#stage, #library_panel')) {
      if (area.dataset.finish) continue;
      area.dataset.finish = '1';
      new MutationObserver(again).observe(area, { childList: true, subtree: true });
    }
    // A tab's inside may come later than the page.
    setTimeout(watch, 1500);
  })();
  return { kept };
})();
