// The tab Models: bars move by themselves, the room is drawn anew only when something is another one by now.
window.models = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const room = () => one('#models_room .models');
  const isOpen = () => Boolean(one('#models_room')?.offsetParent);
  let sending = null;

  // -- asking, one thing after another ---------------------------------------------------------------------------
  const line = turns('models_room', ['look']);
  const ask = (act, more = {}) => line.add({ act, ...more });

  // -- drawn anew: what is typed, which details are open and where the keyboard is stay ----------------------------
  const FIELDS = '#models_room input:not([type=file])';
  const place = (element) => `${element.closest('details')?.dataset.keep} ${element.name || element.dataset.key}`;
  let open = [];
  let typed = {};
  let focused = null;
  function keep() {
    open = all('#models_room details[open]').map((details) => details.dataset.keep);
    typed = Object.fromEntries(all(FIELDS).map((field) => [place(field), field.value]));
  }
  function drawn() {
    all('#models_room details').forEach((details) => { if (open.includes(details.dataset.keep)) details.open = true; });
    all(FIELDS).forEach((field) => { const was = typed[place(field)] || ''; if (field.value !== was) field.value = was; });
    if (sending) sent();
    if (!focused || focused.isConnected || document.activeElement !== document.body) return;
    const again = all(`${FIELDS}, #models_room [data-act]`).find((each) => place(each) === place(focused));
    again?.focus({ preventScroll: true });
    if (again?.type === 'text') again.setSelectionRange(focused.selectionStart, focused.selectionEnd);
  }
  for (const name of ['input', 'toggle']) document.addEventListener(name, ({ target }) => { if (target.closest?.('#models_room')) keep(); }, true);
  document.addEventListener('focusin', ({ target }) => { focused = target.closest('#models_room') ? target : null; });
  async function pressed(button, key) {
    const [act, name = ''] = key.split(' ');
    if (line.has((question) => question.act === act && question.name === name)) return;
    const about = one('h3, b', button.closest('.model-card, .lora') || document)?.textContent;
    if (!(await studio.agreed(button, about))) return;
    const values = {};
    all('input', button.closest('details') || document.createElement('i')).forEach((input) => { values[input.name] = input.value; });
    ask(act, { name, values });
  }
  studio.here.models = pressed;

  // -- a LoRA as a file: past Gradio, which would keep a copy of its gigabytes ------------------------------------
  const form = () => one('#lora_upload');
  function said(text) {
    const line = document.createElement('p');
    line.className = 'sorry';
    line.textContent = text;
    one('.told-here', form())?.replaceChildren(...(text ? [line] : []));
  }
  function sent(share = sending?.share || 0) {
    const bar = one('.bar', form());
    if (!bar) return;
    bar.hidden = !sending;
    bar.setAttribute('aria-valuenow', Math.round(share * 100));
    one('i', bar).style.width = `${share * 100}%`;
    all('#lora_upload input, #lora_send').forEach((each) => { each.disabled = Boolean(sending); });
  }
  document.addEventListener('change', ({ target }) => {
    if (!target.matches?.('#lora_upload [type=file]')) return;
    const shown = one('b', target.closest('label'));
    const file = target.files[0];
    shown.textContent = file?.name || shown.dataset.empty;
    const name = one('[name=name]', form());
    if (file && !name.value) name.value = proposed(file.name);
    keep();
    said(tooLarge(chosen()));
  });
  const chosen = () => ['high', 'low'].map((kind) => [kind, one(`[name=${kind}]`, form()).files[0]]).filter(([, file]) => file);
  const proposed = (file) => file.replace(/\.\w+$/, '').replace(/[._ -]+(?:(?:high|low)[._ -]*noise|(?:high|low)$)/i, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(0, 64).replace(/[._-]+$/, '');
  function tooLarge(files) {
    const { most, wrong } = form().dataset;
    const found = files.find(([, file]) => file.size > Number(most));
    return found ? wrong.replace('{file}', () => found[1].name.slice(0, 80)) : '';
  }
  // The server looks at names and sizes first: of what it would refuse no byte is sent.
  async function refused(told) {
    const answer = await fetch(`../models/lora?${told}`, { cache: 'no-store' }).catch(() => null);
    const found = answer?.status === 400 ? await answer.json().catch(() => null) : null;
    return found?.errors?.map((error) => error.text).join(' ') || '';
  }
  studio.here.send_lora = async () => {
    if (sending) return;
    const name = one('[name=name]', form()).value;
    const files = chosen();
    if (tooLarge(files)) { said(tooLarge(files)); return; }
    const language = one('.topbar')?.dataset.lang === 'zh-CN' ? 'zh' : 'en';
    const told = new URLSearchParams({ language, name });
    files.forEach(([kind, file]) => { told.set(kind, file.name); told.set(`${kind}_bytes`, file.size); });
    const request = sending = new XMLHttpRequest();
    said('');
    sent(0);
    const no = await refused(told);
    if (no) {
      sending = null;
      sent();
      said(no);
      return;
    }
    request.upload.addEventListener('progress', (event) => { sending.share = event.loaded / Math.max(1, event.total); sent(); });
    request.addEventListener('loadend', () => {
      sending = null;
      sent();
      let found = {};
      try { found = JSON.parse(request.responseText); } catch { /* no answer */ }
      if (request.status !== 200 || !found.name) {
        said(found.errors?.map((error) => error.text).join(' ') || form()?.dataset.unsent);
        return;
      }
      one('[name=name]', form()).value = '';
      keep();
      ask('lora_kept', { name: found.name, values: { swapped: String(found.swapped) } });
    });
    request.open('POST', `../models/lora?${told}`);
    request.send(new Blob(files.map(([, file]) => file)));
  };
  studio.here.to_models = () => studio.choose('models');
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing || !event.target.matches('#models_room input')) return;
    event.preventDefault();
    one('.btn[data-act=models], .btn[data-act=send_lora]', event.target.closest('details'))?.click();
  });

  // -- looking again by itself, while somebody looks --------------------------------------------------------------
  async function look() {
    let beat = 3000;
    if (isOpen() && !document.hidden && line.idle() && !sending) {
      const language = one('.topbar')?.dataset.lang === 'zh-CN' ? 'zh' : 'en';
      const told = await studio.told(`../models/now?language=${language}`);
      if (told && room()) {
        if (told.mark !== room().dataset.mark) ask('look');
        Object.entries(told.bars).forEach(([name, bar]) => move(name, bar));
        if (Object.keys(told.bars).length) beat = 1000;
      }
    }
    setTimeout(look, beat);
  }
  function move(name, { share, text }) {
    const bar = one(`#models_room .fetching[data-name="${CSS.escape(name)}"]`);
    if (!bar) return;
    one('.bar', bar).setAttribute('aria-valuenow', share);
    one('i', bar).style.width = `${share}%`;
    one('p', bar).textContent = text;
  }
  // The tab's inside comes with its first opening, a little later: turns.js waits for it.
  const opened = () => ask('look');
  function begin() {
    const whole = one('#models_room');
    if (!whole) { setTimeout(begin, 80); return; }
    line.follow(whole);
    new MutationObserver(drawn).observe(whole, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-turn'] });
  }
  begin();
  setTimeout(look, 3000);
  return { opened };
})();
