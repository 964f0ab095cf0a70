// The tab Verify: what stands there while a video is on its way, and what can be dropped or sent there.
window.verify = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const open = () => Boolean(one('#verify')?.offsetParent);
  let beat;

  function show(name) {
    const place = one('#verify_drop');
    if (!place) return;
    one('.reading', place).hidden = name === null;
    one('.invites', place).hidden = name !== null;
    one('#verify').toggleAttribute('data-reading', name !== null);
    if (name !== null) one('.reading .name', place).textContent = name;
  }
  function tooBig(file) {
    const { most, tooBig: words } = one('#verify_drop .invites').dataset;
    if (file.size <= Number(most)) return false;
    one('#verify_drop .sorry')?.remove();
    const sorry = Object.assign(document.createElement('p'), { className: 'sorry', textContent: words });
    sorry.setAttribute('role', 'alert');
    one('#verify_drop .invites').append(sorry);
    return true;
  }
  // Before Gradio hears of it: what is too big is never sent.
  document.addEventListener('change', (event) => {
    if (!event.target.closest?.('#drop_verify')) return;
    const file = event.target.files?.[0];
    if (!file) return;
    if (tooBig(file)) { event.stopImmediatePropagation(); event.target.value = ''; return; }
    one('#verify_drop .sorry')?.remove();
    show(file.name);
  }, true);
  const words = () => one('#verify_drop .invites').dataset.dropping;

  // -- a clip of the library: by a button anywhere, or dragged onto the tab's name ---------------------------
  function asset(key, tries = 60) {
    studio.choose('verify');
    const send = studio.senders.verify_told;
    if (!send || !open()) { if (tries) setTimeout(asset, 60, key, tries - 1); return; }
    show('');
    send({ act: 'verify_asset', key });
  }
  const TYPE = 'text/x-wan-asset';
  const over = (event) => event.dataTransfer?.types.includes(TYPE) && event.target.closest?.('#tab_verify-button, #verify');
  document.addEventListener('dragstart', (event) => {
    const card = event.target.closest?.('.card[data-key]');
    if (card) event.dataTransfer.setData(TYPE, card.dataset.key);
  });
  document.addEventListener('dragover', (event) => { if (over(event)) event.preventDefault(); });
  document.addEventListener('drop', (event) => {
    if (!over(event)) return;
    event.preventDefault();
    asset(event.dataTransfer.getData(TYPE));
  });

  function begin() {
    const told = one('#verify_told');
    if (!told) { setTimeout(begin, 200); return; }
    // Gradio touches its element for reasons of its own: only an answer ends the reading.
    new MutationObserver(() => {
      const now = one('[data-beat]', told)?.dataset.beat;
      if (now !== beat) show(null);
      beat = now;
    }).observe(told, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-beat'] });
  }
  begin();
  // Nobody answered.
  const broken = () => { if (one('#verify')?.hasAttribute('data-reading')) show(null); };
  return { open, words, asset, broken };
})();
