// The tab Review: the next item at once, two keys, a name that is remembered; and where words of a prompt stand.
window.review = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const room = () => one('#review_room .review');
  const isOpen = () => Boolean(one('#review_room')?.offsetParent);
  const ui = { section: 'look', current: '', wanted: '' };
  const NAME = 'wan_reviewer';
  const kept = () => { try { return localStorage.getItem(NAME) || ''; } catch { return ''; } };

  // -- asking: the server draws the room, the page says where in it one is --------------------------------------------
  // Whoever only looks sees what is current once it is their turn.
  const line = turns('review_room', ['open'], (question) => studio.send('review_room', { current: room()?.dataset.current || '', ...question }));
  function ask(act, more = {}) {
    const box = (name) => one(`#review_${name}`)?.value || '';
    line.add({ act, section: ui.section, name: box('name'), comment: box('comment'), ...more });
  }
  function pressed(button, key) {
    const [act, ...rest] = key.split(' ');
    const subject = rest.join(' ');
    if (act === 'section') { ui.section = subject; ask('open', { current: '' }); }
    if (act === 'open') { ask('open', { current: subject }); scrollTo({ top: 0 }); }
    if (act === 'unveil') { one('#review_room .screen.blurred')?.classList.remove('blurred'); one('#review_player')?.play().catch(() => {}); }
    if (act === 'check_ledger') ask('check_ledger');
    if (act === 'make_key') make_key();
    if (act === 'revoke_key') revoke_key(button, subject);
    if (act === 'copy_key') copy_key(button);
    if (act === 'approve' || act === 'reject') decide(act, subject);
  }
  function decide(act, current) {
    if (line.has((question) => question.act !== 'open' && question.current === current)) return;
    const lacks = one('#review_lacks');
    const [noName, noComment] = JSON.parse(room().dataset.names);
    const lacking = act === 'reject' && !one('#review_comment').value.trim() ? ['comment', noComment]
      : !one('#review_name').value.trim() ? ['name', noName] : null;
    lacks.hidden = !lacking;
    if (lacking) {
      lacks.textContent = lacking[1];
      one(`#review_${lacking[0]}`).focus();
      return;
    }
    ask(act, { current });
  }
  studio.here.review = pressed;
  studio.here.mute = (button) => {
    const film = one('video', button.closest('.player'));
    film.muted = !film.muted;
    button.toggleAttribute('own-off', film.muted);
  };

  // -- what was drawn: the name is put back, the comment belongs to one item -------------------------------------------
  function drawn() {
    const now = room();
    if (!now) return;
    const current = now.dataset.current || '';
    ui.section = now.dataset.section;
    const name = one('#review_name');
    const comment = one('#review_comment');
    if (name && !name.value) name.value = kept();
    if (comment && current !== ui.current) {
      comment.value = '';
      if (one('#review_player') && !one('.screen.blurred')) one('#review_player').load();
    }
    ui.current = current;
    shape();
    place_of_keys();
    one('.said .sorry', now)?.scrollIntoView({ block: 'center' });
  }
  document.addEventListener('input', (event) => {
    if (event.target.id === 'review_name') { try { localStorage.setItem(NAME, event.target.value.trim()); } catch { /* private mode */ } }
    if (event.target.closest?.('#rules_form')) shape();
  });

  // -- looking again by itself, while somebody looks -------------------------------------------------------------------
  const BEAT = 3000;
  async function look() {
    if (isOpen() && !document.hidden && ui.section === 'look' && line.idle()) {
      const told = await studio.told('../review/now');
      if (told && line.idle() && told.mark !== room()?.dataset.mark) ask('open');
    }
    setTimeout(look, BEAT);
  }
  // The number that waits stands in the tab's name; the bar brings it.
  function count() {
    const bar = one('.topbar');
    const tab = one('#tab_review-button');
    if (!bar || !tab) return;
    const waits = Number(bar.dataset.waiting) || 0;
    if (waits) tab.dataset.count = waits > 99 ? '99+' : waits; else delete tab.dataset.count;
  }
  function opened() {
    ask('open', ui.wanted ? { current: ui.wanted } : {});
    ui.wanted = '';
  }
  studio.here.to_review = (button, key) => {
    ui.section = 'look';
    ui.wanted = key;
    if (isOpen()) opened(); else studio.choose('review');
  };

  // -- keys --------------------------------------------------------------------------------------------------------------
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey || one('dialog[open]')) return;
    if (!isOpen() || event.target.matches('textarea, select, input, [contenteditable]')) return;
    const act = { a: 'approve', r: 'reject' }[event.key.toLowerCase()];
    const button = act && one(`#review_${act}`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });

  // -- the rules -----------------------------------------------------------------------------------------------------------
  function shape() {
    const form = one('#rules_form');
    if (!form) return;
    const { label_shown: on, label_time: time } = form.elements;
    form.toggleAttribute('own-off', !on.checked);
    form.toggleAttribute('own-opening', time.value === 'opening');
  }
  document.addEventListener('submit', (event) => {
    if (event.target.id !== 'rules_form') return;
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target));
    for (const box of all('input[type=checkbox]', event.target)) values[box.name] = box.checked ? 'on' : 'off';
    const { reason = '', ...rules } = values;
    ask('save_rules', { values: rules, reason });
    scrollTo({ top: 0 });
  });

  // -- API keys: the new one is shown once, the address is where this page is open ----------------------------------------
  function make_key() {
    const box = one('#key_name');
    if (box.value.trim()) ask('make_key', { values: { name: box.value } });
    else box.focus();
  }
  async function revoke_key(button, id) {
    if (await studio.agreed(button, '')) ask('revoke_key', { values: { id } });
  }
  async function copy_key(button) {
    const box = one('#key_secret');
    box.select();
    try { await navigator.clipboard.writeText(box.value); } catch { document.execCommand('copy'); }
    one('span', button).textContent = button.dataset.done;
  }
  function place_of_keys() {
    const place = one('#keys_base');
    const address = new URL('../api/v1', location.href).href.replace(/[?#].*/, '');
    if (place && place.textContent !== address) place.textContent = address;
  }
  document.addEventListener('keydown', (event) => {
    if (event.target.id === 'key_name' && event.key === 'Enter' && !event.isComposing) make_key();
  });

  // -- words of a prompt that can't be used: shown where they stand -----------------------------------------------------
  function troubled() {
    const note = one('#trouble .trouble');
    note?.scrollIntoView({ block: 'nearest' });
  }
  studio.here.find_words = (button, key) => {
    const [place, ...rest] = key.split(' ');
    const words = rest.join(' ');
    if (place !== 'prompt' && !one(`#${place}`)?.offsetParent) one('#advanced .label-wrap')?.click();
    setTimeout(() => {
      const box = one(`#${place} textarea, #${place} input`);
      const at = box ? box.value.indexOf(words) : -1;
      box?.focus();
      if (at >= 0) box.setSelectionRange(at, at + words.length);
    }, 60);
  };

  function begin() {
    const bar = one('#bar');
    if (!bar) { setTimeout(begin, 80); return; }
    new MutationObserver(count).observe(bar, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-waiting'] });
    count();
    attend();
    look();
  }
  function attend() {
    const place = one('#review_room');
    if (!place) { setTimeout(attend, 200); return; }
    line.follow(place);
    new MutationObserver(drawn).observe(place, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-current', 'data-mark', 'data-section'] });
    drawn();
  }
  begin();
  return { troubled, opened };
})();
