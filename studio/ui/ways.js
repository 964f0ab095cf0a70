// The ways to make a clip: LoRAs ticked in Create's list stand as text in the form's field, as the API takes it; another
// model's price is told before it can be asked for, on Create and on Compare.
window.ways = (() => {
  const list = () => document.querySelector('#lora_list');
  const strength = (input) => {
    const value = Number.parseFloat(input?.value);
    return Number.isFinite(value) ? String(Math.min(4, Math.max(-2, value))) : '1';
  };
  const written = (row) => {
    const [high, low] = [...row.querySelectorAll('input[type=number]')].map(strength);
    if (low === undefined || low === high) return high === '1' ? row.dataset.lora : `${row.dataset.lora}:${high}`;
    return `${row.dataset.lora}:${high}/${low}`;
  };
  document.addEventListener('input', (event) => {
    if (!list()?.contains(event.target)) return;
    const rows = [...list().querySelectorAll('li[data-lora]')];
    const ticked = rows.filter((row) => row.querySelector('input[type=checkbox]').checked);
    const field = document.querySelector('#loras textarea, #loras input');
    if (!field) return;
    field.value = ticked.map(written).join(', ');
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });

  const unpriced = {};
  function priced(selector, told) {
    clearTimeout(unpriced[selector]);
    const button = document.querySelector(selector);
    if (!told && button) button.disabled = true;
    unpriced[selector] = setTimeout(() => { if (button) button.disabled = false; }, told ? 250 : 15000);
  }
  return { priced };
})();
