// The tab Story's table of films: read and checked by the studio as soon as it is there. No library.
window.storyTable = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const { ui } = story;
  const PAUSE = 700;
  let waiting = 0;
  let asked = 0;

  function say(text, bad = false) {
    const told = one('#story_table_told');
    if (!told) return;
    told.textContent = text;
    told.classList.toggle('sorry', bad);
    told.classList.toggle('muted', !bad);
  }
  // What was wrong before is no longer: neither beside the table nor at the foot of the page.
  function clear(text = '') {
    clearTimeout(waiting);
    asked += 1;
    say(text);
    one('#story_told').hidden = true;
  }
  async function check(body, fill) {
    const box = one('#story_table');
    clear(box.dataset.checking);
    const turn = asked;
    const language = one('.topbar').dataset.lang.slice(0, 2);
    const address = `../story/${encodeURIComponent(ui.story)}/table?language=${language}`;
    const answer = await fetch(address, { method: 'POST', body, headers: { accept: 'application/json' } }).catch(() => null);
    const found = await answer?.json().catch(() => null);
    if (turn !== asked) return;
    if (!found) { say(''); studio.flash('#unsent', 6000); return; }
    if (found.errors) { say(found.errors.map((error) => error.text).join(' '), true); return; }
    if (fill) box.value = found.text;
    say(found.wrong || found.told, Boolean(found.wrong));
  }
  // More than the studio reads: it says so itself.
  const load = (file) => check(file.slice(0, 1100000), true);

  document.addEventListener('input', (event) => {
    if (event.target.id !== 'story_table') return;
    clear();
    const text = event.target.value;
    if (text.trim()) waiting = setTimeout(() => check(new Blob([text]), false), PAUSE);
  });
  document.addEventListener('reset', (event) => event.target.dataset.act === 'table' && clear());
  return { load };
})();
